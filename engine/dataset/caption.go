package dataset

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"easel/engine"
	"easel/engine/internal/atomicfile"
)

// maxCaption is the largest caption file read, in bytes; a prompt has room for some hundred.
const maxCaption = 64 << 10

// captionExtensions are those of caption files, the preferred one first.
var captionExtensions = []string{".txt", ".caption"}

// captionRank is the place of the file's extension in captionExtensions, in any case; -1 if it is no caption file.
func captionRank(name string) int {
	for i, ext := range captionExtensions {
		if strings.EqualFold(filepath.Ext(name), ext) {
			return i
		}
	}
	return -1
}

// stem is the file's name without its extension: a picture and its caption share it.
func stem(name string) string { return strings.TrimSuffix(name, filepath.Ext(name)) }

// readCaption reads a caption file: UTF-8, or UTF-16 with a byte order mark. White space around it is cut off.
func readCaption(path string) (string, error) {
	const op = "read caption"
	f, err := openFile(op, path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return decodeCaption(op, path, f)
}

// decodeCaption is readCaption of an opened file.
func decodeCaption(op, path string, r io.Reader) (string, error) {
	marks := unicode.BOMOverride(transform.Nop)
	text, err := io.ReadAll(transform.NewReader(io.LimitReader(r, maxCaption+1), marks))
	switch {
	case err != nil:
		return "", unreadable(op, path, err)
	case len(text) > maxCaption:
		return "", engine.Errorf(op, path, engine.BadFile, "%w: more than %d bytes", NotText, maxCaption)
	case !utf8.Valid(text):
		return "", engine.Errorf(op, path, engine.BadFile, "%w: save it as UTF-8 text", NotText)
	}
	return strings.TrimSpace(string(text)), nil
}

// SaveCaption writes the caption of a picture in dir. An empty one removes the picture's caption files.
func SaveCaption(dir, picture, caption string) error {
	if caption = strings.TrimSpace(caption); caption == "" {
		return removeCaptions(dir, picture)
	}
	path := filepath.Join(dir, stem(picture)+captionExtensions[0])
	return atomicfile.Write("save caption", path, func(w io.Writer) error {
		_, err := io.WriteString(w, caption+"\n")
		return err
	})
}

func removeCaptions(dir, picture string) error {
	for _, name := range captionNames(picture) {
		path := filepath.Join(dir, name)
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return unreadable("remove caption", path, err)
		}
	}
	return nil
}

// Template is the caption of a picture without one: "a photo of a WORD CLASS", or "a photo" without both.
func Template(word, class string) string {
	subject := strings.Fields(word + " " + class)
	if len(subject) == 0 {
		return "a photo"
	}
	return "a photo of a " + strings.Join(subject, " ")
}
