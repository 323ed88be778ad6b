package local_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

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
	req.Methods = []string{"magic"}
	if _, err := eng.Compare(context.Background(), req, ignore); engine.KindOf(err) != engine.BadInput {
		t.Errorf("an unknown method gives %v", err)
	}
}
