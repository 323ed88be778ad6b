package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"easel/engine"
)

// Dir is the run's folder, absolute.
func (r *Run) Dir() string { return r.dir }

// Job is the job as it was recorded.
func (r *Run) Job() engine.Job { return r.job }

// SamplePath is where a new picture of column i (from 0) of the grid's row at step belongs: 01.png and so on, or the next
// number that is free, where the column had another prompt before. Its folder is for the caller to make.
func (r *Run) SamplePath(step, i int) string {
	for n := i + 1; ; n++ {
		path := filepath.Join(r.dir, "samples", fmt.Sprintf("step-%06d", step), fmt.Sprintf("%02d.png", n))
		if _, err := os.Lstat(path); err != nil {
			return path
		}
	}
}

// GridPath is where the before/after grid belongs.
func (r *Run) GridPath() string { return filepath.Join(r.dir, "grid.png") }

// CheckpointPath is where the checkpoint after step belongs. Its folder exists.
func (r *Run) CheckpointPath(step int) string {
	return checkpointPath(r.dir, step)
}

// ValuesOf is where a checkpoint's trained values belong once the run has a newer checkpoint.
func ValuesOf(checkpoint string) string {
	return strings.TrimSuffix(checkpoint, ".safetensors") + ".values.safetensors"
}

// ValuesAt finds the trained values after step: the checkpoint, or what was kept of it. It is an error of kind NotFound
// where the run has neither.
func (r *Run) ValuesAt(step int) (path string, err error) {
	for _, path := range []string{r.CheckpointPath(step), ValuesOf(r.CheckpointPath(step))} {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", engine.Errorf("find checkpoint", r.dir, engine.NotFound, "nothing was saved after step %d", step)
}

// ViewPath is where a picture of the view of a step belongs. Its folder is for the caller to make.
func (r *Run) ViewPath(step int, name string) string {
	return filepath.Join(r.dir, "views", fmt.Sprintf("step-%06d", step), name+".png")
}

// ThroughPath is where the picture rendered through the exported file belongs.
func (r *Run) ThroughPath(step int) string {
	return filepath.Join(r.dir, "samples", fmt.Sprintf("step-%06d", step), "through-file.png")
}

func checkpointPath(run string, step int) string {
	return filepath.Join(run, "checkpoints", checkpointName(step))
}

func checkpointName(step int) string { return fmt.Sprintf("step-%06d.safetensors", step) }

// LatestCheckpoint finds the checkpoint of the highest step. The path is empty where the run has none. A checkpoint
// must have been written whole or not at all, as format.Write does.
func (r *Run) LatestCheckpoint() (path string, step int, err error) { return LatestCheckpoint(r.dir) }

// LatestCheckpoint is that of the run in a folder, whoever has it open.
func LatestCheckpoint(run string) (path string, step int, err error) {
	dir := filepath.Join(run, "checkpoints")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", 0, engine.Errorf("find checkpoint", dir, engine.BadFile, "%w", err)
	}
	for _, entry := range entries {
		digits, _ := strings.CutPrefix(strings.TrimSuffix(entry.Name(), ".safetensors"), "step-")
		at, err := strconv.Atoi(digits)
		if err != nil || entry.Name() != checkpointName(at) {
			continue
		}
		if path == "" || at > step {
			path, step = checkpointPath(run, at), at
		}
	}
	return path, step, nil
}

// ExportPath reserves a file in the project folder for an export of the run, or a folder where ending is empty: name and
// ending, replacing what an earlier run exported under that name. Where something of that name lies there that Easel did
// not write, it is name-2.safetensors, say, and so on. Characters that a file name cannot have become "-".
func (r *Run) ExportPath(name, ending string) (string, error) {
	name = fileName(name)
	for i := 1; ; i++ {
		file := name + ending
		if i > 1 {
			file = fmt.Sprintf("%s-%d%s", name, i, ending)
		}
		ours, err := claim(r.project, file)
		if err != nil {
			return "", err
		}
		if ours {
			return filepath.Join(r.project, file), nil
		}
	}
}

// fileName makes text usable as a file's name on every system.
func fileName(text string) string {
	clean := strings.Map(func(c rune) rune {
		if c < ' ' || strings.ContainsRune(`/\:*?"<>|`, c) {
			return '-'
		}
		return c
	}, text)
	clean = strings.Trim(clean, " .")
	if clean == "" {
		return "easel"
	}
	return clean
}
