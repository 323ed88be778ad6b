package train

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/kernel"
	"easel/engine/optim"
)

// The prefixes of what is not a parameter.
const (
	optimizerPrefix = "optimizer/"
	averagePrefix   = "average/"
)

// Save writes the parameters, the optimizer's memory and the number of steps done, atomically. job is a text that
// tells runs apart: Restore takes only a checkpoint of an equal one.
func (t *Trainer) Save(path string, steps int, job string) error {
	var tensors []format.Named
	for _, p := range t.params {
		tensors = append(tensors, format.Named{Name: p.Name, Tensor: p.Value})
	}
	for _, s := range t.Optimizer.State() {
		tensors = append(tensors, format.Named{Name: optimizerPrefix + s.Name, Tensor: s.Tensor})
	}
	if t.Average != nil {
		for _, s := range t.Average.State() {
			tensors = append(tensors, format.Named{Name: averagePrefix + s.Name, Tensor: s.Tensor})
		}
	}
	return format.Write(path, tensors, map[string]string{
		"format": "easel-checkpoint", "steps": strconv.Itoa(steps), "job": job, "optimizer": t.Optimizer.Name(),
		"norm": strconv.FormatFloat(t.lastNorm, 'g', -1, 64),
	})
}

// Restore reads a checkpoint and returns the number of steps done. Prepare must have been called. A file of another
// job, or a damaged one, is an error of kind BadFile, and nothing has changed.
func (t *Trainer) Restore(path, job string) (int, error) {
	f, err := format.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	bad := func(format string, args ...any) (int, error) {
		return 0, engine.Errorf("resume", path, engine.BadFile, format, args...)
	}
	meta := f.Metadata()
	steps, err := strconv.Atoi(meta["steps"])
	if err != nil || meta["format"] != "easel-checkpoint" || steps < 0 {
		return bad("this is no checkpoint of Easel's")
	}
	if meta["job"] != job {
		return bad("it belongs to a run with other settings: resume with those, or train into another folder")
	}
	values, err := t.savedValues(f)
	if err != nil {
		return bad("%w", err)
	}
	states, err := savedStates(f, optimizerPrefix)
	if err != nil {
		return bad("%w", err)
	}
	averages, err := savedStates(f, averagePrefix)
	if err != nil {
		return bad("%w", err)
	}
	norm := 0.0
	if meta["norm"] != "" { // of an older Easel
		if norm, err = strconv.ParseFloat(meta["norm"], 64); err != nil {
			return bad("its norm is no number: %w", err)
		}
	}
	if len(states) > 0 { // none before the first step
		if err := t.Optimizer.Restore(states); err != nil {
			return bad("%w", err)
		}
	}
	if t.Average != nil && len(averages) > 0 {
		if err := t.Average.Restore(averages); err != nil {
			return bad("%w", err)
		}
	}
	for i, v := range values {
		copy(t.params[i].Value.Data, v.Data)
	}
	t.lastNorm = norm
	return steps, nil
}

// CheckpointJob is the job that a checkpoint was saved with. Errors: those of format.Open.
func CheckpointJob(path string) (string, error) {
	f, err := format.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return f.Metadata()["job"], nil
}

// savedValues reads all parameters before any is changed.
func (t *Trainer) savedValues(f *format.File) ([]*kernel.Tensor, error) {
	var values []*kernel.Tensor
	for _, p := range t.params {
		saved, err := f.Tensor(p.Name)
		if err != nil {
			return nil, err
		}
		if !slices.Equal(saved.Shape, p.Value.Shape) {
			return nil, fmt.Errorf("%s has shape %v, not %v", p.Name, saved.Shape, p.Value.Shape)
		}
		if saved.DType != p.Value.DType {
			saved = saved.Convert(p.Value.DType)
		}
		values = append(values, saved)
	}
	return values, nil
}

func savedStates(f *format.File, prefix string) ([]optim.State, error) {
	var states []optim.State
	for _, name := range f.Names() {
		short, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		t, err := f.Tensor(name)
		if err != nil {
			return nil, err
		}
		states = append(states, optim.State{Name: short, Tensor: t})
	}
	return states, nil
}
