package format

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"unsafe"

	"easel/engine"
	"easel/engine/kernel"
)

const opRead = "read weights"

// File is an open file of tensors: safetensors, or PyTorch's pickle in either of its forms. Its tensors are views of the mapped file where they can be, so none of them
// may be used after Close. A File may be read from several goroutines.
//
// The file on the disk must not be changed while it is open: a program that shortens it in place makes this process
// die (SIGBUS) at the next look at a tensor. Replacing it by renaming another over it, as Write does, is safe.
type File struct {
	path    string
	header  *header
	index   map[string]int
	data    []byte
	size    int64        // of the whole file
	mapped  bool         // data is a view of a file: memory that is let go comes back
	release func() error // ends the mapping; nil where it is not ours
}

// Open maps the file at path and checks its header. The file must not be changed or shortened until Close (see File).
// Its content says which form it has. Errors: NotFound, BadFile, and Unsupported for a pickle that asks for more than
// weights need; it executes nothing.
func Open(path string) (*File, error) {
	// Looking first keeps a named pipe from blocking.
	if info, err := os.Stat(path); err != nil {
		return nil, openError(path, err)
	} else if !info.Mode().IsRegular() {
		return nil, engine.Errorf(opRead, path, engine.BadFile, "this is no ordinary file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, openError(path, err)
	}
	defer f.Close()
	return open(f, path)
}

// Held is a file of an fs.FS that is in memory as a whole and never changes.
type Held interface {
	fs.File
	Content() string
}

// OpenFS is Open for a file of fsys. It maps the file where fsys is of the operating system (os.DirFS), leaves it where it
// is where it is Held, and reads it into memory otherwise (embed.FS).
func OpenFS(fsys fs.FS, name string) (*File, error) {
	if info, err := fs.Stat(fsys, name); err != nil {
		return nil, openError(name, err)
	} else if !info.Mode().IsRegular() {
		return nil, engine.Errorf(opRead, name, engine.BadFile, "this is no ordinary file")
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, openError(name, err)
	}
	defer f.Close()
	switch f := f.(type) {
	case *os.File:
		return open(f, f.Name())
	case Held:
		content := f.Content()
		data := unsafe.Slice(unsafe.StringData(content), len(content))
		held, err := parse(name, data, nil)
		if err == nil {
			held.mapped = ofFile(data)
		}
		return held, err
	}
	return open(f, name)
}

// Parse reads a whole file held in memory, whose tensors become views of data.
func Parse(data []byte) (*File, error) {
	return parse("", data, nil)
}

func openError(path string, err error) error {
	kind := engine.BadFile
	if errors.Is(err, fs.ErrNotExist) {
		kind = engine.NotFound
	}
	var p *fs.PathError // says the path, which the Error says already
	if errors.As(err, &p) {
		err = p.Err
	}
	return engine.Errorf(opRead, path, kind, "%w", err)
}

func open(f fs.File, path string) (*File, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, openError(path, err)
	}
	if osFile, ok := f.(*os.File); ok {
		if data, release, err := mapFile(osFile, info.Size()); err == nil {
			return parse(path, data, release)
		}
	}
	return read(f, info.Size(), path)
}

func parse(path string, data []byte, release func() error) (*File, error) {
	if isZip(data) || isStream(data) {
		return parsePickle(path, data, release)
	}
	n, err := headerLength(data, int64(len(data)))
	var h *header
	if err == nil {
		h, err = parseHeader(data[8:8+n], int64(len(data))-8-n)
	}
	if err != nil {
		if release != nil {
			release()
		}
		return nil, engine.Errorf(opRead, path, engine.BadFile, "%w", err)
	}
	return newFile(path, h, int64(len(data)), data[8+n:], release), nil
}

// read is parse for a file that cannot be mapped. The header is checked before memory for the data is taken, and
// the data begins on an aligned address whatever the header's length.
func read(r io.Reader, size int64, path string) (*File, error) {
	fail := func(err error) (*File, error) {
		return nil, engine.Errorf(opRead, path, engine.BadFile, "%w", err)
	}
	prefix := make([]byte, 8)
	k, err := io.ReadFull(r, prefix)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return fail(err)
	}
	if size <= math.MaxInt && (isZip(prefix[:k]) || isStream(prefix[:k])) {
		data := kernel.AlignedBytes(int(size))
		copy(data, prefix[:k])
		if _, err := io.ReadFull(r, data[min(k, len(data)):]); err != nil {
			return fail(err)
		}
		return parsePickle(path, data, nil)
	}
	n, err := headerLength(prefix[:k], size)
	if err != nil {
		return fail(err)
	}
	raw := make([]byte, n)
	if _, err := io.ReadFull(r, raw); err != nil {
		return fail(err)
	}
	h, err := parseHeader(raw, size-8-n)
	if err != nil {
		return fail(err)
	}
	data := kernel.AlignedBytes(int(size - 8 - n))
	if _, err := io.ReadFull(r, data); err != nil {
		return fail(err)
	}
	return newFile(path, h, size, data, nil), nil
}

