package local_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"easel/engine"
	"easel/engine/internal/golden"

	"github.com/google/go-cmp/cmp"
)

// TestCaptionWithATagger: the captions of a WD tagger are tags behind the word, from a file or its folder.
func TestCaptionWithATagger(t *testing.T) {
	dir := t.TempDir()
	picture, err := os.ReadFile(golden.Path(t, "tagger", "picture_40x27.png"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "a.png"), string(picture))
	eng := newEngine(t)
	for _, path := range []string{golden.Path(t, "tagger"), golden.Path(t, "tagger", "model.safetensors")} {
		var seen engine.CaptionEvent
		var about string
		result, err := eng.Caption(context.Background(), engine.CaptionRequest{Images: dir, Model: path, Mode: "replace", Word: "zorbit", Class: "toy", DType: "f32"}, func(e engine.Event) {
			switch {
			case e.Caption != nil:
				seen = *e.Caption
			case e.Setup != nil:
				about = e.Setup.Detail
			}
		})
		if err != nil || result.Model != path || result.Unsure != 0 || result.Pictures != 1 {
			t.Fatalf("%+v, %v", result, err)
		}
		if !strings.HasPrefix(seen.Text, "zorbit toy, fur-trimmed coat, rem (re:zero), solo, ") || !strings.HasPrefix(seen.Found, "fur-trimmed coat, ") || seen.Confidence < 0.35 {
			t.Errorf("%+v", seen)
		}
		if got := captions(t, dir)["a.txt"]; got != seen.Text || !strings.Contains(about, "knows 36 tags") {
			t.Errorf("%q, %q", got, about)
		}
	}
	alone := filepath.Join(t.TempDir(), "wd.safetensors")
	weights, err := os.ReadFile(golden.Path(t, "tagger", "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, alone, string(weights))
	if _, err := eng.Caption(context.Background(), engine.CaptionRequest{Images: dir, Model: alone}, nil); engine.KindOf(err) != engine.NotFound || !strings.Contains(err.Error(), "selected_tags.csv") {
		t.Errorf("without its list of tags: %v", err)
	}
}

// TestCaptionThreeHundred: 300 pictures, cancelled twice; each gets its caption once, and no word of a person's is lost.
func TestCaptionThreeHundred(t *testing.T) {
	if testing.Short() {
		t.Skip("it describes 300 pictures")
	}
	const n = 300
	dir := captionless(t, n)
	before := captions(t, dir)
	eng := newEngine(t)
	written := map[string]int{}
	run := func(stopAt int) error {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		done := 0
		_, err := eng.Caption(ctx, engine.CaptionRequest{Images: dir, Model: golden.Path(t, "tagger"), Mode: "append", Word: "zorbit"}, func(e engine.Event) {
			if e.Caption == nil {
				return
			}
			if e.Caption.Done != "kept" {
				written[filepath.Base(e.Caption.File)]++
				done++
			}
			if done == stopAt {
				cancel()
			}
		})
		return err
	}
	for _, stopAt := range []int{120, 70} {
		if err := run(stopAt); engine.KindOf(err) != engine.Cancelled {
			t.Fatalf("cancelled at %d: %v", stopAt, err)
		}
	}
	if err := run(-1); err != nil {
		t.Fatal(err)
	}
	after := captions(t, dir)
	for i := range n {
		name := fmt.Sprintf("p%d.txt", i)
		if written[name] != 1 || strings.Count(after[name], "zorbit") != 1 || !strings.HasPrefix(after[name], before[name]) {
			t.Errorf("%s was %q and is %q after %d changes", name, before[name], after[name], written[name])
		}
	}
	if undone, err := eng.Caption(context.Background(), engine.CaptionRequest{Images: dir, Undo: true}, nil); err != nil || undone.Restored != n {
		t.Errorf("%+v, %v", undone, err)
	}
	if diff := cmp.Diff(before, captions(t, dir)); diff != "" {
		t.Errorf("after undo: %s", diff)
	}
}

// TestCaptionOnly: of a folder only the named pictures get a caption, and of those all that are there.
func TestCaptionOnly(t *testing.T) {
	dir := captionless(t, 6) // p0 and p3 have captions
	req := engine.CaptionRequest{Images: dir, Only: []string{"p1.png", "p3.png", "p5.png", "gone.png"}, Model: golden.Path(t, "tagger"), Word: "zorbit"}
	result, err := newEngine(t).Caption(context.Background(), req, func(e engine.Event) {
		if c := e.Caption; c != nil && c.Picture > 0 && c.Pictures != 2 {
			t.Errorf("%d pictures are to be described, want 2", c.Pictures)
		}
	})
	if err != nil || result.Written != 2 || result.Changed != 0 {
		t.Errorf("%+v, %v", result, err)
	}
	got := captions(t, dir)
	for name, want := range map[string]string{"p0.txt": "mine", "p1.txt": "zorbit", "p2.txt": "", "p3.txt": "mine", "p4.txt": "", "p5.txt": "zorbit"} {
		if !strings.HasPrefix(got[name], want) || want == "" && got[name] != "" {
			t.Errorf("%s: %q", name, got[name])
		}
	}
	req.Mode = "replace"
	if result, err = newEngine(t).Caption(context.Background(), req, func(engine.Event) {}); err != nil || result.Written != 0 || result.Changed == 0 {
		t.Errorf("%+v, %v", result, err)
	}
	if got := captions(t, dir); got["p0.txt"] != "mine" || !strings.HasPrefix(got["p3.txt"], "zorbit") || len(got) != 4 {
		t.Errorf("%v", got)
	}
}
