package store

import (
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/BurntSushi/toml"

	"easel/engine"
)

// draftName is the file with the job of the next run, as one sets it up.
const draftName = "job.toml"

// Draft reads what the next run of a project is to do: as SaveDraft left it, else what the newest run did, else the zero
// job. Its errors are of kind NotFound where dir is no project.
func Draft(dir string) (engine.Job, error) {
	if _, err := readProject(dir); err != nil {
		return engine.Job{}, err
	}
	path := filepath.Join(dir, draftName)
	var job engine.Job
	_, err := toml.DecodeFile(path, &job)
	switch {
	case err == nil:
		return job, nil
	case !errors.Is(err, fs.ErrNotExist):
		return engine.Job{}, engine.Errorf("read job", path, engine.BadFile, "%w; delete the file to begin anew", err)
	}
	run, err := newestRun(dir)
	if engine.KindOf(err) == engine.NotFound {
		return engine.Job{}, nil
	}
	if err != nil {
		return engine.Job{}, err
	}
	job, err = readJob(run)
	job.Plan = engine.Plan{} // it was that run's
	return job, err
}

// SaveDraft records what the next run is to do, and makes dir a project where it is none. The folder's own path is left
// out, so that it may be moved.
func SaveDraft(dir string, job engine.Job) error {
	if err := ensureProject(dir); err != nil {
		return err
	}
	if filepath.Dir(job.Images) == filepath.Clean(dir) {
		job.Images = ""
	}
	job.Out, job.Resume, job.Plan = "", false, engine.Plan{}
	return writeTOML(filepath.Join(dir, draftName), job)
}
