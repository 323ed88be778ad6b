package format

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"easel/engine"
	"easel/engine/kernel"
)

// Captioner is a model that describes pictures: its tensors, in the names of transformers' BLIP, and the small files
// beside them.
type Captioner struct {
	Source
	Kind   FileKind // KindCaptioner or KindTagger
	path   string
	folder *Folder
}

const opCaptioner = "open captioner"

// OpenCaptionerAt opens the folder or file at path. Errors: NotFound, and those of OpenCaptioner.
func OpenCaptionerAt(path string) (*Captioner, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, engine.Errorf(opCaptioner, path, engine.NotFound, "there is no such file or folder")
	case info.IsDir():
		return OpenCaptioner(os.DirFS(path))
	}
	return OpenCaptionerFile(os.DirFS(filepath.Dir(path)), filepath.Base(path))
}

// OpenCaptioner opens a folder in transformers' layout: config.json, vocab.txt and the weights; or a tagger's: weights
// and selected_tags.csv. Errors: NotFound, BadFile, and those of Open; Unsupported where the weights are another model's.
func OpenCaptioner(fsys fs.FS) (*Captioner, error) {
	d := newFolder(fsys)
	weights, err := d.weights(".")
	if err != nil {
		return nil, err
	}
	return newCaptioner(d, weights, d.root)
}

// OpenCaptionerFile opens a single file: safetensors or PyTorch's, in transformers' names or those of Salesforce's
// model_base_caption_capfilt_large.pth, or a tagger's. fsys is its folder.
func OpenCaptionerFile(fsys fs.FS, name string) (*Captioner, error) {
	d := newFolder(fsys)
	f, err := d.open(name)
	if err != nil {
		return nil, err
	}
	return newCaptioner(d, f, f.Path())
}

func newCaptioner(d *Folder, weights Source, path string) (*Captioner, error) {
	c := &Captioner{path: path, folder: d}
	switch {
	case isCaptioner(weights):
		c.Source, c.Kind = rename(weights, blipName), KindCaptioner
	case isTagger(weights):
		c.Source, c.Kind = rename(weights, taggerName), KindTagger
	default:
		tags, err := c.Read(TagsFile)
		c.Close()
		if tags != nil || err != nil {
			return nil, engine.Errorf(opCaptioner, path, engine.Unsupported, "this tagger is no plain vision transformer; of the WD taggers Easel reads wd-vit-tagger-v3")
		}
		return nil, engine.Errorf(opCaptioner, path, engine.Unsupported, "this is no BLIP captioner and no WD tagger")
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

// Path is the folder or file on the disk; empty for others than os.DirFS.
func (c *Captioner) Path() string { return c.path }

// Missing is the error NotFound for a small file that should lie beside the weights.
func (c *Captioner) Missing(what, name string) error {
	return engine.Errorf(opCaptioner, c.path, engine.NotFound, "%s is missing: put its %s into %s", what, name, cmp.Or(c.folder.root, "its folder"))
}

// Close closes the files. Tensors got from them must not be used afterwards.
func (c *Captioner) Close() error { return c.folder.Close() }

// isCaptioner says whether the tensors of s, in either names, are a BLIP captioner's. A BLIP that matches texts has no
// text decoder. One that answers questions has another network that reads the question; so has Salesforce's first model,
// of all tasks, which can caption too.
func isCaptioner(s Source) bool {
	has := func(name string) bool { return s.Has(name) || s.Has(dictionary+name) }
	answers := has("text_encoder.embeddings.word_embeddings.weight") && !has("itm_head.weight")
	return has("text_decoder.cls.predictions.transform.dense.weight") && !answers
}

// dictionary is the key under which Salesforce's files have the tensors.
const dictionary = "model."

// vitNames turns timm's names of a vision transformer, which are Salesforce's too, into those of transformers' BLIP
// (salesforce/BLIP models/vit.py; transformers convert_blip_original_pytorch_to_hf.py), the longest first.
var vitNames = [][2]string{
	{"cls_token", "vision_model.embeddings.class_embedding"},
	{"pos_embed", "vision_model.embeddings.position_embedding"},
	{"patch_embed.proj.", "vision_model.embeddings.patch_embedding."},
	{"norm.", "vision_model.post_layernorm."},
	{"blocks.", "vision_model.encoder.layers."},
}

var vitBlock = strings.NewReplacer(".attn.qkv.", ".self_attn.qkv.", ".attn.proj.", ".self_attn.projection.", ".norm1.", ".layer_norm1.", ".norm2.", ".layer_norm2.")

func vitName(own string) (name string, ok bool) {
	name, ok = swapPrefix(own, vitNames)
	return vitBlock.Replace(name), ok
}

// blipName translates a name of Salesforce's; others stay as they are.
func blipName(own string) string {
	own = strings.TrimPrefix(own, dictionary)
	rest, ok := strings.CutPrefix(own, "visual_encoder.")
	if !ok {
		return own
	}
	name, _ := vitName(rest)
	return name
}

// renamed is a Source whose tensors have other names than in the file.
type renamed struct {
	Source
	names []string
	own   map[string]string
}

// rename gives the tensors of s the names that name says; "" leaves one out.
func rename(s Source, name func(own string) string) Source {
	r := renamed{Source: s, own: map[string]string{}}
	for _, own := range s.Names() {
		if n := name(own); n != "" && r.own[n] == "" {
			r.own[n] = own
			r.names = append(r.names, n)
		}
	}
	return r
}

func (r renamed) Names() []string { return r.names }

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
