package store

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/BurntSushi/toml"

	"easel/engine"
)

// Absolute makes job's paths independent of the working folder. A model that is no file or folder is a name.
func Absolute(job engine.Job, project string) engine.Job {
	job.Out = project
	if path, err := filepath.Abs(job.Images); err == nil && job.Images != "" {
		job.Images = path
	}
	for _, file := range []*string{&job.VAE, &job.From, &job.Prior.Images} {
		if path, err := filepath.Abs(*file); err == nil && *file != "" {
			*file = path
		}
	}
	if _, err := os.Stat(job.Model); err == nil && job.Model != "builtin" {
		if path, err := filepath.Abs(job.Model); err == nil {
			job.Model = path
		}
	}
	return job
}

// encodeJob writes job as TOML and checks that it can be read back: TOML has no integers beyond 2⁶³-1 and no text
// that is not UTF-8.
func encodeJob(job engine.Job) ([]byte, error) {
	const op = "record job"
	var buffer bytes.Buffer
	fmt.Fprintln(&buffer, "# What this run was told to do, every default filled in.")
	if err := toml.NewEncoder(&buffer).Encode(job); err != nil {
		return nil, engine.Errorf(op, "", engine.BadInput, "%w", err)
	}
	if _, err := toml.Decode(buffer.String(), new(engine.Job)); err != nil {
		return nil, engine.Errorf(op, "", engine.BadInput,
			"a setting cannot be written down (the seed must be below 2⁶³, text must be UTF-8): %w", err)
	}
	return buffer.Bytes(), nil
}

// readJob reads the job of the run in dir.
func readJob(dir string) (engine.Job, error) {
	path := filepath.Join(dir, runName)
	var job engine.Job
	if _, err := toml.DecodeFile(path, &job); err != nil {
		return job, engine.Errorf("read job", path, engine.BadFile, "%w", err)
	}
	return job, nil
}
