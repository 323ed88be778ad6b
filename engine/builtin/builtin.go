// Package builtin holds the small models that ship inside the program, so that the first start needs no download: a
// text-to-image model, as a diffusers folder, and a captioner, as a folder of transformers. Their README.md say how they
// were made and what they know.
package builtin

import (
	"embed"
	"io/fs"
)

//go:embed model captioner
var files embed.FS

// The weights once more, as strings: these can be read in place, where an embed.FS gives copies. The program holds each file
// once all the same.
var (
	//go:embed model/text_encoder/model.safetensors
	text string
	//go:embed model/unet/diffusion_pytorch_model.safetensors
	unet string
	//go:embed model/vae/diffusion_pytorch_model.safetensors
	vae string
	//go:embed captioner/model.safetensors
	captioner string
)

var weights = map[string]string{
	"model/text_encoder/model.safetensors":           text,
	"model/unet/diffusion_pytorch_model.safetensors": unet,
	"model/vae/diffusion_pytorch_model.safetensors":  vae,
	"captioner/model.safetensors":                    captioner,
}

// Model is the text-to-image model's folder.
func Model() fs.FS { return sub("model") }

// Captioner is the captioner's folder.
func Captioner() fs.FS { return sub("captioner") }

func sub(name string) fs.FS {
	sub, err := fs.Sub(folder{files}, name)
	if err != nil {
		panic(err) // the paths are constants
	}
	return sub
}

// folder is files, with weights that tell their content.
type folder struct{ embed.FS }

// Open implements fs.FS.
func (d folder) Open(name string) (fs.File, error) {
	f, err := d.FS.Open(name)
	if content, ok := weights[name]; ok && err == nil {
		return file{f, content}, nil
	}
	return f, err
}

// file implements format.Held.
type file struct {
	fs.File
	content string
}

// Content is the file, in the program's own pages.
func (f file) Content() string { return f.content }
