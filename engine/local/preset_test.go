package local_test

import (
	"context"
	"testing"

	"easel/engine"
	"easel/engine/internal/golden"
	"easel/engine/preset"
)

// TestEveryMethodHasPresets for every goal, on a small model and on one of full size: a job is complete, and the method
// takes the settings.
func TestEveryMethodHasPresets(t *testing.T) {
	s := shipped(t)
	eng := newEngine(t)
	for _, m := range eng.Methods() {
		for _, goal := range preset.Goals {
			for _, small := range []bool{false, true} {
				job, choices, err := s.Fill(engine.Job{Method: m.Name, Goal: goal}, 8, small)
				if err != nil || job.Steps == 0 || job.Rate == 0 || len(choices) < 4 {
					t.Errorf("%s, %s: %d steps at %g, %d choices (%v)", m.Name, goal, job.Steps, job.Rate, len(choices), err)
				}
				known := map[string]bool{}
				for _, setting := range m.Settings {
					known[setting.Name] = true
				}
				for name := range job.Settings {
					if !known[name] {
						t.Errorf("%s has no setting %q", m.Name, name)
					}
				}
			}
		}
	}
}

// TestPlanSaysWhatTrainWouldDo, and Costs what each method would cost.
func TestPlanSaysWhatTrainWouldDo(t *testing.T) {
	skipUnderRace(t)
	eng := newEngine(t)
	job := tinyJob(t, pictures(t, 3))
	job.Settings = map[string]string{"rank": "4"}
	v, err := eng.Plan(context.Background(), job, true, ignore)
	if err != nil {
		t.Fatal(err)
	}
	if v.Pictures != 3 || v.Parameters == 0 || v.FileBytes < 2*v.Parameters || v.SecondsPerStep <= 0 || v.Plan.Peak == 0 || v.Job.Optimizer == "" {
		t.Errorf("plan %+v", v)
	}
	if v, err = eng.Plan(context.Background(), job, false, ignore); err != nil || v.SecondsPerStep != 0 {
		t.Errorf("not measured: %g (%v)", v.SecondsPerStep, err)
	}
	costs, err := eng.Costs(context.Background(), golden.Path(t, "tiny-sd1"))
	if err != nil || len(costs) != len(eng.Methods()) {
		t.Fatalf("%d costs (%v)", len(costs), err)
	}
	for _, c := range costs {
		if c.Problem != "" || c.Parameters == 0 || c.Peak == 0 || c.FileBytes == 0 {
			t.Errorf("%+v", c)
		}
	}
}
