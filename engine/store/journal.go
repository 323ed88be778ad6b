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

// ReadJournal hands the events of a journal to visit, in order. Kinds of event that this Easel does not know are handed
// over too. Lines that are no event are passed over, so that a damaged journal does not hide a run's checkpoints:
// skipped counts those that an event follows. What comes after the last event was torn by a crash or a full disk;
// whole is the length in bytes up to there.
//
// The error is r's own, of kind BadFile.
func ReadJournal(r io.Reader, visit func(engine.Event)) (whole int64, skipped int, err error) {
	in := bufio.NewReader(r)
	bad := 0 // lines that are no event since the last that is
	for at := int64(0); ; {
		line, n, err := readLine(in)
		if err == io.EOF {
			return whole, skipped, nil
		}
		if err != nil {
			return whole, skipped, engine.Errorf("read journal", "", engine.BadFile, "%w", err)
		}
		at += n
		var e engine.Event
		if json.Unmarshal(line, &e) != nil || e.Kind == "" {
			bad++
			continue
		}
		visit(e)
		whole, skipped, bad = at, skipped+bad, 0
	}
}

// readLine reads a line with its end and returns its length too, for of one that is longer than an event can be it
// keeps only the beginning. A last line without an end is io.EOF.
func readLine(in *bufio.Reader) (line []byte, n int64, err error) {
	for {
		part, err := in.ReadSlice('\n')
		n += int64(len(part))
		if len(line) <= maxLine {
			line = append(line, part...)
		}
		if err != bufio.ErrBufferFull {
			return line, n, err
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
	whole, _, err := ReadJournal(f, visit)
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
	if e.Export != nil {
		export := *e.Export
		export.Path, export.Trained, export.Through = f(export.Path), f(export.Trained), f(export.Through)
		e.Export = &export
	}
	if e.Result != nil {
		result := *e.Result
		result.Export, result.Grid, result.Checkpoint = f(result.Export), f(result.Grid), f(result.Checkpoint)
		e.Result = &result
	}
	return e
}
