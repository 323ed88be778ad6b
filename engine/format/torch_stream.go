package format

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"easel/engine/format/pickle"
)

// streamMagic begins the files of torch before 1.6: protocol 2, and a long of ten bytes.
const (
	streamLong  = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
	streamMagic = "\x8a\x0a" + streamLong
)

// isStream looks at the first bytes: those of a safetensors file would state a header beyond any limit.
func isStream(data []byte) bool {
	return len(data) > 2 && data[0] == 0x80 && bytes.HasPrefix(data[2:], []byte(streamMagic)[:min(len(data)-2, len(streamMagic))])
}

// readStream reads the files of torch before 1.6: pickles of a magic number, a version, the system, the object and the
// keys of its storages, then each storage behind its number of elements (formats.md 10.6).
func readStream(data []byte) (*header, error) {
	r := streamReader{data: data, storages: map[string]*storage{}}
	magic, err := r.next(nil)
	if err != nil || magic != pickle.Long(streamLong) {
		return nil, errors.Join(errors.New("torch has not written this pickle"), err)
	}
	if version, err := r.next(nil); err != nil || version != int64(1001) {
		return nil, errors.Join(fmt.Errorf("version %v of torch's stream is not known", version), err)
	}
	system, err := r.next(nil)
	if err != nil {
		return nil, err
	}
	if d, ok := system.(*pickle.Dict); ok {
		if little, _ := d.Get("little_endian"); little == false {
			return nil, errors.New("the numbers are big-endian; little is needed")
		}
	}
	root, err := r.next(r.storage)
	if err != nil {
		return nil, err
	}
	keys, err := r.next(nil)
	if err != nil {
		return nil, err
	}
	list, ok := keys.(*pickle.List)
	if !ok {
		return nil, errors.New("the list of storages is missing")
	}
	if err := r.place(list.Items); err != nil {
		return nil, err
	}
	return headerOf(root, len(data))
}

type streamReader struct {
	data     []byte
	at       int
	storages map[string]*storage // by key; their places are found at the end
	views    []storageView
}

// next reads one pickle.
func (r *streamReader) next(persistent pickle.Persistent) (any, error) {
	v, n, err := pickle.Read(r.data[r.at:min(len(r.data), r.at+maxPickle)], persistent)
	r.at += n
	return v, err
}

func (r *streamReader) storage(v any) (any, error) {
	id, err := parseStorageID(v)
	if err != nil {
		return nil, err
	}
	s := r.storages[id.key]
	if s == nil {
		s = &storage{dtype: id.dtype, count: id.count}
		r.storages[id.key] = s
	}
	if id.view == nil {
		return s, nil
	}
	return r.view(s, id.view)
}

// storageView is a part of a storage, from the element offset on.
type storageView struct {
	*storage
	of     *storage
	offset uint64
}

// view makes a storage of a part of another: (key, offset, numel).
func (r *streamReader) view(of *storage, parts pickle.Tuple) (*storage, error) {
	if len(parts) != 3 {
		return nil, errors.New("a part of a storage is damaged")
	}
	offset, ok1 := parts[1].(int64)
	count, ok2 := parts[2].(int64)
	if !ok1 || !ok2 || offset < 0 || count < 0 || uint64(offset) > of.count || uint64(count) > of.count-uint64(offset) {
		return nil, errors.New("a part of a storage reaches beyond it")
	}
	v := storageView{&storage{dtype: of.dtype, count: uint64(count)}, of, uint64(offset)}
	r.views = append(r.views, v)
	return v.storage, nil
}

// place finds the storages behind the pickles.
func (r *streamReader) place(keys []any) error {
	placed := 0
	for _, key := range keys {
		name, _ := key.(string)
		s := r.storages[name]
		if s == nil || s.end > 0 {
			return fmt.Errorf("storage %.40q is not known, or there twice", name)
		}
		if len(r.data)-r.at < 8 {
			return errors.New("the file is cut off; it may be a broken download")
		}
		count := binary.LittleEndian.Uint64(r.data[r.at:])
		r.at += 8
		size := s.count * s.dtype.bits / 8
		if count != s.count {
			return fmt.Errorf("storage %s has %d elements where %d are expected; the file is damaged", name, count, s.count)
		}
		if size > uint64(len(r.data)-r.at) {
			return fmt.Errorf("the file is cut off within storage %s; it may be a broken download", name)
		}
		s.begin = uint64(r.at)
		s.end = s.begin + size
		r.at += int(size)
		placed++
	}
	if placed < len(r.storages) {
		return fmt.Errorf("%d storages are missing", len(r.storages)-placed)
	}
	for _, v := range r.views {
		width := v.dtype.bits / 8
		v.begin = v.of.begin + v.offset*width
		v.end = v.begin + v.count*width
	}
	return nil
}
