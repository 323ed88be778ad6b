package local_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
)

// TestCompareTrainsEachMethod on the same pictures, by the clock, and writes a page with a picture of each for each
// prompt. A method that is not there is refused before anything runs.
func TestCompareTrainsEachMethod(t *testing.T) {
	skipUnderRace(t)
	eng := newEngine(t)
	job := tinyJob(t, pictures(t, 3))
	job.Prompts = []string{"a {word} on a red background", "a cat"}
	req := engine.CompareRequest{Job: job, Seconds: 0.01, Methods: []string{"lora"}}
	c, err := eng.Compare(context.Background(), req, ignore)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Rows) != 1 || len(c.Before) != 2 || len(c.Columns) != 2 {
		t.Fatalf("comparison %+v", c)
	}
	r := c.Rows[0]
	if r.Problem != "" || r.Summary.Steps != 20 || len(r.Pictures) != 2 || r.Obeyed < 0 || r.SecondsPerStep <= 0 || r.Summary.PeakMemory == 0 {
		t.Errorf("row %+v", r)
	}
	for _, path := range []string{c.Page, filepath.Join(job.Out, "compare.json"), r.Export} {
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", path, err)
		}
	}
	again, err := eng.OpenComparison(context.Background(), job.Out)
	if err != nil || again.Turn != "" || len(again.Rows) != 1 || again.Page != c.Page {
		t.Errorf("read again it is %+v, %v", again, err)
	}
	req.Methods = []string{"magic"}
	if _, err := eng.Compare(context.Background(), req, ignore); engine.KindOf(err) != engine.BadInput {
		t.Errorf("an unknown method gives %v", err)
	}
}

// TestAnInterruptedComparisonGoesOn with the method whose turn it was, from its step, and leaves those before alone.
func TestAnInterruptedComparisonGoesOn(t *testing.T) {
	skipUnderRace(t)
	eng := newEngine(t)
	job := tinyJob(t, pictures(t, 3))
	job.Prompts = []string{"a {word} on a red background", "a cat"}
	ctx, stop := context.WithCancel(context.Background())
	var turns []string
	req := engine.CompareRequest{Job: job, Seconds: 0.01, Methods: []string{"lora", "textual-inversion"}}
	_, err := eng.Compare(ctx, req, func(e engine.Event) {
		if e.Compare != nil {
			turns = append(turns, e.Compare.Comparison.Turn)
		}
		if e.Step != nil && e.Step.Step == 7 && turns[len(turns)-1] == "textual-inversion" {
			stop()
		}
	})
	if engine.KindOf(err) != engine.Cancelled {
		t.Fatal(err)
	}
	half, err := eng.OpenComparison(context.Background(), job.Out)
	if err != nil || half.Turn != "textual-inversion" || len(half.Rows) != 1 || len(half.Before) != 2 || half.Page == "" {
		t.Fatalf("interrupted it is %+v, %v", half, err)
	}
	first := 0
	whole, err := eng.Compare(context.Background(), engine.CompareRequest{Job: engine.Job{Out: job.Out, Resume: true}}, func(e engine.Event) {
		if e.Step != nil && first == 0 {
			first = e.Step.Step
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if first != 8 || len(whole.Rows) != 2 || whole.Turn != "" || whole.Rows[1].Summary.Steps != 20 || whole.Rows[1].SecondsPerStep <= 0 {
		t.Errorf("it went on with step %d to %+v", first, whole)
	}
	if diff := cmp.Diff(half.Rows[0], whole.Rows[0]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"lora", "textual-inversion"}, turns); diff != "" {
		t.Error(diff)
	}
	if _, err := eng.Compare(context.Background(), engine.CompareRequest{Job: engine.Job{Out: t.TempDir(), Resume: true}}, ignore); engine.KindOf(err) != engine.NotFound {
		t.Errorf("where there is none: %v", err)
	}
}
