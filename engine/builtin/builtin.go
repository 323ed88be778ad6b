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

// Model is the text-to-image model's folder.
func Model() fs.FS { return sub("model") }

// Captioner is the captioner's folder.
func Captioner() fs.FS { return sub("captioner") }

func sub(name string) fs.FS {
	sub, err := fs.Sub(files, name)
	if err != nil {
		panic(err) // the paths are constants
	}
	return sub
}
