// Package builtin holds the small text-to-image model that ships inside the program, as a diffusers folder, so that
// the first start needs no download. See model/README.md for how it was made and what it knows.
package builtin

import (
	"embed"
	"io/fs"
)

//go:embed model
var files embed.FS

// Model is the diffusers folder.
func Model() fs.FS {
	sub, err := fs.Sub(files, "model")
	if err != nil {
		panic(err) // the path is a constant
	}
	return sub
}
