package store

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/BurntSushi/toml"

	"easel/engine"
	"easel/engine/internal/atomicfile"
)

const (
	projectName = "easel.toml"
	runName     = "run.toml"
	journalName = "events.jsonl"

	layout     = 1                      // of the project folder; raised when an older Easel could not read it
	timeFormat = "2006-01-02T15-04-05Z" // no colons: Windows forbids them in names
)

// project is the content of easel.toml.
type project struct {
	Layout  int       `toml:"layout"`
	Created time.Time `toml:"created"`
	// Exports are the files beside easel.toml that Easel wrote and may therefore replace.
	Exports []string `toml:"exports"`
}

// readProject reads dir's easel.toml. Its errors are of kind NotFound where there is none.
func readProject(dir string) (project, error) {
	const op = "open project"
	var p project
	path := filepath.Join(dir, projectName)
	meta, err := toml.DecodeFile(path, &p)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return p, engine.Errorf(op, dir, engine.NotFound,
			"no Easel project is here (%s is missing); choose the folder that `easel train --out` wrote", projectName)
	case err != nil:
		return p, engine.Errorf(op, path, engine.BadFile, "%w", err)
	case !meta.IsDefined("layout"):
		return p, engine.Errorf(op, path, engine.BadFile, "this file is not Easel's; choose another folder")
	case p.Layout > layout:
		return p, engine.Errorf(op, path, engine.Unsupported, "a newer Easel wrote this project; update Easel")
	}
	return p, nil
}

// ensureProject makes dir a project where it is none yet. What lies in dir stays.
func ensureProject(dir string) error {
	_, err := readProject(dir)
	if engine.KindOf(err) != engine.NotFound {
		return err
	}
	return writeTOML(filepath.Join(dir, projectName), project{Layout: layout, Created: time.Now().UTC().Truncate(time.Second)})
}

// claim makes name, a file in dir, one that Easel may write: it adds name to the project's exports. It reports false
// where a file of that name lies there that Easel did not write.
func claim(dir, name string) (bool, error) {
	p, err := readProject(dir)
	if err != nil {
		return false, err
	}
	if slices.Contains(p.Exports, name) {
		return true, nil
	}
	if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
		return false, nil
	}
	p.Exports = append(p.Exports, name)
	return true, writeTOML(filepath.Join(dir, projectName), p)
}

// runNames lists the folders of dir's runs, oldest first. A folder without a job is one whose making was cut short:
// it does not count.
func runNames(dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(dir, "runs")) // sorted by name, which is by time
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, engine.Errorf("list runs", dir, engine.BadFile, "%w", err)
	}
	var names []string
	for _, entry := range entries {
		_, notTime := time.Parse(timeFormat, entry.Name())
		_, noJob := os.Stat(filepath.Join(dir, "runs", entry.Name(), runName))
		if notTime == nil && noJob == nil {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// Began is when the run in the folder dir was begun, to the second; zero where dir is none.
func Began(dir string) time.Time {
	t, err := time.Parse(timeFormat, filepath.Base(dir))
	if err != nil {
		return time.Time{}
	}
	return t
}

// newestRun returns the folder of dir's newest run. A later one in which nothing was trained, because it failed or was
// cancelled at once, must not hide it: such a run counts only where there is no other.
func newestRun(dir string) (string, error) {
	names, err := runNames(dir)
	if err != nil {
		return "", err
	}
	if len(names) == 0 {
		return "", engine.Errorf("open project", dir, engine.NotFound, "nothing has been trained in this project yet")
	}
	for _, name := range slices.Backward(names) {
		if run := filepath.Join(dir, "runs", name); begun(run) {
			return run, nil
		}
	}
	return filepath.Join(dir, "runs", names[len(names)-1]), nil
}

// begun reports whether the run in dir has a checkpoint, or a step, a row of the grid or an export in its journal.
// A run that cannot be read has begun as far as is known: opening it tells what is wrong.
func begun(dir string) bool {
	if path, _, err := LatestCheckpoint(dir); path != "" && err == nil {
		return true
	}
	found := false
	_, err := readJournalFile(filepath.Join(dir, journalName), func(e engine.Event) {
		found = found || e.Step != nil || e.Grid != nil || e.Result != nil && e.Result.Export != ""
	})
	return found || err != nil
}

func writeTOML(path string, value any) error {
	return atomicfile.Write("write project", path, func(w io.Writer) error { return toml.NewEncoder(w).Encode(value) })
}
