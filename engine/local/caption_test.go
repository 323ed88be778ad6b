package local_test

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"easel/engine"
	"easel/engine/tokenizer"

	"github.com/google/go-cmp/cmp"
)

// captionless writes n small pictures into a folder, of which only every third has a caption of a person's.
func captionless(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		img := image.NewNRGBA(image.Rect(0, 0, 24, 16))
		for p := range 24 * 16 {
			img.Set(p%24, p/24, color.NRGBA{uint8(i * 37), uint8(p), uint8(i * 11), 255})
		}
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("p%d.png", i)))
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(f, img); err != nil {
			t.Fatal(err)
		}
		f.Close()
		if i%3 == 0 {
			put(t, filepath.Join(dir, fmt.Sprintf("p%d.txt", i)), "mine")
		}
	}
	return dir
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func captions(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(path)] = strings.TrimSpace(string(text))
	}
	return all
}

// TestCaptionCancelledGoesOn: a run over a folder that is cancelled in its middle keeps what is done, and the same request
// does the rest; nobody's words are lost, and undo takes both back.
func TestCaptionCancelledGoesOn(t *testing.T) {
	const n = 12
	dir := captionless(t, n)
	put(t, filepath.Join(dir, "notes.json"), "{}")
	before := captions(t, dir)
	eng := newEngine(t)
	req := engine.CaptionRequest{Images: dir, Model: "builtin", Mode: "append", Word: "zorbit", Class: "toy"}
	ctx, cancel := context.WithCancel(context.Background())
	done := 0
	first, err := eng.Caption(ctx, req, func(e engine.Event) {
		if e.Caption != nil {
			if done++; done == n/2 {
				cancel()
			}
		}
	})
	if engine.KindOf(err) != engine.Cancelled || first.Pictures != n/2 {
		t.Fatalf("%+v, %v; want %d pictures and a cancel", first, err, n/2)
	}
	half := captions(t, dir)
	var warnings, events []string
	second, err := eng.Caption(context.Background(), req, func(e engine.Event) {
		switch {
		case e.Warning != nil:
			warnings = append(warnings, filepath.Base(e.Warning.Path))
		case e.Caption != nil:
			events = append(events, filepath.Base(e.Caption.File))
			if c := e.Caption; c.Tokens != tokenizer.CLIP().Count(c.Text) || c.Picture > 0 && (c.Found == "" || c.Confidence <= 0 || c.Confidence > 1) {
				t.Errorf("%+v", *c)
			}
		}
	})
	if err != nil || second.Pictures != n || len(events) != n || second.Skipped != 1 || second.Model != "builtin" {
		t.Errorf("%+v, %v, events %v", second, err, events)
	}
	if diff := cmp.Diff([]string{"notes.json"}, warnings); diff != "" {
		t.Errorf("warnings: %s", diff)
	}
	after := captions(t, dir)
	for name, text := range half {
		if before[name] != "mine" && after[name] != text {
			t.Errorf("%s was %q and is %q", name, text, after[name])
		}
	}
	for i := range n {
		name := fmt.Sprintf("p%d.txt", i)
		switch text := after[name]; {
		case i%3 != 0 && !strings.Contains(text, "zorbit toy"):
			t.Errorf("%s: %q", name, text)
		case i%3 == 0 && !strings.HasPrefix(text, "mine"):
			t.Errorf("%s: a person's words became %q", name, text)
		case strings.Count(text, "zorbit") > 1:
			t.Errorf("%s was added to twice: %q", name, text)
		}
	}
	undone, err := eng.Caption(context.Background(), engine.CaptionRequest{Images: dir, Undo: true}, nil)
	if err != nil || undone.Restored != first.Written+first.Changed+second.Written+second.Changed {
		t.Errorf("%+v, %v", undone, err)
	}
	if diff := cmp.Diff(before, captions(t, dir)); diff != "" {
		t.Errorf("after undo: %s", diff)
	}
}

func TestCaptionRefuses(t *testing.T) {
	eng := newEngine(t)
	full, empty := captionless(t, 1), t.TempDir()
	for name, c := range map[string]struct {
		req  engine.CaptionRequest
		kind engine.Kind
	}{
		"no folder":    {engine.CaptionRequest{Images: filepath.Join(empty, "none"), Model: "builtin"}, engine.NotFound},
		"no pictures":  {engine.CaptionRequest{Images: empty, Model: "builtin"}, engine.BadInput},
		"mode":         {engine.CaptionRequest{Images: full, Model: "builtin", Mode: "overwrite"}, engine.BadInput},
		"extension":    {engine.CaptionRequest{Images: full, Model: "builtin", Extension: ".png"}, engine.BadInput},
		"dtype":        {engine.CaptionRequest{Images: full, Model: "builtin", DType: "int4"}, engine.BadInput},
		"beams":        {engine.CaptionRequest{Images: full, Model: "builtin", Beams: 1000}, engine.BadInput},
		"no model":     {engine.CaptionRequest{Images: full, Model: filepath.Join(empty, "blip.pth")}, engine.NotFound},
		"no captioner": {engine.CaptionRequest{Images: full, Model: filepath.Join(full, "p0.png")}, engine.BadFile},
		"undo":         {engine.CaptionRequest{Images: full, Undo: true}, engine.NotFound},
	} {
		if _, err := eng.Caption(context.Background(), c.req, func(engine.Event) {}); engine.KindOf(err) != c.kind {
			t.Errorf("%s: %v, want kind %v", name, err, c.kind)
		}
	}
}

// TestCaptionerFoundInUsualFolders: a captioner in A1111's folder is taken before the built-in one.
func TestCaptionerFoundInUsualFolders(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	dir := captionless(t, 1)
	model := func() string {
		result, err := newEngine(t).Caption(context.Background(), engine.CaptionRequest{Images: dir, Mode: "replace"}, func(engine.Event) {})
		if err != nil {
			t.Fatal(err)
		}
		return result.Model
	}
	if got := model(); got != "builtin" {
		t.Errorf("without any other captioner %s is taken", got)
	}
	folder := filepath.Join(home, "stable-diffusion-webui", "models", "BLIP", "mine-base")
	if err := os.MkdirAll(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"config.json", "model.safetensors", "vocab.txt"} {
		raw, err := os.ReadFile(filepath.Join("../builtin/captioner", name))
		if err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(folder, name), string(raw))
	}
	if got := model(); got != folder {
		t.Errorf("%s is taken, not %s", got, folder)
	}
}
