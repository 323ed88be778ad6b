package compare_test

import (
	"encoding/json"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/compare"
)

func picture(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, image.NewGray(image.Rect(0, 0, 4, 4))); err != nil {
		t.Fatal(err)
	}
	return path
}

func comparison(t *testing.T, dir string) engine.Comparison {
	p := picture(t, filepath.Join(dir, "a.png"))
	return engine.Comparison{
		Device: "Abacus 9", Columns: []string{"a <b> zorbit", "a cat"}, Before: []string{p, p}, ObeyedBefore: 0.25,
		Rows: []engine.Compared{
			{Method: "lora", Title: "LoRA", Pictures: []string{p, p}, Obeyed: 0.5, SecondsPerStep: 0.25,
				Summary: engine.Summary{Steps: 400, Parameters: 1065728, FileBytes: 2190000, LikenessAfter: 0.68, Drift: 0.1, Seconds: 100, PeakMemory: 433e6}},
			{Method: "ti", Title: "Textual Inversion", Pictures: []string{p, p}, Obeyed: -1, SecondsPerStep: 0.2,
				Summary: engine.Summary{Steps: 400, Parameters: 768, FileBytes: 3200, LikenessAfter: 0.2, Drift: 0, Seconds: 80, PeakMemory: 400e6}},
			{Method: "dreambooth", Title: "DreamBooth", Problem: "it needs 12 GB"},
		},
	}
}

func TestPageHoldsAll(t *testing.T) {
	dir := t.TempDir()
	c, err := compare.Write(dir, engine.Job{Word: "zorbit", Class: "toy", Model: "builtin"}, comparison(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(c.Page)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, want := range []string{"a &lt;b&gt; zorbit", "1,065,728", "2.19 MB", "it needs 12 GB", `class="best">0.68`, `class="best">768`, "not measured", "Abacus 9"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if got := strings.Count(text, `src="data:image/png;base64,`); got != 6 {
		t.Errorf("the page holds %d pictures, want 6", got)
	}
	if strings.Contains(text, "http") || strings.Contains(text, dir) {
		t.Error("the page reaches outside itself")
	}
}

func TestJSONIsReadBack(t *testing.T) {
	dir := t.TempDir()
	want, err := compare.Write(dir, engine.Job{Word: "zorbit"}, comparison(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "compare.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Job engine.Job
		engine.Comparison
	}
	if err := json.Unmarshal(data, &got); err != nil || got.Job.Word != "zorbit" {
		t.Fatalf("%v, word %q", err, got.Job.Word)
	}
	if diff := cmp.Diff(want, got.Comparison); diff != "" {
		t.Error(diff)
	}
}

func TestALostPictureIsAnError(t *testing.T) {
	dir := t.TempDir()
	c := comparison(t, dir)
	c.Before[0] = filepath.Join(dir, "lost.png")
	if _, err := compare.Write(dir, engine.Job{}, c); engine.KindOf(err) != engine.BadFile || !strings.Contains(err.Error(), "lost.png") {
		t.Errorf("error %v", err)
	}
}
