package store

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"easel/engine"
)

// maxLine bounds an event's length in the journal, so that a damaged file cannot take the memory.
const maxLine = 1 << 20

// ReadJournal hands the events of a journal to visit, in order, and returns the length in bytes of the lines that are
// whole. A last line that does not end, or is not an event, was torn by a crash and is ignored; such a line before the
// end is an error of kind BadFile. Kinds of event that this Easel does not know are handed over too.
func ReadJournal(r io.Reader, visit func(engine.Event)) (whole int64, err error) {
	const op = "read journal"
	in := bufio.NewReader(r)
	bad := 0 // the number of a line that is no event; only the last may be
	for n := 1; ; n++ {
		line, err := readLine(in)
		if err == io.EOF {
			return whole, nil
		}
		if err != nil {
			return whole, engine.Errorf(op, "", engine.BadFile, "line %d: %w", n, err)
		}
		if bad > 0 {
			return whole, engine.Errorf(op, "", engine.BadFile, "line %d is not an event; the file is damaged", bad)
		}
		var e engine.Event
		if json.Unmarshal(line, &e) != nil || e.Kind == "" {
			bad = n
			continue
		}
		visit(e)
		whole += int64(len(line))
	}
}

// readLine reads a line with its end. A last line without one is io.EOF.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		if err != bufio.ErrBufferFull {
			return line, err
		}
		if len(line) > maxLine {
			return nil, errors.New("longer than an event can be; the file is damaged")
		}
	}
}

// readJournalFile is ReadJournal of a file; an absent one is empty.
func readJournalFile(path string, visit func(engine.Event)) (int64, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, engine.Errorf("read journal", path, engine.BadFile, "%w", err)
	}
	defer f.Close()
	whole, err := ReadJournal(f, visit)
	var e *engine.Error
	if errors.As(err, &e) {
		e.Path = path
	}
	return whole, err
}

// relative returns e with the paths inside project made relative to it, with forward slashes.
func relative(e engine.Event, project string) engine.Event {
	return mapPaths(e, func(path string) string {
		rel, err := filepath.Rel(project, path)
		if !filepath.IsAbs(path) || err != nil || !filepath.IsLocal(rel) {
			return path
		}
		return filepath.ToSlash(rel)
	})
}

// resolve undoes relative.
func resolve(e engine.Event, project string) engine.Event {
	return mapPaths(e, func(path string) string {
		if path == "" || filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(project, filepath.FromSlash(path))
	})
}

// mapPaths returns e with f applied to the paths of what Easel wrote. The original stays as it is.
func mapPaths(e engine.Event, f func(string) string) engine.Event {
	if e.Grid != nil {
		grid := *e.Grid
		grid.Row.Pictures = make([]string, len(e.Grid.Row.Pictures))
		for i, path := range e.Grid.Row.Pictures {
			grid.Row.Pictures[i] = f(path)
		}
		e.Grid = &grid
	}
	if e.Checkpoint != nil {
		checkpoint := *e.Checkpoint
		checkpoint.Path = f(checkpoint.Path)
		e.Checkpoint = &checkpoint
	}
	if e.Result != nil {
		result := *e.Result
		result.Export, result.Grid, result.Checkpoint = f(result.Export), f(result.Grid), f(result.Checkpoint)
		e.Result = &result
	}
	return e
}
