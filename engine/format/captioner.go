package format

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"easel/engine"
	"easel/engine/kernel"
)

// Captioner is an image captioner of BLIP's kind: its tensors, in the names of transformers, and the small files beside
// them.
type Captioner struct {
	Source
	folder *Folder
}

// OpenCaptioner opens a folder in transformers' layout: config.json, vocab.txt and the weights. Errors: NotFound, BadFile,
// and those of Open; Unsupported where the weights are another model's.
func OpenCaptioner(fsys fs.FS) (*Captioner, error) {
	d := newFolder(fsys)
	weights, err := d.weights(".")
	if err != nil {
		return nil, err
	}
	return newCaptioner(d, weights, d.root)
}

// OpenCaptionerFile opens a single file: safetensors or PyTorch's, in transformers' names or those of Salesforce's
// model_base_caption_capfilt_large.pth. fsys is its folder.
func OpenCaptionerFile(fsys fs.FS, name string) (*Captioner, error) {
	d := newFolder(fsys)
	f, err := d.open(name)
	if err != nil {
		return nil, err
	}
	return newCaptioner(d, f, f.Path())
}

func newCaptioner(d *Folder, weights Source, path string) (*Captioner, error) {
	c := &Captioner{blipNames(weights), d}
	if !c.Has(blipMark) {
		c.Close()
		return nil, engine.Errorf("open captioner", path, engine.Unsupported, "this is no BLIP captioner")
	}
	return c, nil
}

// Read returns a small file beside the weights, such as config.json; nil where there is none.
func (c *Captioner) Read(name string) ([]byte, error) {
	text, err := c.folder.read(name)
	if engine.KindOf(err) == engine.NotFound {
		return nil, nil
	}
	return text, err
}

// Dir is the folder on the disk; empty for others than os.DirFS.
func (c *Captioner) Dir() string { return c.folder.root }

// Close closes the files. Tensors got from them must not be used afterwards.
func (c *Captioner) Close() error { return c.folder.Close() }

// blipMark is a tensor that every BLIP captioner has; those that answer questions or match texts lack it.
const blipMark = "text_decoder.cls.predictions.transform.dense.weight"

// blipVision turns Salesforce's names of the vision transformer into transformers' (salesforce/BLIP models/vit.py;
// transformers convert_blip_original_pytorch_to_hf.py), the longest first.
var blipVision = [][2]string{
	{"cls_token", "vision_model.embeddings.class_embedding"},
	{"pos_embed", "vision_model.embeddings.position_embedding"},
	{"patch_embed.proj.", "vision_model.embeddings.patch_embedding."},
	{"norm.", "vision_model.post_layernorm."},
	{"blocks.", "vision_model.encoder.layers."},
}

var blipBlock = strings.NewReplacer(".attn.qkv.", ".self_attn.qkv.", ".attn.proj.", ".self_attn.projection.", ".norm1.", ".layer_norm1.", ".norm2.", ".layer_norm2.")

// blipName translates a name of Salesforce's; others stay as they are.
func blipName(own string) string {
	own = strings.TrimPrefix(own, "model.") // the key of the file's dictionary
	rest, ok := strings.CutPrefix(own, "visual_encoder.")
	if !ok {
		return own
	}
	name, _ := swapPrefix(rest, blipVision)
	return blipBlock.Replace(name)
}

// renamed is a Source whose tensors have other names than in the file.
type renamed struct {
	Source
	own map[string]string
}

// blipNames gives the tensors of s in transformers' names.
func blipNames(s Source) Source {
	if !slices.ContainsFunc(s.Names(), func(own string) bool { return blipName(own) != own }) {
		return s
	}
	r := renamed{s, map[string]string{}}
	for _, own := range s.Names() {
		if name := blipName(own); name != "" && r.own[name] == "" {
			r.own[name] = own
		}
	}
	return r
}

func (r renamed) Names() []string {
	var names []string
	for _, own := range r.Source.Names() {
		if name := blipName(own); r.own[name] == own {
			names = append(names, name)
		}
	}
	return names
}

func (r renamed) Has(name string) bool { return r.own[name] != "" }

func (r renamed) Info(name string) (dtype string, shape []int, ok bool) {
	return r.Source.Info(r.own[name])
}

func (r renamed) Tensor(name string) (*kernel.Tensor, error) {
	own, ok := r.own[name]
	if !ok {
		return nil, engine.Errorf(opRead, "", engine.NotFound, "there is no tensor %q", name)
	}
	return r.Source.Tensor(own)
}

// Count is the number of layers whose tensors s has; name holds a %d for the layer's number.
func Count(s Source, name string) int {
	n := 0
	for s.Has(fmt.Sprintf(name, n)) {
		n++
	}
	return n
}
