package local_test

import (
	"context"
	"image"
	_ "image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"easel/engine"

	"github.com/google/go-cmp/cmp"
)

// TestSteeredRunEqualsOneLeftAlone: pausing, sampling, saving, looking and a new prompt change no trained bit.
func TestSteeredRunEqualsOneLeftAlone(t *testing.T) {
	eng := newEngine(t)
	images := pictures(t, 3)
	alone, err := eng.Train(context.Background(), tinyJob(t, images), ignore)
	if err != nil {
		t.Fatal(err)
	}
	job := tinyJob(t, images)
	control := &engine.Control{}
	job.Control = control
	var pauses []engine.PauseEvent
	var view *engine.ViewEvent
	steps := 0
	steered, err := eng.Train(context.Background(), job, func(e engine.Event) {
		switch {
		case e.Step != nil:
			if steps++; e.Step.Step == 3 {
				control.Pause()
				control.SampleNow()
			}
		case e.Pause != nil:
			pauses = append(pauses, *e.Pause)
			if e.Pause.Paused { // one after the other, each while the run waits
				control.Look()
				control.AddPrompt("a {class} in the snow")
			}
		case e.View != nil:
			view = e.View
			control.SaveNow()
			control.Resume()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]engine.PauseEvent{{Paused: true, Step: 3}, {Paused: false, Step: 3}}, pauses); diff != "" || steps != 8 {
		t.Errorf("%d steps; pauses: %s", steps, diff)
	}
	if diff := cmp.Diff(tensors(t, alone.Export), tensors(t, steered.Export)); diff != "" {
		t.Errorf("the steered run's file differs: %s", diff)
	}
	if diff := cmp.Diff(tensors(t, alone.Checkpoint), tensors(t, steered.Checkpoint)); diff != "" {
		t.Errorf("the steered run's checkpoint differs: %s", diff)
	}
	checkView(t, view)
	run, err := eng.OpenRun(context.Background(), job.Out)
	if err != nil {
		t.Fatal(err)
	}
	columns := map[int]int{}
	for _, row := range run.Rows {
		columns[row.Step] = len(row.Pictures)
		for _, path := range row.Pictures {
			if _, err := os.Stat(path); err != nil {
				t.Error(err)
			}
		}
		if row.Step > 0 && row.WeightChange <= 0 {
			t.Errorf("the row of step %d has a weight change of %g", row.Step, row.WeightChange)
		}
	}
	// The new column begins with step 0 and the step at which it was asked for.
	if diff := cmp.Diff(map[int]int{0: 3, 2: 2, 3: 3, 4: 3, 6: 3, 8: 3}, columns); diff != "" {
		t.Errorf("pictures by row: %s", diff)
	}
	if got := run.Columns[len(run.Columns)-1]; got != "a toy in the snow" {
		t.Errorf("the new column is %q", got)
	}
}

// checkView looks at the pictures of a step.
func checkView(t *testing.T, v *engine.ViewEvent) {
	t.Helper()
	if v == nil {
		t.Fatal("no view came")
	}
	if v.Step != 4 || v.Timestep < 0 || v.Timestep >= v.Of || v.Loss <= 0 || !strings.Contains(v.Caption, "zorbit") || v.Source == "" {
		t.Errorf("view %+v", v)
	}
	seen := map[string]bool{}
	for _, path := range []string{v.Clean, v.Noised, v.Noise, v.Predicted, v.Denoised, v.Error} {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := image.Decode(strings.NewReader(string(data))); err != nil {
			t.Error(err)
		}
		seen[string(data)] = true
	}
	if len(seen) != 6 {
		t.Errorf("of the six pictures %d differ", len(seen))
	}
}

// TestAPausedRunCanBeStopped: it keeps what it has, and goes on from there with the columns that it had.
func TestAPausedRunCanBeStopped(t *testing.T) {
	eng := newEngine(t)
	job := tinyJob(t, pictures(t, 3))
	job.Control = &engine.Control{}
	job.Control.Pause() // before it begins
	job.Control.AddPrompt("a dog")
	ctx, stop := context.WithCancel(context.Background())
	stopped, err := eng.Train(ctx, job, func(e engine.Event) {
		switch {
		case e.Pause != nil && e.Pause.Step == 0 && e.Pause.Paused:
			job.Control.Resume()
		case e.Step != nil && e.Step.Step == 3:
			job.Control.Pause()
		case e.Pause != nil && e.Pause.Paused:
			stop()
		}
	})
	if engine.KindOf(err) != engine.Cancelled || stopped.Run.Step != 3 || stopped.Checkpoint == "" {
		t.Fatalf("stopped at step %d with checkpoint %q: %v", stopped.Run.Step, stopped.Checkpoint, err)
	}
	job.Control, job.Resume = nil, true
	if _, err := eng.Train(context.Background(), job, ignore); err != nil {
		t.Fatal(err)
	}
	run, err := eng.OpenRun(context.Background(), job.Out)
	if err != nil {
		t.Fatal(err)
	}
	last := run.Rows[len(run.Rows)-1]
	if !run.Done || last.Step != 8 || len(last.Pictures) != 3 || len(run.Rows[0].Pictures) != 3 {
		t.Errorf("done %v, first row %v, last row %v", run.Done, run.Rows[0], last)
	}
}

// TestAColumnGetsAnotherPrompt: its pictures begin with step 0 and the present step, those of the old prompt stay on the
// disk and leave the grid, and a resumed run goes on with it.
func TestAColumnGetsAnotherPrompt(t *testing.T) {
	eng := newEngine(t)
	job := tinyJob(t, pictures(t, 3))
	job.Control = &engine.Control{}
	ctx, stop := context.WithCancel(context.Background())
	var warnings []string
	_, err := eng.Train(ctx, job, func(e engine.Event) {
		switch {
		case e.Step != nil && e.Step.Step == 3:
			job.Control.ChangePrompt(1, "a {class} in the snow")
			job.Control.ChangePrompt(7, "nowhere")
		case e.Step != nil && e.Step.Step == 5:
			stop()
		case e.Warning != nil:
			warnings = append(warnings, e.Warning.Text)
		}
	})
	if engine.KindOf(err) != engine.Cancelled {
		t.Fatal(err)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "no column 8") {
		t.Errorf("warnings %q", warnings)
	}
	job.Control, job.Resume = nil, true
	if _, err := eng.Train(context.Background(), job, ignore); err != nil {
		t.Fatal(err)
	}
	run, err := eng.OpenRun(context.Background(), job.Out)
	if err != nil {
		t.Fatal(err)
	}
	if run.Columns[1] != "a toy in the snow" || len(run.Columns) != 2 || !run.Done {
		t.Errorf("columns %q, done %v", run.Columns, run.Done)
	}
	names := map[int]string{} // of the second column's pictures
	for _, row := range run.Rows {
		if names[row.Step] = ""; row.Pictures[1] != "" {
			names[row.Step] = filepath.Base(row.Pictures[1])
		}
		if row.Step > 0 && row.WeightChange <= 0 {
			t.Errorf("the row of step %d has a weight change of %g", row.Step, row.WeightChange)
		}
	}
	if diff := cmp.Diff(map[int]string{0: "03.png", 2: "", 3: "02.png", 4: "02.png", 6: "02.png", 8: "02.png"}, names); diff != "" {
		t.Error(diff)
	}
	first := run.Rows[0].Pictures[1]
	old, err := os.ReadFile(filepath.Join(filepath.Dir(first), "02.png"))
	if err != nil {
		t.Fatal(err)
	}
	if anew, err := os.ReadFile(first); err != nil || string(anew) == string(old) {
		t.Errorf("the picture of step 0 is that of the old prompt: %v", err)
	}
	if e, err := eng.Promote(context.Background(), job.Out, 2); err != nil || e.Trained == "" {
		t.Errorf("choosing a row with an empty place gives %+v, %v", e, err)
	}
}

// TestPromote: the file of a row holds the values of that step, and the last row's is what the run exported.
func TestPromote(t *testing.T) {
	eng := newEngine(t)
	job := tinyJob(t, pictures(t, 3))
	result, err := eng.Train(context.Background(), job, ignore)
	if err != nil {
		t.Fatal(err)
	}
	final := tensors(t, result.Export)
	promote := func(step int) engine.ExportEvent {
		t.Helper()
		e, err := eng.Promote(context.Background(), job.Out, step)
		if err != nil {
			t.Fatal(err)
		}
		run, err := eng.OpenRun(context.Background(), job.Out)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e, run.Exported); diff != "" || run.Export != e.Path || !run.Done {
			t.Errorf("the project has export %q, done %v: %s", run.Export, run.Done, diff)
		}
		return e
	}
	e := promote(4)
	if e.Path != result.Export || e.Step != 4 || e.Size == 0 || e.Difference != 0 {
		t.Errorf("promoting gave %+v", e)
	}
	for _, path := range []string{e.Trained, e.Through} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	exported := tensors(t, e.Path)
	if cmp.Equal(final, exported) {
		t.Error("step 4 has the values of the last step")
	}
	kept := tensors(t, filepath.Join(filepath.Dir(result.Checkpoint), "step-000004.values.safetensors"))
	for name, values := range kept {
		if diff := cmp.Diff(values, exported[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	promote(8)
	if diff := cmp.Diff(final, tensors(t, result.Export)); diff != "" {
		t.Errorf("promoting the last step differs from the run's own export: %s", diff)
	}
	if _, err := eng.Promote(context.Background(), job.Out, 5); engine.KindOf(err) != engine.NotFound {
		t.Errorf("a step without a checkpoint gave %v", err)
	}
}

// TestOldCheckpointsKeepTheirValuesOnly: what a row can be exported from stays, in the type of the export.
func TestOldCheckpointsKeepTheirValuesOnly(t *testing.T) {
	eng := newEngine(t)
	job := tinyJob(t, pictures(t, 2))
	job.Export = "f16"
	result, err := eng.Train(context.Background(), job, ignore)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(result.Checkpoint), "*"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, filepath.Base(f))
	}
	want := []string{"step-000002.values.safetensors", "step-000004.values.safetensors", "step-000006.values.safetensors", "step-000008.safetensors"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	whole, _ := os.Stat(result.Checkpoint)
	thin, err := os.Stat(files[0])
	if err != nil || thin.Size() > whole.Size()/3 {
		t.Errorf("of a checkpoint of %d bytes %d stay: %v", whole.Size(), thin.Size(), err)
	}
}
