package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"easel/engine"
)

// Reason says why a file is not used. It is in the chain of the *engine.Error that Decode returns; errors.As finds it.
type Reason string

// The reasons that lie in a picture file, then those that lie in its folder.
const (
	Empty       Reason = "empty"         // no bytes
	NotAPicture Reason = "not_a_picture" // no picture format is recognised
	Unsupported Reason = "unsupported"   // a picture of a kind that is not read
	TooLarge    Reason = "too_large"     // more pixels or bytes than is sensible
	Truncated   Reason = "truncated"     // the file ends too early
	Damaged     Reason = "damaged"       // complete but contradictory

	Unreadable Reason = "unreadable" // the system does not hand the file out
	Subfolder  Reason = "subfolder"  // folders inside the folder are not followed
	Unused     Reason = "unused"     // a caption file without a picture, or a second one
	NotText    Reason = "not_text"   // a caption file that cannot be a caption
)

var reasonTexts = map[Reason]string{
	Empty:       "the file is empty",
	NotAPicture: "this is not a picture; use JPEG, PNG, WebP, GIF, TIFF or BMP",
	Unsupported: "this kind of picture cannot be read",
	TooLarge:    "the picture is too large",
	Truncated:   "the file ends in the middle of the picture; copy it again from where it came",
	Damaged:     "the file is damaged; copy it again or save it anew in a picture editor",
	Unreadable:  "the file cannot be read",
	Subfolder:   "folders inside the folder are not searched; move the pictures up",
	NotText:     "this is not the text of a caption",
	Unused:      "this caption file belongs to no picture of the same name, or the picture has another",
}

// Error is the reason in words.
func (r Reason) Error() string { return reasonTexts[r] }

// kind is the engine's kind for the reason.
func (r Reason) kind() engine.Kind {
	switch r {
	case TooLarge, Unsupported:
		return engine.Unsupported
	case Unreadable:
		return engine.NotFound
	}
	return engine.BadFile
}

// ReasonOf is the Reason in err's chain, "" if there is none.
func ReasonOf(err error) Reason {
	var r Reason
	errors.As(err, &r)
	return r
}

// reasonText is an error in words, without the operation and path that an *engine.Error names.
func reasonText(err error) string {
	var e *engine.Error
	if errors.As(err, &e) && e.Err != nil {
		err = e.Err
	}
	return err.Error()
}

// drained notes whether all of a file has been read and more was asked for. The decoders tell a file that is cut off
// in many different words, or as damage; that they wanted more than there is, is the sure sign.
//
// It hands out ReadAt for the TIFF decoder, which without it takes memory up to any offset that a file names.
type drained struct {
	data *bytes.Reader
	all  []byte // what data reads
	dry  bool
}

func newDrained(all []byte) *drained { return &drained{data: bytes.NewReader(all), all: all} }

// whole makes a decoder that wants all bytes at once one of a drained file, without a copy.
func whole[T any](decode func([]byte) (T, error)) func(*drained) (T, error) {
	return func(d *drained) (T, error) { return decode(d.all) }
}

// stream is whole for a decoder that reads.
func stream[T any](decode func(io.Reader) (T, error)) func(*drained) (T, error) {
	return func(d *drained) (T, error) { return decode(d) }
}

func (d *drained) Read(p []byte) (int, error) {
	n, err := d.data.Read(p)
	d.dry = d.dry || err == io.EOF
	return n, err
}

func (d *drained) ReadAt(p []byte, at int64) (int, error) {
	n, err := d.data.ReadAt(p, at)
	d.dry = d.dry || err == io.EOF
	return n, err
}

// explain puts a Reason before a decoder's error; dry tells that the file's bytes did not suffice.
func explain(err error, dry bool) error {
	var (
		j jpeg.UnsupportedError
		p png.UnsupportedError
		t tiff.UnsupportedError
	)
	switch {
	case err == nil || ReasonOf(err) != "":
		return err
	case errors.As(err, &j), errors.As(err, &p), errors.As(err, &t), errors.Is(err, bmp.ErrUnsupported):
		return fmt.Errorf("%w (%w)", Unsupported, err)
	case dry, errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w (%w)", Truncated, err)
	}
	return fmt.Errorf("%w (%w)", Damaged, err)
}

// foreign are the first bytes of pictures that are recognised but not read; '?' stands for any byte.
var foreign = []struct{ magic, name string }{
	{"????ftyphe", "HEIC"}, {"????ftypmif1", "HEIC"}, {"????ftypmsf1", "HEIC"},
	{"????ftypavi", "AVIF"}, {"????ftypcrx ", "camera raw"}, {"II*\x00????CR", "camera raw"}, {"FUJIFILMCCD-RAW", "camera raw"},
	{"\xff\x0a", "JPEG XL"}, {"\x00\x00\x00\x0cJXL ", "JPEG XL"}, {"\x00\x00\x00\x0cjP  ", "JPEG 2000"},
	{"8BPS", "Photoshop"}, {"gimp xcf", "GIMP"}, {"v/1\x01", "OpenEXR"},
}

// foreignName names the kind of an unsupported picture, "" if it is none.
func foreignName(head []byte) string {
	for _, f := range foreign {
		if hasMagic(head, f.magic) {
			return f.name
		}
	}
	return ""
}

// hasMagic reports whether head begins with magic, in which '?' stands for any byte.
func hasMagic(head []byte, magic string) bool {
	if len(head) < len(magic) {
		return false
	}
	masked := bytes.Clone(head[:len(magic)])
	for i := range masked {
		if magic[i] == '?' {
			masked[i] = '?'
		}
	}
	return string(masked) == magic
}
