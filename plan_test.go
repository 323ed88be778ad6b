package main

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
)

var preview = engine.Preview{
	Job: engine.Job{Steps: 400}, Pictures: 8, Parameters: 1065728, FileBytes: 2131456, SecondsPerStep: 0.5, Seconds: 200,
	Plan: engine.Plan{Why: "keeps everything in memory; takes about 0.43 GB"},
	Choices: []engine.Choice{
		{Name: "rate", Value: "0.0001", Reason: "usual", Source: "a book"},
		{Name: "steps", Value: "400", Reason: "as you set it"},
	},
}

func TestPlanOutput(t *testing.T) {
	eng := &fakeEngine{preview: preview, events: []engine.Event{{Kind: engine.KindSetup, Setup: &engine.SetupEvent{What: "model", Detail: "builtin"}}}}
	code, out, _ := easel(t, eng, false, "plan", "--images", "dir", "--word", "zorbit", "--steps", "400", "--measure")
	wantText(t, out, `model       builtin (0.0 s)

rate                    0.0001         usual
                                       from a book
steps                   400            as you set it

memory                  keeps everything in memory; takes about 0.43 GB
trained parameters      1,065,728
file size               2.13 MB
training time           3:20 for 400 steps of 0.50 s, and the grid's pictures
`)
	if code != exitOK || !eng.measure || eng.job.Steps != 400 || eng.job.Images != "dir" {
		t.Errorf("code %d, job %+v", code, eng.job)
	}
	_, out, _ = easel(t, eng, false, "plan", "--images", "dir", "--word", "zorbit", "--json")
	var got engine.Preview
	if err := json.Unmarshal([]byte(out), &got); err != nil || eng.measure {
		t.Fatalf("%v in %q, measured: %v", err, out, eng.measure)
	}
	if diff := cmp.Diff(preview, got); diff != "" {
		t.Error(diff)
	}
	if code, _, _ := easel(t, eng, false, "plan", "--word", "zorbit"); code != exitUsage {
		t.Errorf("without pictures: code %d", code)
	}
}

func TestMethodsOutput(t *testing.T) {
	eng := &fakeEngine{costs: []engine.MethodCost{
		{Method: "lora", Parameters: 1065728, Peak: 433e6, FileBytes: 2131456},
		{Method: "other", Problem: "this run needs at least 12 GB"},
	}}
	_, out, _ := easel(t, eng, false, "methods")
	wantText(t, out, `LoRA (--method lora)
  updates       inserted layers
  good at       much
  may harm      little
  costs         1,065,728 trained numbers, about 433 MB of memory, a file of 2.13 MB
  writes        LoRA for all (--file kohya)

Other (--method other)
  updates       all
  good at       nothing
  may harm      all
  costs         this run needs at least 12 GB

`)
}
