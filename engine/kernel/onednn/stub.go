//go:build !(cgo && linux && amd64)

package onednn

import (
	"easel/engine"
	"easel/engine/kernel"
)

// Available says whether this build holds the backend.
func Available() bool { return false }

// ISA is empty in a build without the backend.
func ISA() string { return "" }

// HasBF16 is false in a build without the backend.
func HasBF16() bool { return false }

// New returns an Unsupported error in a build without the backend.
func New(Options) (kernel.Backend, error) {
	return nil, engine.Errorf("start oneDNN", "", engine.Unsupported, "this program was built without cgo and oneDNN")
}
