package main

import (
	"strings"
	"testing"

	"easel/engine"

	"github.com/google/go-cmp/cmp"
)

func captionEngine() *fakeEngine {
	return &fakeEngine{
		events: []engine.Event{
			{Kind: engine.KindSetup, Setup: &engine.SetupEvent{What: "captioner", Detail: "builtin", Seconds: 0.2}},
			{Kind: engine.KindCaption, Caption: &engine.CaptionEvent{Path: "d/a.png", Text: "mine", Done: "kept"}},
			{Kind: engine.KindCaption, Caption: &engine.CaptionEvent{Path: "d/b.png", Text: "a sks dog", Done: "written", Picture: 9, Pictures: 10}},
			{Kind: engine.KindCaption, Caption: &engine.CaptionEvent{Path: "d/c.png", Text: "a photo of a sks dog", Unsure: true, Done: "written", Picture: 10, Pictures: 10}},
		},
		captions: engine.CaptionResult{Model: "builtin", Pictures: 11, Written: 10, Kept: 1, Unsure: 1, Skipped: 2},
	}
}

func TestCaptionFlagsBecomeARequest(t *testing.T) {
	eng := captionEngine()
	code, stdout, stderr := easel(t, eng, false, "caption", "my pictures", "--model", "blip.pth", "--mode", "append", "--word", "sks", "--class", "dog", "--prefix", "p",
		"--suffix", "s", "--ext", ".caption", "--beams", "2", "--dtype", "f32")
	if code != 0 {
		t.Fatal(stderr)
	}
	want := engine.CaptionRequest{Images: "my pictures", Model: "blip.pth", Mode: "append", Word: "sks", Class: "dog", Prefix: "p", Suffix: "s", Extension: ".caption", Beams: 2, DType: "f32"}
	if diff := cmp.Diff(want, eng.caption); diff != "" {
		t.Error(diff)
	}
	wantText(t, stdout, `captioner   builtin (0.2 s)
 9/10  b.png                    a sks dog
10/10  c.png                    a photo of a sks dog (unsure)
captions    11 pictures: 10 captions written, 0 changed, 1 kept
unsure      the captioner does not know what 1 of them show; their caption is a plain one
skipped     2 files left out
take back   easel caption --undo 'my pictures'
`)
}

func TestCaptionCancelled(t *testing.T) {
	eng := captionEngine()
	eng.events, eng.captions = nil, engine.CaptionResult{Pictures: 3, Written: 3}
	eng.err = engine.Errorf("caption", "d", engine.Cancelled, "stopped")
	code, stdout, _ := easel(t, eng, false, "caption", "d")
	if code != 130 {
		t.Errorf("code %d", code)
	}
	wantText(t, stdout, `captions    3 pictures: 3 captions written, 0 changed, 0 kept
take back   easel caption --undo d
the same command goes on from here
`)
}

func TestCaptionUndo(t *testing.T) {
	eng := &fakeEngine{captions: engine.CaptionResult{Restored: 5, Kept: 1}}
	_, stdout, _ := easel(t, eng, false, "caption", "d", "--undo")
	if !eng.caption.Undo {
		t.Error("undo was not asked for")
	}
	wantText(t, stdout, "undone      5 captions are as they were, 1 were changed since and stay\n")
}

func TestCaptionJSON(t *testing.T) {
	_, stdout, _ := easel(t, captionEngine(), false, "caption", "d", "--json")
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if len(lines) != 5 || !strings.Contains(lines[2], `"kind":"caption"`) || !strings.Contains(lines[2], `"text":"a sks dog"`) || !strings.HasPrefix(lines[4], `{"model":"builtin","pictures":11`) {
		t.Errorf("%s", stdout)
	}
}