func newFile(path string, h *header, size int64, data []byte, release func() error) *File {
	f := &File{path: path, header: h, index: make(map[string]int, len(h.entries)), data: data, size: size, mapped: release != nil, release: release}
	for i, e := range h.entries {
		f.index[e.name] = i
	}
	return f
}

// Path is where the file was opened; empty for Parse.
func (f *File) Path() string { return f.path }

// Names lists the tensors in the order of their data.
func (f *File) Names() []string {
	names := make([]string, len(f.header.entries))
	for i, e := range f.header.entries {
		names[i] = e.name
	}
	return names
}

// Has says whether the file holds a tensor of that name.
func (f *File) Has(name string) bool {
	_, ok := f.index[name]
	return ok
}

// Info gives a tensor's safetensors type ("F32", "I64", ...) and shape (empty for a scalar) without its data.
func (f *File) Info(name string) (dtype string, shape []int, ok bool) {
	i, ok := f.index[name]
	if !ok {
		return "", nil, false
	}
	e := f.header.entries[i]
	return e.dtype.name, append([]int(nil), e.shape...), true
}

// Metadata is the header's __metadata__, never nil. The caller must not change it.
func (f *File) Metadata() map[string]string { return f.header.metadata }

// Tensor returns one tensor, frozen. F32, F16, BF16 and I32 are views of the file where aligned, else copies; F64
// becomes F32, 8-bit floats F16, other integers and BOOL I32. Errors: NotFound; Unsupported for rarer types;
// BadFile for integers beyond 32 bits.
func (f *File) Tensor(name string) (*kernel.Tensor, error) {
	i, ok := f.index[name]
	if !ok {
		return nil, engine.Errorf(opRead, f.path, engine.NotFound, "there is no tensor %q", name)
	}
	e := f.header.entries[i]
	t, err := tensorOf(e, f.elements(e))
	if err != nil {
		kind := engine.BadFile
		if integerAt(e.dtype.name) == nil {
			kind = engine.Unsupported
		}
		return nil, engine.Errorf(opRead, f.path, kind, "tensor %q: %w", name, err)
	}
	t.Frozen = true
	t.Mapped = f.mapped && within(t.Data, f.data)
	return t, nil
}

// within says whether a slice is a part of another.
func within(part, whole []byte) bool {
	if len(part) == 0 || len(whole) == 0 {
		return false
	}
	p, w := uintptr(unsafe.Pointer(&part[0])), uintptr(unsafe.Pointer(&whole[0]))
	return p >= w && p < w+uintptr(len(whole))
}

// elements are a tensor's bytes, in order.
func (f *File) elements(e entry) []byte {
	data := f.data[e.begin:e.end:e.end]
	if e.strides != nil {
		return gather(data, int(e.dtype.bits/8), e.shape, e.strides)
	}
	return data
}

func tensorOf(e entry, data []byte) (*kernel.Tensor, error) {
	dt, ok := native[e.dtype.name]
	if !ok {
		return convert(e.dtype.name, data, e.shape)
	}
	if len(data) > 0 && uintptr(unsafe.Pointer(&data[0]))%uintptr(dt.Size()) != 0 {
		t := kernel.New(dt, e.shape...)
		copy(t.Data, data)
		return t, nil
	}
	return &kernel.Tensor{Shape: append([]int(nil), e.shape...), DType: dt, Data: data}, nil
}

// ModelHash is the lower-case hex SHA-256 of everything after the header, which kohya and A1111 call
// sshs_model_hash.
func (f *File) ModelHash() string {
	sum := sha256.Sum256(f.data)
	return hex.EncodeToString(sum[:])
}

// Close releases the mapping, or lets the memory of what is Held go. Tensors got from the file must not be used afterwards.
func (f *File) Close() error {
	release := f.release
	if f.mapped && release == nil {
		(&kernel.Tensor{Data: f.data, Mapped: true}).LetGo()
	}
	f.data, f.release = nil, nil
	if release == nil {
		return nil
	}
	return release()
}
