package preset_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/preset"
)

const text = `
[all]
rate = { is = 1e-4, why = "usual", from = "a book" }
steps = { is = "100 per picture, 400 to 1500", why = "each is seen often" }
settings.rank = { is = "16", why = "room" }
[person]
steps = { is = "120 per picture, 800 to 2000", why = "faces" }
[small]
rate = { is = 1e-3, why = "small" }
["kind=other"]
rate = { is = 5e-4, why = "another kind" }
steps = { is = 9, why = "another kind" }
["small kind=other"]
rate = { is = 5e-3, why = "small, and another kind" }
`

func read(t *testing.T, files map[string]string) preset.Set {
	t.Helper()
	s, err := preset.Read(folder(files))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func folder(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

func TestFill(t *testing.T) {
	s := read(t, map[string]string{"lora.toml": text})
	for _, c := range []struct {
		name     string
		job      engine.Job
		pictures int
		small    bool
		want     engine.Job
	}{
		{"defaults", engine.Job{}, 8, false, engine.Job{Rate: 1e-4, Steps: 800, Settings: map[string]string{"rank": "16"}}},
		{"few pictures", engine.Job{}, 1, false, engine.Job{Rate: 1e-4, Steps: 400, Settings: map[string]string{"rank": "16"}}},
		{"many pictures", engine.Job{}, 90, false, engine.Job{Rate: 1e-4, Steps: 1500, Settings: map[string]string{"rank": "16"}}},
		{"a person", engine.Job{Goal: "person"}, 10, false, engine.Job{Goal: "person", Rate: 1e-4, Steps: 1200, Settings: map[string]string{"rank": "16"}}},
		{"small", engine.Job{}, 8, true, engine.Job{Rate: 1e-3, Steps: 800, Settings: map[string]string{"rank": "16"}}},
		{"given", engine.Job{Rate: 2, Settings: map[string]string{"rank": "4", "alpha": "1"}}, 8, true,
			engine.Job{Rate: 2, Steps: 800, Settings: map[string]string{"rank": "4", "alpha": "1"}}},
		{"a kind", engine.Job{Settings: map[string]string{"kind": "other"}}, 8, false,
			engine.Job{Rate: 5e-4, Steps: 9, Settings: map[string]string{"rank": "16", "kind": "other"}}},
		{"a small kind", engine.Job{Settings: map[string]string{"kind": "other"}}, 8, true,
			engine.Job{Rate: 5e-3, Steps: 9, Settings: map[string]string{"rank": "16", "kind": "other"}}},
		{"from a file", engine.Job{From: "x.safetensors"}, 8, false, engine.Job{From: "x.safetensors", Rate: 1e-4, Steps: 800}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.job.Method, c.want.Method = "lora", "lora"
			if c.want.Goal == "" {
				c.want.Goal = "object"
			}
			got, _, err := s.Fill(c.job, c.pictures, c.small)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestFillLeavesTheCallersSettings: a map is shared where a job is copied.
func TestFillLeavesTheCallersSettings(t *testing.T) {
	given := map[string]string{"alpha": "1"}
	if _, _, err := read(t, map[string]string{"lora.toml": text}).Fill(engine.Job{Method: "lora", Settings: given}, 8, false); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"alpha": "1"}, given); diff != "" {
		t.Error(diff)
	}
}

func TestChoicesGiveReasons(t *testing.T) {
	_, got, err := read(t, map[string]string{"lora.toml": text}).Fill(engine.Job{Method: "lora", Word: "x", Goal: "person", Batch: 2}, 8, false)
	if err != nil {
		t.Fatal(err)
	}
	want := []engine.Choice{
		{Name: "batch", Value: "2", Reason: "as you set it"},
		{Name: "goal", Value: "person", Reason: "as you set it"},
		{Name: "rate", Value: "0.0001", Reason: "usual", Source: "a book"},
		{Name: "settings.rank", Value: "16", Reason: "room"},
		{Name: "steps", Value: "960", Reason: "faces"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestUsersPresetsReplaceSingleValues(t *testing.T) {
	shipped := read(t, map[string]string{"lora.toml": text})
	mine := read(t, map[string]string{"lora.toml": "[all]\nrate = { is = 5e-5, why = \"mine\" }\n[style]\nbatch = { is = 3, why = \"mine\" }", "new.toml": "[all]\nsteps = { is = 7, why = \"mine\" }"})
	s := shipped.Over(mine)
	got, _, err := s.Fill(engine.Job{Method: "lora", Goal: "style"}, 8, false)
	want := engine.Job{Method: "lora", Goal: "style", Rate: 5e-5, Steps: 800, Batch: 3, Settings: map[string]string{"rank": "16"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if got, _, _ := s.Fill(engine.Job{Method: "new"}, 8, false); got.Steps != 7 {
		t.Errorf("a method of the user's alone has %d steps", got.Steps)
	}
	if got, _, _ := shipped.Fill(engine.Job{Method: "lora"}, 8, false); got.Rate != 1e-4 {
		t.Errorf("the shipped preset changed to a rate of %g", got.Rate)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"no TOML":       {"[all", "line 1"},
		"unknown table": {"[cats]\nrate = { is = 1.0, why = \"x\" }", "cats"},
		"unknown key":   {"[all]\ncolour = { is = 1, why = \"x\" }", "colour"},
		"wrong type":    {"[all]\nsteps = { is = \"many\", why = \"x\" }", "steps"},
		"no reason":     {"[all]\nsteps = { is = 4 }", "why"},
		"a slip":        {"[\"smal kind=other\"]\nsteps = { is = 4, why = \"\" }", "no table"},
		"no table":      {"[all]\nsteps = 4", "steps"},
		"no layer":      {"steps = 4", "steps"},
		"long number":   {"[all]\nsteps = { is = \"99999999999999999999 per picture, 1 to 2\", why = \"x\" }", "99999"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := preset.Read(folder(map[string]string{"lora.toml": c.text}))
			if engine.KindOf(err) != engine.BadFile || !strings.Contains(err.Error(), "lora.toml") || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v", err)
			}
		})
	}
	if _, _, err := (preset.Set{}).Fill(engine.Job{Goal: "cat"}, 1, false); engine.KindOf(err) != engine.BadInput {
		t.Errorf("goal cat: %v", err)
	}
}
