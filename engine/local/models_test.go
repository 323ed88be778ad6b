package local_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
)

// TestModelsAreFoundByTheirContent: in the usual folders and in places, each once, and nothing that cannot be trained.
func TestModelsAreFoundByTheirContent(t *testing.T) {
	home, projects := t.TempDir(), t.TempDir()
	t.Setenv("HOME", home)
	golden, err := filepath.Abs("../../testdata/golden")
	if err != nil {
		t.Fatal(err)
	}
	put := func(path, from string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(golden, from))
		if err == nil {
			err = os.WriteFile(path, data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	a1111 := filepath.Join(home, "stable-diffusion-webui/models/Stable-diffusion")
	put(filepath.Join(a1111, "sets/one.safetensors"), "tiny-sd1/tiny-sd1.safetensors")
	put(filepath.Join(a1111, "a-vae.safetensors"), "vae.safetensors") // is no model by its content
	put(filepath.Join(a1111, "torn.safetensors"), "README.md")
	put(filepath.Join(home, "Downloads/picture.png"), "README.md")
	hub := filepath.Join(home, ".cache/huggingface/hub/models--you--mine")
	put(filepath.Join(hub, "blobs/1f3a"), "tiny-sd1/tiny-sd1.safetensors")
	three := filepath.Join(hub, "snapshots/7c/three.safetensors")
	if err := os.MkdirAll(filepath.Dir(three), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../blobs/1f3a", three); err != nil { // as diffusers keeps what it loads
		t.Fatal(err)
	}
	put(filepath.Join(projects, "two.safetensors"), "tiny-sd2/tiny-sd2.safetensors")
	if err := os.Symlink(filepath.Join(golden, "tiny-sd1"), filepath.Join(projects, "folder")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(projects, filepath.Join(projects, "again")); err != nil { // a circle
		t.Fatal(err)
	}
	eng := newEngine(t)
	kinds := map[string]string{}
	places := []string{filepath.Join(projects, "two.safetensors"), projects, filepath.Join(projects, "gone")}
	err = eng.Models(context.Background(), places, func(m engine.FileInfo) {
		if kinds[m.Path] != "" || m.Size <= 0 {
			t.Errorf("%s comes twice, or has size %d", m.Path, m.Size)
		}
		kinds[m.Path] = m.Kind + " " + m.Base
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{filepath.Join(a1111, "sets/one.safetensors"): "checkpoint SD1", filepath.Join(projects, "two.safetensors"): "checkpoint SD2", three: "checkpoint SD1",
		filepath.Join(projects, "folder"): "diffusers folder SD1"}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Error(diff)
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if err := eng.Models(ctx, places, func(engine.FileInfo) {}); engine.KindOf(err) != engine.Cancelled {
		t.Errorf("a stopped search gives %v", err)
	}
}
