package caption

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"easel/engine"
	"easel/engine/internal/atomicfile"
)

// journalName is the file in a folder of pictures that tells what was changed. Training does not see it.
const journalName = ".easel-captions.jsonl"

// maxJournal is the most that is read of a journal, in bytes.
const maxJournal = 256 << 20

// record is a line of the journal: the beginning of a run, a change, or the end of a run.
type record struct {
	Begin  *begin  `json:"begin,omitempty"`
	Change *change `json:"change,omitempty"`
	End    bool    `json:"end,omitempty"`
}

type begin struct {
	Settings string `json:"settings"`
}

// change is noted before it is made: a caption that is still as Before was not changed.
type change struct {
	File    string `json:"file"` // in the folder
	Existed bool   `json:"existed"`
	Before  []byte `json:"before,omitempty"` // what the file held, in whatever encoding
	After   string `json:"after"`
}

// journal notes the changes of a run. The file is made, and the run begun in it, with the first change.
type journal struct {
	path, settings string
	whole          int64             // bytes of the file before a line that a crash tore
	last           map[string]string // caption file -> what this run wrote there before it was stopped; nil for a new run
	file           *os.File
}

// openJournal goes on with the newest run of the folder if it has the same settings and no end.
func openJournal(dir, settings string) (*journal, error) {
	j := &journal{path: filepath.Join(dir, journalName), settings: settings}
	records, size, err := readJournal(j.path)
	if err != nil {
		return nil, err
	}
	j.whole = size
	newest := records[newestRun(records):]
	if len(newest) == 0 || newest[0].Begin.Settings != settings || newest[len(newest)-1].End {
		return j, nil
	}
	j.last = map[string]string{}
	for _, r := range newest {
		if r.Change != nil {
			j.last[filepath.Join(dir, r.Change.File)] = r.Change.After
		}
	}
	return j, nil
}

// open makes the file ready for a further line.
func (j *journal) open() (err error) {
	if j.file, err = os.OpenFile(j.path, os.O_WRONLY|os.O_CREATE, 0o666); err != nil {
		return err
	}
	if err = j.file.Truncate(j.whole); err == nil {
		_, err = j.file.Seek(j.whole, io.SeekStart)
	}
	if err == nil && j.last == nil {
		err = j.append(record{Begin: &begin{j.settings}})
	}
	return err
}

// newestRun is the index of the newest run's first record.
func newestRun(records []record) int {
	for i, r := range slices.Backward(records) {
		if r.Begin != nil {
			return i
		}
	}
	return len(records)
}

// readJournal reads the lines that are whole, and how many bytes they are.
func readJournal(path string) (records []record, size int64, err error) {
	raw, _, err := read(path)
	if err == nil && len(raw) > maxJournal {
		err = engine.Errorf("read captions' journal", path, engine.BadFile, "it is too large to be one; move it away")
	}
	if err != nil {
		return nil, 0, err
	}
	for line := range bytes.Lines(raw) {
		var r record
		if !bytes.HasSuffix(line, []byte("\n")) || json.Unmarshal(line, &r) != nil || r.Change != nil && filepath.Base(r.Change.File) != r.Change.File {
			break
		}
		records = append(records, r)
		size += int64(len(line))
	}
	return records, size, nil
}

func (j *journal) append(r record) error {
	line, err := json.Marshal(r)
	if err == nil {
		_, err = j.file.Write(append(line, '\n'))
	}
	if err == nil {
		err = j.file.Sync()
	}
	return err
}

func (j *journal) note(c change) (err error) {
	if j.file == nil {
		err = j.open()
	}
	if err == nil {
		err = j.append(record{Change: &c})
	}
	if err != nil {
		return engine.Errorf(opWrite, j.path, engine.BadFile, "%w; choose a folder that you may write to", err)
	}
	return nil
}

// wrote says whether this run, before it was stopped, made the caption what it is.
func (j *journal) wrote(file, caption string) bool {
	after, ok := j.last[file]
	return ok && strings.TrimSpace(after) == caption
}

func (j *journal) close(complete bool) (err error) {
	if complete && j.file == nil && j.last != nil { // a run that was stopped, and had nothing left to do
		err = j.open()
	}
	if j.file == nil {
		return err
	}
	if complete && err == nil {
		err = j.append(record{End: true})
	}
	if err = errors.Join(err, j.file.Close()); err != nil {
		return engine.Errorf(opWrite, j.path, engine.BadFile, "%w", err)
	}
	return nil
}

// Undo takes back the newest run in a folder, and returns the caption files that are again as they were. A caption that
// was changed since stays, and is in left. A further Undo takes back the run before. Error: NotFound where there is none.
func Undo(dir string) (restored, left []string, err error) {
	path := filepath.Join(dir, journalName)
	records, _, err := readJournal(path)
	if err != nil {
		return nil, nil, err
	}
	from := newestRun(records)
	if from == len(records) {
		return nil, nil, engine.Errorf("undo captions", dir, engine.NotFound, "there is no run to take back")
	}
	for _, r := range slices.Backward(records[from:]) {
		if r.Change == nil {
			continue
		}
		file := filepath.Join(dir, r.Change.File)
		switch done, err := r.Change.undo(file); {
		case err != nil:
			return restored, left, err
		case done:
			restored = append(restored, file)
		default:
			left = append(left, file)
		}
	}
	return restored, left, keepJournal(path, records[:from])
}

// undo makes a file what it was, unless it was changed since.
func (c *change) undo(file string) (bool, error) {
	now, existed, err := read(file)
	switch {
	case err != nil:
		return false, err
	case existed == c.Existed && bytes.Equal(now, c.Before): // it never came to it, or a person did it
		return true, nil
	case !existed || strings.TrimSpace(string(now)) != strings.TrimSpace(c.After):
		return false, nil
	case !c.Existed:
		if err := os.Remove(file); err != nil {
			return false, engine.Errorf("undo captions", file, engine.BadFile, "%w", err)
		}
		return true, nil
	}
	return true, write(file, c.Before)
}

func keepJournal(path string, records []record) error {
	if len(records) == 0 {
		if err := os.Remove(path); err != nil {
			return engine.Errorf("undo captions", path, engine.BadFile, "%w", err)
		}
		return nil
	}
	return atomicfile.Write("undo captions", path, func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		for _, r := range records {
			if err := encoder.Encode(r); err != nil {
				return err
			}
		}
		return nil
	})
}
