package dataset

import (
	"path/filepath"
	"strings"
)

// Entry is a file of a folder that may be a picture, and its caption.
type Entry struct {
	Path        string
	CaptionFile string // "" where there is none
	Caption     string // without white space around it
}

// Entries lists a folder without decoding its pictures, in natural order. Caption files that cannot be read or are no
// picture's, and folders, are in the second result. Error: NotFound.
func Entries(dir string) ([]Entry, []Skipped, error) {
	folder, err := list(dir)
	if err != nil {
		return nil, nil, err
	}
	set := &Set{}
	for _, name := range folder.unused {
		set.skip(filepath.Join(dir, name), Unused)
	}
	var entries []Entry
	for _, name := range folder.others {
		e := Entry{Path: filepath.Join(dir, name)}
		if file, ok := folder.captions[stem(name)]; ok {
			e.CaptionFile = filepath.Join(dir, file)
			if e.Caption, err = readCaption(e.CaptionFile); err != nil {
				set.skip(e.CaptionFile, err)
				continue // what cannot be read must not be written over
			}
		}
		entries = append(entries, e)
	}
	return entries, set.Skipped, nil
}

// ReadCaption reads a caption file: UTF-8, or UTF-16 with a byte order mark. Its errors have a Reason.
func ReadCaption(path string) (string, error) { return readCaption(path) }

// ownPrefix begins the names of files that Easel keeps in a folder of pictures for itself.
const ownPrefix = ".easel-"

func own(name string) bool { return strings.HasPrefix(name, ownPrefix) }
