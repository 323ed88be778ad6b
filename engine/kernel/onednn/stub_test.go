//go:build !(cgo && linux && amd64)

package onednn_test

import (
	"testing"

	"easel/engine"
	"easel/engine/kernel/onednn"
)

func TestWithoutOneDNN(t *testing.T) {
	if _, err := onednn.New(onednn.Options{}); onednn.Available() || engine.KindOf(err) != engine.Unsupported {
		t.Errorf("available %v, error %v; want an unsupported error", onednn.Available(), err)
	}
}
