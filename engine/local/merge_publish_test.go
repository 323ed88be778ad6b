package local_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"easel/engine"
	"easel/engine/internal/golden"
)

// linkedModel is golden's folder with its UNet elsewhere, behind a link.
func linkedModel(t *testing.T) (model, unet string) {
	t.Helper()
	model, unet = filepath.Join(t.TempDir(), "model"), filepath.Join(t.TempDir(), "elsewhere")
	if err := os.CopyFS(model, os.DirFS(golden.Path(t, "tiny-sd1"))); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(model, "unet"), unet); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(unet, filepath.Join(model, "unet")); err != nil {
		t.Skip(err)
	}
	return model, unet
}

// TestMergeOfALinkedComponent: a folder behind a link is read and copied like any other.
func TestMergeOfALinkedComponent(t *testing.T) {
	skipUnderRace(t)
	model, unet := linkedModel(t)
	loras := []engine.TunedFile{{Path: golden.Path(t, "files", "lora.safetensors"), Weight: 1}}
	out := merge(t, engine.MergeRequest{Model: model, LoRAs: loras, Out: filepath.Join(t.TempDir(), "m")}).Path
	f := golden.Open(t, "files/lora.eps.safetensors")
	f.Check(t, "", "eps_lora", predictGolden(t, out, out, f))
	if files, _ := filepath.Glob(filepath.Join(out, "unet", "*")); len(files) != 2 {
		t.Errorf("unet holds %v", files)
	}

	if err := os.Symlink(unet, filepath.Join(unet, "again")); err != nil {
		t.Fatal(err)
	}
	req := engine.MergeRequest{Model: model, LoRAs: loras, Out: filepath.Join(t.TempDir(), "m")}
	if _, err := newEngine(t).Merge(context.Background(), req); engine.KindOf(err) != engine.Unsupported || !strings.Contains(err.Error(), "unet/again is a link") {
		t.Errorf("a link in a circle: %v", err)
	}
}

// meddling is a context that does something when it was asked often enough.
type meddling struct {
	context.Context
	left int
	do   func()
}

func (c *meddling) Err() error {
	if c.left--; c.left == 0 {
		c.do()
	}
	return nil
}

// TestATargetTakenMeanwhileStays, be it a file or an empty folder.
func TestATargetTakenMeanwhileStays(t *testing.T) {
	for model, name := range map[string]string{"": "m", "tiny-sd1.safetensors": "m.safetensors"} {
		dir := t.TempDir()
		out := filepath.Join(dir, name)
		req := engine.MergeRequest{Model: golden.Path(t, "tiny-sd1", model), Out: out, LoRAs: []engine.TunedFile{{Path: golden.Path(t, "files", "lora.safetensors"), Weight: 1}}}
		ctx := &meddling{t.Context(), 100, func() {
			if err := os.Mkdir(out, 0o755); err != nil {
				t.Error(err)
			}
		}}
		if _, err := newEngine(t).Merge(ctx, req); engine.KindOf(err) != engine.BadInput || !strings.Contains(err.Error(), "nothing is replaced") {
			t.Errorf("%s: %v", name, err)
		}
		if left, _ := os.ReadDir(dir); len(left) != 1 {
			t.Errorf("%s: %v lie there", name, left)
		}
		if within, err := os.ReadDir(out); err != nil || len(within) != 0 {
			t.Errorf("%s: the other's folder holds %v, %v", name, within, err)
		}
	}
}

// TestErrorsNameTheTarget, not the temporary folder in which it is made.
func TestErrorsNameTheTarget(t *testing.T) {
	model, _ := linkedModel(t)
	if err := os.Symlink(filepath.Join(t.TempDir(), "gone"), filepath.Join(model, "feature_extractor")); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "m")
	req := engine.MergeRequest{Model: model, Out: out, LoRAs: []engine.TunedFile{{Path: golden.Path(t, "files", "lora.safetensors"), Weight: 1}}}
	if _, err := newEngine(t).Merge(context.Background(), req); err == nil || strings.Contains(err.Error(), ".easel-") {
		t.Errorf("a link to nothing: %v", err)
	}
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	req.Model, req.Out = golden.Path(t, "tiny-sd1"), filepath.Join(blocked, "m")
	if _, err := newEngine(t).Merge(context.Background(), req); err == nil || strings.Contains(err.Error(), ".easel-") || !strings.Contains(err.Error(), req.Out) {
		t.Errorf("a folder that cannot be made: %v", err)
	}
}

// TestAFileIsReplacedWhereThatIsAsked: a file that is neither read nor a folder; and the merge tells how far it is.
func TestAFileIsReplacedWhereThatIsAsked(t *testing.T) {
	dir := t.TempDir()
	lora := golden.Path(t, "files", "lora.safetensors")
	model := filepath.Join(dir, "model.safetensors")
	data, err := os.ReadFile(golden.Path(t, "tiny-sd1", "tiny-sd1.safetensors"))
	if err == nil {
		err = os.WriteFile(model, data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	out, folder := filepath.Join(dir, "out.safetensors"), filepath.Join(dir, "folder.safetensors")
	if err := os.WriteFile(out, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	eng := newEngine(t)
	done, all := 0, 0
	ask := func(out string, replace bool) error {
		_, err := eng.Merge(t.Context(), engine.MergeRequest{Model: model, LoRAs: []engine.TunedFile{{Path: lora, Weight: 1}}, Out: out, Replace: replace,
			Progress: func(d, a int) {
				if d != done+1 || a < d {
					t.Errorf("%d of %d after %d", d, a, done)
				}
				done, all = d, a
			}})
		return err
	}
	for _, c := range []struct {
		out     string
		replace bool
		why     string
	}{{out, false, "nothing is replaced"}, {folder, true, "nothing is replaced"}, {model, true, "read for the merge"}} {
		if err := ask(c.out, c.replace); engine.KindOf(err) != engine.BadInput || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v", c.out, err)
		}
	}
	if err := ask(out, true); err != nil {
		t.Fatal(err)
	}
	if stat, err := os.Stat(out); err != nil || stat.Size() < 1000 {
		t.Errorf("the file was not replaced: %v", err)
	}
	if done == 0 || done != all {
		t.Errorf("it ended at %d of %d", done, all)
	}
	model = golden.Path(t, "tiny-sd1") // a folder, and so is what becomes of it
	out = strings.TrimSuffix(out, ".safetensors")
	if err := os.WriteFile(out, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := ask(out, true); engine.KindOf(err) != engine.BadInput || !strings.Contains(err.Error(), "nothing is replaced") {
		t.Errorf("a file in place of a folder: %v", err)
	}
	within := filepath.Join(dir, "peft")
	if err := os.Mkdir(within, 0o755); err != nil {
		t.Fatal(err)
	}
	lora, model = within, filepath.Join(dir, "model.safetensors")
	if err := os.WriteFile(filepath.Join(within, "adapter_model.safetensors"), []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := ask(filepath.Join(within, "adapter_model.safetensors"), true); engine.KindOf(err) != engine.BadInput || !strings.Contains(err.Error(), "read for the merge") {
		t.Errorf("a file of a folder that is read: %v", err)
	}
}
