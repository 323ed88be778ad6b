package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"easel/engine"
	"easel/engine/internal/atomicfile"
)

// maxImported is how many files one import looks at.
const maxImported = 10_000

// Import copies the pictures of files, folders and ZIP archives, with their captions, into dir. What a file is, its
// content decides. Names that are taken get a number; a picture that is there already, byte for byte, is not copied again.
// model says whether a path is a model's. found hears of every file but those that systems hide; an error ends the import,
// and is Cancelled where ctx has ended.
func Import(ctx context.Context, dir string, paths []string, model func(path string) (engine.FileInfo, bool), found func(engine.Imported)) error {
	im := &importer{ctx: ctx, dir: dir, model: model, found: found, stems: map[string]bool{}, sizes: map[int64][]string{}}
	if err := im.begin(); err != nil {
		return err
	}
	for _, p := range paths {
		if err := im.path(p); err != nil {
			return err
		}
	}
	return nil
}

type importer struct {
	ctx   context.Context
	dir   string
	model func(path string) (engine.FileInfo, bool)
	found func(engine.Imported)
	stems map[string]bool    // taken, in lower case
	sizes map[int64][]string // bytes -> names of the files in dir
	seen  int
}

// begin notes what dir holds.
func (im *importer) begin() error {
	if err := os.MkdirAll(im.dir, 0o777); err != nil {
		return engine.Errorf("import pictures", im.dir, engine.BadFile, "%w; choose a folder that you may write to", err)
	}
	entries, err := os.ReadDir(im.dir)
	if err != nil {
		return unreadable("import pictures", im.dir, err)
	}
	for _, e := range entries {
		im.stems[strings.ToLower(stem(e.Name()))] = true
		if info, err := e.Info(); err == nil && captionRank(e.Name()) < 0 {
			im.sizes[info.Size()] = append(im.sizes[info.Size()], e.Name())
		}
	}
	return nil
}

// path imports what a user named.
func (im *importer) path(p string) error {
	info, err := os.Stat(p)
	switch {
	case err != nil:
		im.refuse(p, errors.New("it cannot be found; save a picture from a web page first, then add the file"))
		return nil
	case info.IsDir():
		if about, ok := im.model(p); ok {
			im.found(engine.Imported{Source: p, Model: &about})
			return nil
		}
		return im.tree(tree{FS: os.DirFS(p), dir: p}, ".")
	}
	return im.tree(tree{FS: os.DirFS(filepath.Dir(p)), dir: filepath.Dir(p)}, filepath.Base(p))
}

// tree is a folder on disk, or an archive.
type tree struct {
	fs.FS
	dir     string // on disk; "" for an archive's
	archive string // path of the archive
}

// source names a file for people.
func (t tree) source(name string) string {
	if t.archive != "" {
		return t.archive + ": " + name
	}
	return filepath.Join(t.dir, filepath.FromSlash(name))
}

// tree imports root and what lies below it. Links to folders are not followed.
func (im *importer) tree(t tree, root string) error {
	return fs.WalkDir(t, root, func(name string, d fs.DirEntry, err error) error {
		if ended := im.ctx.Err(); ended != nil {
			return engine.Errorf("import pictures", im.dir, engine.Cancelled, "%w", ended)
		}
		switch {
		case err != nil:
			im.refuse(t.source(name), err)
		case name != root && systemFile(d.Name()):
			if d.IsDir() {
				return fs.SkipDir
			}
		case !d.IsDir():
			return im.file(t, name)
		}
		return nil
	})
}

// systemFile knows what systems put beside pictures without being asked.
func systemFile(name string) bool {
	switch strings.ToLower(name) {
	case "thumbs.db", "desktop.ini", "__macosx", cropsName:
		return true
	}
	return strings.HasPrefix(name, ".")
}

// file imports one file. Only what makes going on senseless is an error.
func (im *importer) file(t tree, name string) error {
	if im.seen++; im.seen > maxImported {
		return engine.Errorf("import pictures", im.dir, engine.BadInput, "these are more than %d files; add fewer at a time", maxImported)
	}
	head, err := t.head(name)
	if err != nil {
		im.refuse(t.source(name), err)
		return nil
	}
	f, notPicture := formatOf(head)
	switch {
	case notPicture == nil:
		return im.picture(t, name, f)
	case captionRank(name) >= 0:
		return im.caption(t, name)
	}
	if t.archive == "" {
		p := t.source(name)
		if about, ok := im.model(p); ok {
			im.found(engine.Imported{Source: p, Model: &about})
			return nil
		}
		if bytes.HasPrefix(head, []byte("PK\x03\x04")) {
			return im.zip(p)
		}
	}
	im.refuse(t.source(name), notPicture)
	return nil
}

