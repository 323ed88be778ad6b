package format

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"easel/engine/format/pickle"
)

// maxPickle bounds the description of the tensors; 2 MB is much.
const maxPickle = 64 << 20

func isZip(data []byte) bool { return bytes.HasPrefix(data, []byte("PK\x03\x04")) }

// readArchive reads the zip that torch writes since 1.6: the pickle as data.pkl, and each storage as a member of its
// own, uncompressed, below data/ (formats.md 10.1).
func readArchive(data []byte) (*header, error) {
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("the file is a damaged zip, maybe a broken download: %w", err)
	}
	members := map[string]*zip.File{}
	root := ""
	for _, m := range archive.File {
		members[m.Name] = m
		if folder, ok := strings.CutSuffix(m.Name, "data.pkl"); ok && strings.Count(folder, "/") == 1 && strings.HasSuffix(folder, "/") {
			if root != "" && root != folder {
				return nil, errors.New("the zip holds more than one data.pkl")
			}
			root = folder
		}
	}
	if root == "" {
		return nil, errors.New("the file is a zip without data.pkl; torch has not written it")
	}
	a := archiveReader{data, members, root, map[string]*storage{}}
	if order, err := a.member("byteorder"); err == nil && string(order) != "little" {
		return nil, fmt.Errorf("the numbers are in the byte order %.20q; little is needed", order)
	}
	text, err := a.member("data.pkl")
	if err != nil {
		return nil, err
	}
	if len(text) > maxPickle {
		return nil, fmt.Errorf("data.pkl is larger than %d bytes", maxPickle)
	}
	value, _, err := pickle.Read(text, a.storage)
	if err != nil {
		return nil, fmt.Errorf("data.pkl: %w", err)
	}
	return headerOf(value, len(data))
}

type archiveReader struct {
	data     []byte
	members  map[string]*zip.File
	root     string
	storages map[string]*storage
}

// span finds a member's bytes within the file.
func (a *archiveReader) span(name string) (begin, end uint64, err error) {
	m := a.members[a.root+name]
	if m == nil {
		return 0, 0, fmt.Errorf("%s is missing; the file may be a broken download", name)
	}
	if m.Method != zip.Store || m.CompressedSize64 != m.UncompressedSize64 || m.Flags&1 != 0 {
		return 0, 0, fmt.Errorf("%s is compressed, which torch does not do", name)
	}
	at, err := m.DataOffset()
	if err != nil {
		return 0, 0, fmt.Errorf("%s: %w", name, err)
	}
	if at < 0 || at > int64(len(a.data)) || m.CompressedSize64 > uint64(int64(len(a.data))-at) {
		return 0, 0, fmt.Errorf("%s: %w", name, io.ErrUnexpectedEOF)
	}
	return uint64(at), uint64(at) + m.CompressedSize64, nil
}

func (a *archiveReader) member(name string) ([]byte, error) {
	begin, end, err := a.span(name)
	if err != nil {
		return nil, err
	}
	return a.data[begin:end], nil
}

// storage is the pickle's way to a storage.
func (a *archiveReader) storage(v any) (any, error) {
	id, err := parseStorageID(v)
	if err != nil {
		return nil, err
	}
	if s := a.storages[id.key]; s != nil {
		return s, nil
	}
	begin, end, err := a.span("data/" + id.key)
	if err != nil {
		return nil, err
	}
	if size := id.count * id.dtype.bits / 8; size > end-begin {
		return nil, fmt.Errorf("storage %s has %d bytes of %d", id.key, end-begin, size)
	}
	s := &storage{dtype: id.dtype, count: id.count, begin: begin, end: end}
	a.storages[id.key] = s
	return s, nil
}
