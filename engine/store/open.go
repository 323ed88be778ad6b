package store

import (
	"os"
	"path/filepath"
	"slices"

	"easel/engine"
)

// Open reads the newest run of the project folder dir, also while it is being written; runs that ended before anything
// was trained are passed over where there is another. Errors are of kind NotFound
// where dir is no project or has no run yet, and BadFile where its files are damaged.
func Open(dir string) (engine.Run, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return engine.Run{}, engine.Errorf("open project", dir, engine.BadInput, "%w", err)
	}
	if _, err := readProject(dir); err != nil {
		return engine.Run{}, err
	}
	run := engine.Run{}
	if run.Dir, err = newestRun(dir); err != nil {
		return run, err
	}
	if run.Job, err = readJob(run.Dir); err != nil {
		return run, err
	}
	run.Job.Out = dir // where the project lies now
	_, err = readJournalFile(filepath.Join(run.Dir, journalName), func(e engine.Event) { replay(&run, resolve(e, dir)) })
	if err != nil {
		return run, err
	}
	grid := filepath.Join(run.Dir, "grid.png")
	if _, err := os.Stat(grid); err == nil && run.Grid == "" {
		run.Grid = grid // written, but the run has not ended
	}
	return run, nil
}

// replay applies a journalled event to run. A resumed run repeats the steps after its checkpoint: what is recorded
// later counts.
func replay(run *engine.Run, e engine.Event) {
	switch {
	case e.Step != nil:
		step := e.Step.Step
		for len(run.Losses) > 0 && run.Losses[len(run.Losses)-1].Step >= step {
			run.Losses = run.Losses[:len(run.Losses)-1]
		}
		run.Losses = append(run.Losses, engine.StepLoss{Step: step, Loss: e.Step.Loss})
		run.Step, run.SecondsPerStep, run.Done = step, e.Step.SecondsPerStep, false
	case e.Validation != nil:
		run.Validation = slices.DeleteFunc(run.Validation, func(l engine.StepLoss) bool { return l.Step >= e.Validation.Step })
		run.Validation = append(run.Validation, *e.Validation)
	case e.Grid != nil:
		run.Columns = e.Grid.Columns
		replayRow(run, e.Grid.Row)
	case e.Export != nil:
		run.Export, run.Exported = e.Export.Path, *e.Export
	case e.Result != nil:
		run.Done = e.Result.Export != "" // a cancelled run leaves only a checkpoint
		run.Grid = e.Result.Grid
		if run.Done {
			run.Export = e.Result.Export
		}
	}
}

// replayRow adds a row, or puts it in place of the one before it had all its columns.
func replayRow(run *engine.Run, row engine.GridRow) {
	for i, old := range run.Rows {
		if old.Step == row.Step && len(old.Pictures) < len(row.Pictures) {
			run.Rows[i] = row
			return
		}
	}
	run.Rows = slices.DeleteFunc(run.Rows, func(old engine.GridRow) bool { return old.Step >= row.Step })
	run.Rows = append(run.Rows, row)
}
