package store

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"easel/engine"
	"easel/engine/internal/atomicfile"
)

// Run is a training run being written. It is for one goroutine; Close gives the project free again.
type Run struct {
	project string // absolute
	dir     string
	job     engine.Job
	journal *os.File
	whole   int64 // length of the journal up to its last whole line
	lock    *os.File
}

// Create starts a run in the project folder dir, made where absent, and records job, which should have every default
// filled in. Paths in job are recorded absolute. It fails while another process writes to the project.
func Create(dir string, job engine.Job) (*Run, error) {
	const op = "create project"
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, engine.Errorf(op, dir, engine.BadInput, "%w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, engine.Errorf(op, dir, engine.BadInput, "%w; choose another folder", err)
	}
	r := &Run{project: dir, job: Absolute(job, dir)}
	if r.lock, err = lock(dir); err != nil {
		return nil, err
	}
	if err := r.create(); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func (r *Run) create() error {
	if err := ensureProject(r.project); err != nil {
		return err
	}
	encoded, err := encodeJob(r.job)
	if err != nil {
		return err
	}
	if r.dir, err = makeRunDir(r.project); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(r.dir, "checkpoints"), 0o755); err != nil {
		return engine.Errorf("create run", r.dir, engine.BadFile, "%w", err)
	}
	err = atomicfile.Write("record job", filepath.Join(r.dir, runName), func(w io.Writer) error {
		_, err := w.Write(encoded)
		return err
	})
	if err != nil {
		return err
	}
	return r.openJournal()
}

// Resume opens the newest run of the project dir to write on, passing over runs that ended before anything was trained.
// A line of the journal that a crash tore is cut off.
func Resume(dir string) (*Run, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, engine.Errorf("open project", dir, engine.BadInput, "%w", err)
	}
	if _, err := readProject(dir); err != nil { // before the lock, which would leave a file in any folder
		return nil, err
	}
	r := &Run{project: dir}
	if r.lock, err = lock(dir); err != nil {
		return nil, err
	}
	if err := r.resume(); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func (r *Run) resume() (err error) {
	if r.dir, err = newestRun(r.project); err != nil {
		return err
	}
	if r.job, err = readJob(r.dir); err != nil {
		return err
	}
	path := filepath.Join(r.dir, journalName)
	if r.whole, err = readJournalFile(path, func(engine.Event) {}); err != nil {
		return err
	}
	if err := os.Truncate(path, r.whole); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return engine.Errorf("repair journal", path, engine.BadFile, "%w", err)
	}
	return r.openJournal()
}

func (r *Run) openJournal() (err error) {
	path := filepath.Join(r.dir, journalName)
	r.journal, err = os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return engine.Errorf("open journal", path, engine.BadFile, "%w", err)
	}
	return nil
}

// Append writes an event to the journal, whole or, as on a full disk, not at all. Checkpoints, grid rows and the result are on the disk when it
// returns; steps may be lost in a power cut, for a resumed run repeats them anyway.
func (r *Run) Append(e engine.Event) error {
	const op = "write journal"
	line, err := json.Marshal(relative(e, r.project))
	if err != nil {
		return engine.Errorf(op, r.journal.Name(), engine.Internal, "%w", err)
	}
	if len(line) >= maxLine {
		return engine.Errorf(op, r.journal.Name(), engine.Internal, "an event of %d bytes is too long", len(line))
	}
	if err := r.write(append(line, '\n')); err != nil {
		return engine.Errorf(op, r.journal.Name(), engine.BadFile, "%w", err)
	}
	switch e.Kind {
	case engine.KindCheckpoint, engine.KindGrid, engine.KindExport, engine.KindResult:
		if err := r.journal.Sync(); err != nil {
			return engine.Errorf(op, r.journal.Name(), engine.BadFile, "%w", err)
		}
	}
	return nil
}

// write appends a line to the journal. Of a line that did not fit nothing stays, lest the next one joins onto it.
func (r *Run) write(line []byte) error {
	if _, err := r.journal.Write(line); err != nil {
		return errors.Join(err, os.Truncate(r.journal.Name(), r.whole)) // by name: Windows cannot cut a file open to append
	}
	r.whole += int64(len(line))
	return nil
}

// Finish records the result of a finished or cancelled run. Its Run is left out: the journal itself tells that.
func (r *Run) Finish(result engine.Result) error {
	result.Run = engine.Run{}
	return r.Append(engine.Event{Kind: engine.KindResult, Result: &result})
}

// Close ends the writing and lets another process write to the project.
func (r *Run) Close() error {
	var err error
	if r.journal != nil {
		err = r.journal.Close()
	}
	return errors.Join(err, r.lock.Close())
}

// makeRunDir makes a folder named by the time, later than every run before it even if the clock was put back.
func makeRunDir(project string) (string, error) {
	const op = "create run"
	runs := filepath.Join(project, "runs")
	if err := os.MkdirAll(runs, 0o755); err != nil {
		return "", engine.Errorf(op, runs, engine.BadFile, "%w", err)
	}
	start := time.Now().UTC()
	names, err := runNames(project)
	if err != nil {
		return "", err
	}
	if len(names) > 0 {
		if last, err := time.Parse(timeFormat, names[len(names)-1]); err == nil && !start.After(last.Add(time.Second)) {
			start = last.Add(time.Second)
		}
	}
	for {
		dir := filepath.Join(runs, start.Format(timeFormat))
		err := os.Mkdir(dir, 0o755)
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", engine.Errorf(op, dir, engine.BadFile, "%w", err)
		}
		start = start.Add(time.Second)
	}
}
