package caption

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"easel/engine"
	"easel/engine/dataset"
	"easel/engine/internal/atomicfile"
)

const opWrite = "write caption"

// Extensions are those of caption files.
var Extensions = []string{".txt", ".caption"}

// Folder puts captions beside the pictures of a folder, and remembers what it changed: a run that was stopped goes on,
// and Undo takes a run back. Captions that a person wrote change only as the policy says, and what is on the disk at the
// moment of writing counts.
type Folder struct {
	// Pictures are those that need a sentence; Kept are the others.
	Pictures, Kept []dataset.Entry
	Skipped        []dataset.Skipped

	policy    Policy
	extension string
	journal   *journal
}

// OpenFolder lists a folder. extension is that of new caption files; one that is there keeps its name. A run of the same
// settings that did not come to its end is gone on with: settings are all that decides about the captions, as text.
//
// Errors: BadInput, NotFound, BadFile.
func OpenFolder(dir string, p Policy, extension, settings string) (*Folder, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	entries, skipped, err := dataset.Entries(dir)
	if err != nil {
		return nil, err
	}
	f := &Folder{Skipped: skipped, policy: p, extension: extension}
	if f.journal, err = openJournal(dir, settings); err != nil {
		return nil, err
	}
	taken := map[string]bool{}
	for _, e := range entries {
		if e.CaptionFile == "" {
			e.CaptionFile = strings.TrimSuffix(e.Path, filepath.Ext(e.Path)) + extension
		}
		// Of two pictures with one caption file, such as cat.jpg and cat.png, the first counts.
		if taken[e.CaptionFile] || f.journal.wrote(e.CaptionFile, e.Caption) || !p.Wants(e.Caption) {
			f.Kept = append(f.Kept, e)
		} else {
			f.Pictures = append(f.Pictures, e)
		}
		taken[e.CaptionFile] = true
	}
	return f, nil
}

// Put writes the caption of a picture, made of the sentence that was found, and returns it.
func (f *Folder) Put(e dataset.Entry, sentence string) (string, Action, error) {
	raw, existed, err := read(e.CaptionFile)
	if err != nil {
		return "", Kept, err
	}
	caption := ""
	if existed {
		if caption, err = dataset.ReadCaption(e.CaptionFile); err != nil {
			return "", Kept, err
		}
	}
	text, action := f.policy.Apply(caption, sentence)
	if action == Kept {
		return text, action, nil
	}
	if err := f.journal.note(change{File: filepath.Base(e.CaptionFile), Existed: existed, Before: raw, After: text}); err != nil {
		return "", Kept, err
	}
	return text, action, write(e.CaptionFile, []byte(text+"\n"))
}

// Close ends the run. Only a complete one is not gone on with later.
func (f *Folder) Close(complete bool) error { return f.journal.close(complete) }

func read(path string) (raw []byte, existed bool, err error) {
	raw, err = os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, nil
	case err != nil:
		return nil, false, engine.Errorf("read caption", path, engine.BadFile, "%w", err)
	}
	return raw, true, nil
}

func write(path string, content []byte) error {
	return atomicfile.Write(opWrite, path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}
