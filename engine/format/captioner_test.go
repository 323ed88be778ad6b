package format_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/internal/golden"

	"github.com/google/go-cmp/cmp"
)

// salesforce are names of transformers and of the original file, as pieces of one name; what comes first counts.
var salesforce = strings.NewReplacer("vision_model.embeddings.class_embedding", "visual_encoder.cls_token", "vision_model.embeddings.position_embedding",
	"visual_encoder.pos_embed", "vision_model.embeddings.patch_embedding", "visual_encoder.patch_embed.proj", "vision_model.post_layernorm", "visual_encoder.norm",
	"vision_model.encoder.layers", "visual_encoder.blocks", "self_attn.qkv", "attn.qkv", "self_attn.projection", "attn.proj", "layer_norm", "norm")

// TestSalesforcesFileIsTransformersFolder: the original file, a dictionary with the weights under "model", has the same
// tensors under the same names.
func TestSalesforcesFileIsTransformersFolder(t *testing.T) {
	folder, err := format.OpenCaptioner(os.DirFS(golden.Path(t, "blip")))
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	var original []format.Named
	for _, name := range folder.Names() {
		tensor, err := folder.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		original = append(original, format.Named{Name: salesforce.Replace(name), Tensor: tensor})
	}
	object := stateDict(original...)
	object.pickle = strings.Replace(object.pickle, unicode("state_dict"), unicode("model"), 1)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "model_base.pth"), torchZip(object), 0o666); err != nil {
		t.Fatal(err)
	}
	file, err := format.OpenCaptionerFile(os.DirFS(dir), "model_base.pth")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if len(file.Names()) != 473 {
		t.Errorf("%d names, want 473", len(file.Names()))
	}
	for _, name := range folder.Names() {
		want, _ := folder.Tensor(name)
		got, err := file.Tensor(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !cmp.Equal(got.Shape, want.Shape) || !bytes.Equal(got.Data[:4*got.Len()], want.Data[:4*want.Len()]) {
			t.Errorf("%s differs", name)
		}
		_, shape, ok := file.Info(name)
		if !ok || !cmp.Equal(shape, want.Shape) || !file.Has(name) {
			t.Errorf("%s: %v %v", name, shape, ok)
		}
	}
	if text, err := file.Read("config.json"); text != nil || err != nil {
		t.Errorf("a file that is not there: %q, %v", text, err)
	}
}

func TestWhatIsNoCaptionerIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		path string
		kind engine.Kind
	}{
		"a LoRA":            {golden.Path(t, "files", "lora.safetensors"), engine.Unsupported},
		"no model at all":   {golden.Path(t, "tolerances.json"), engine.BadFile},
		"a UNet's folder":   {golden.Path(t, "tiny-sd1", "unet"), engine.Unsupported},
		"an empty folder":   {t.TempDir(), engine.NotFound},
		"a pickle of words": {golden.Path(t, "files", "ti-a1111.pt"), engine.Unsupported},
	} {
		info, err := os.Stat(c.path)
		if err != nil {
			t.Fatal(err)
		}
		if info.IsDir() {
			_, err = format.OpenCaptioner(os.DirFS(c.path))
		} else {
			_, err = format.OpenCaptionerFile(os.DirFS(filepath.Dir(c.path)), filepath.Base(c.path))
		}
		if engine.KindOf(err) != c.kind {
			t.Errorf("%s: %v, want kind %v", name, err, c.kind)
		}
	}
}
