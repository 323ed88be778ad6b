package compare_test

import (
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
		Request: engine.CompareRequest{Job: engine.Job{Word: "zorbit", Class: "toy", Model: "builtin", Out: dir}, Methods: []string{"lora", "ti", "dreambooth"}},
		Device:  "Abacus 9", Columns: []string{"a <b> zorbit", "a cat"}, Before: []string{p, p}, ObeyedBefore: 0.25,
		Rows: []engine.Compared{
			{Method: "lora", Title: "LoRA", Pictures: []string{p, p}, Obeyed: 0.5, SecondsPerStep: 0.25,
				Summary: engine.Summary{Steps: 400, Parameters: 1065728, FileBytes: 2190000, LikenessAfter: 0.68, LikenessOwn: 0.9, Drift: 0.1, Seconds: 100, PeakMemory: 433e6}},
			{Method: "ti", Title: "Textual Inversion", Pictures: []string{p, p}, Obeyed: -1, SecondsPerStep: 0.2,
				Summary: engine.Summary{Steps: 400, Parameters: 768, FileBytes: 3200, LikenessAfter: 0.2, LikenessOwn: 0.9, Drift: 0, Seconds: 80, PeakMemory: 400e6}},
			{Method: "dreambooth", Title: "DreamBooth", Problem: "it needs 12 GB"},
		},
	}
}

func TestPageHoldsAll(t *testing.T) {
	dir := t.TempDir()
	c := comparison(t, dir)
	c.Best = compare.Best(c.Rows)
	c, err := compare.Write(c)
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

func TestBestAreThoseThatWereMeasured(t *testing.T) {
	rows := comparison(t, t.TempDir()).Rows
	rows = append(rows, rows[1])
	rows[3].Method = "ti2"
	want := map[engine.Figure][]string{engine.FigureLikeness: {"lora"}, engine.FigureDrift: {"ti", "ti2"}, engine.FigureParameters: {"ti", "ti2"},
		engine.FigureFile: {"ti", "ti2"}, engine.FigureSeconds: {"ti", "ti2"}, engine.FigureMemory: {"ti", "ti2"}} // obeyed was measured of one alone
	if diff := cmp.Diff(want, compare.Best(rows)); diff != "" {
		t.Error(diff)
	}
}

func TestAComparisonIsReadBackWhereItLies(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "a")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	want, err := compare.Write(comparison(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	got, err := compare.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	moved := filepath.Join(root, "b")
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	got, err = compare.Read(moved)
	if err != nil || got.Before[0] != filepath.Join(moved, "a.png") || got.Page != filepath.Join(moved, "compare.html") || got.Request.Job.Out != moved {
		t.Errorf("after moving it is %+v, %v", got, err)
	}
	if _, err := compare.Read(root); engine.KindOf(err) != engine.NotFound {
		t.Errorf("a folder without one gives %v", err)
	}
}

// TestRecordsThatNoComparisonLeft: what is read is not taken on trust.
func TestRecordsThatNoComparisonLeft(t *testing.T) {
	const request = `"request":{"methods":["lora","ti"]}`
	for name, text := range map[string]string{
		"of an older Easel":  `{"job":{},"rows":[{"method":"lora"}]}`,
		"too many rows":      `{"request":{"methods":["lora"]},"rows":[{"method":"lora"},{"method":"ti"}]}`,
		"another method":     `{` + request + `,"rows":[{"method":"ti"}]}`,
		"pictures too few":   `{` + request + `,"columns":["a","b"],"rows":[{"method":"lora","pictures":["a.png"]}]}`,
		"no columns":         `{` + request + `,"before":["a.png"]}`,
		"not JSON":           `nothing`,
		"an empty file":      ``,
		"of another program": `{}`,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "compare.json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if c, err := compare.Read(dir); engine.KindOf(err) != engine.BadFile {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
}

func TestALostPictureIsAnError(t *testing.T) {
	dir := t.TempDir()
	c := comparison(t, dir)
	c.Before[0] = filepath.Join(dir, "lost.png")
	if _, err := compare.Write(c); engine.KindOf(err) != engine.BadFile || !strings.Contains(err.Error(), "lost.png") {
		t.Errorf("error %v", err)
	}
}
