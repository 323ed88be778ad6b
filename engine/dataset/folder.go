package dataset

import (
	"errors"
	"image"
	"io/fs"
	"os"
	"slices"

	"easel/engine"
)

// folder is what lies in a folder, by name and in natural order.
type folder struct {
	others   []string          // all but captions and masks: pictures, or so it is hoped
	captions map[string]string // stem of a picture -> its caption file
	masks    map[string]string // stem of a picture -> its mask
	unused   []string          // caption files that are no picture's
}

func list(dir string) (folder, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return folder{}, engine.Errorf("load pictures", dir, engine.NotFound, "the folder cannot be read: %w", err)
	}
	f := folder{captions: map[string]string{}}
	stems := map[string]bool{}
	var captions []string
	for _, e := range entries {
		if own(e.Name()) || e.Name() == cropsName {
			continue
		}
		if captionRank(e.Name()) >= 0 && !e.IsDir() {
			captions = append(captions, e.Name())
			continue
		}
		f.others = append(f.others, e.Name())
		stems[stem(e.Name())] = true
	}
	f.separateMasks()
	slices.SortFunc(f.others, naturalCompare)
	slices.SortStableFunc(captions, func(a, b string) int { return captionRank(a) - captionRank(b) })
	for _, name := range captions {
		if s := stem(name); !stems[s] || f.captions[s] != "" {
			f.unused = append(f.unused, name)
		} else {
			f.captions[s] = name
		}
	}
	return f, nil
}

// Open decodes the picture of a path as Decode does.
func Open(path string) (*image.NRGBA, Meta, error) { return open(path) }

// open decodes the picture of a path; its errors have a Reason.
func open(path string) (*image.NRGBA, Meta, error) {
	f, err := openFile("read picture", path)
	if err != nil {
		return nil, Meta{}, err
	}
	defer f.Close()
	return Decode(f, path)
}

// openFile opens a plain file or a link to one; others are refused, because a pipe would block. op is for the errors,
// which have a Reason.
func openFile(op, path string) (*os.File, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, unreadable(op, path, err)
	case info.IsDir():
		return nil, engine.Errorf(op, path, Subfolder.kind(), "%w", Subfolder)
	case !info.Mode().IsRegular():
		return nil, unreadable(op, path, errors.New("it is not a plain file"))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(op, path, err)
	}
	return f, nil
}

func unreadable(op, path string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) { // it names the path once more
		err = p.Err
	}
	return engine.Errorf(op, path, Unreadable.kind(), "%w: %w", Unreadable, err)
}