// head reads the first bytes of a plain file.
func (t tree) head(name string) ([]byte, error) {
	info, err := fs.Stat(t, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a plain file")
	}
	f, err := t.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, magicBytes))
	if err != nil {
		return nil, err
	}
	return head, nil
}

// picture copies a picture and its caption.
func (im *importer) picture(t tree, name string, f format) error {
	source := t.source(name)
	if twin := im.twin(t, name); twin != "" {
		im.refuse(source, fmt.Errorf("it is here already, as %s", twin))
		return nil
	}
	target := im.free(path.Base(name), f)
	size, err := im.copy(t, name, target)
	if err != nil {
		if os.IsPermission(err) || errors.Is(err, errDisk) {
			return err
		}
		im.refuse(source, err)
		return nil
	}
	im.stems[strings.ToLower(stem(target))] = true
	im.sizes[size] = append(im.sizes[size], target)
	for _, ext := range captionExtensions {
		if stem(name)+ext == name { // a picture that is called like a caption
			continue
		}
		text, err := t.caption(stem(name) + ext)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = SaveCaption(im.dir, target, text)
		}
		if err != nil {
			im.refuse(t.source(stem(name)+ext), err)
		}
		break
	}
	im.found(engine.Imported{Source: source, Name: target})
	return nil
}

// caption deals with a caption file. One with a picture beside it comes with the picture.
func (im *importer) caption(t tree, name string) error {
	siblings, err := fs.ReadDir(t, path.Dir(name))
	if err == nil {
		for _, s := range siblings {
			if captionRank(s.Name()) < 0 && stem(s.Name()) == stem(path.Base(name)) {
				return nil
			}
		}
	}
	im.refuse(t.source(name), Unused)
	return nil
}

// caption reads a caption file; its error is fs.ErrNotExist where there is none.
func (t tree) caption(name string) (string, error) {
	f, err := t.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return decodeCaption("read caption", t.source(name), f)
}

// errDisk is that dir cannot be written to.
var errDisk = errors.New("the picture cannot be saved")

// copy copies a file into dir and returns its size.
func (im *importer) copy(t tree, name, target string) (int64, error) {
	in, err := t.Open(name)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	var size int64
	var reading error
	err = atomicfile.Write("import picture", filepath.Join(im.dir, target), func(w io.Writer) error {
		size, reading = io.Copy(w, &limited{r: in, left: maxBytes})
		return reading
	})
	if err != nil && reading == nil {
		err = fmt.Errorf("%w: %w", errDisk, err)
	}
	return size, err
}

// limited reads at most left bytes; a longer file is an error. What an archive says about sizes is not relied upon.
type limited struct {
	r    io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, tooManyBytes()
	}
	return n, err
}

// free is a name for a picture that no other has, nor one with another extension: captions go by the rest of the name.
func (im *importer) free(name string, f format) string {
	ext := filepath.Ext(name)
	if captionRank(name) >= 0 || ext == "" {
		ext = "." + f.name
	}
	base := stem(name)
	target := base + ext
	for n := 2; im.stems[strings.ToLower(stem(target))]; n++ {
		target = fmt.Sprintf("%s-%d%s", base, n, ext)
	}
	return target
}

// twin is the name of a file in dir with the same bytes, "" without one.
func (im *importer) twin(t tree, name string) string {
	info, err := fs.Stat(t, name)
	if err != nil {
		return ""
	}
	for _, other := range im.sizes[info.Size()] {
		if t.same(name, filepath.Join(im.dir, other)) {
			return other
		}
	}
	return ""
}

// same tells whether a file has the bytes of another one on disk.
func (t tree) same(name, disk string) bool {
	a, err := t.Open(name)
	if err != nil {
		return false
	}
	defer a.Close()
	b, err := os.Open(disk)
	if err != nil {
		return false
	}
	defer b.Close()
	var p, q [32 << 10]byte
	for {
		n, errA := io.ReadFull(a, p[:])
		m, errB := io.ReadFull(b, q[:])
		if n != m || !bytes.Equal(p[:n], q[:m]) {
			return false
		}
		if errA != nil || errB != nil {
			return errA == errB && (errA == io.EOF || errA == io.ErrUnexpectedEOF)
		}
	}
}

// refuse tells that a file was not taken.
func (im *importer) refuse(source string, err error) {
	var p *fs.PathError
	if errors.As(err, &p) { // it names the file, which is told already
		err = p.Err
	}
	im.found(engine.Imported{Source: source, Why: reasonText(err)})
}
