package format_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"easel/engine/format"
	"easel/engine/kernel"
)

// torchObject is what torch.save would write of an object: its pickle without the last instruction, and its storages.
type torchObject struct {
	pickle   string
	storages [][]byte // the i-th has the key i
}

func unicode(s string) string {
	return string(binary.LittleEndian.AppendUint32([]byte("X"), uint32(len(s)))) + s
}

func integer(n int) string { return string(binary.LittleEndian.AppendUint32([]byte("J"), uint32(n))) }

func integers(ns []int) string {
	s := "("
	for _, n := range ns {
		s += integer(n)
	}
	return s + "t"
}

// cStrides are the strides of elements that lie one after the other.
func cStrides(shape []int) []int {
	strides := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		strides[i] = n
		n *= shape[i]
	}
	return strides
}

// tensor is the pickle of a tensor over storage key with count elements of class.
func pickledTensor(class, key string, count, offset int, shape, strides []int) string {
	return "ctorch._utils\n_rebuild_tensor_v2\n((" + unicode("storage") + "ctorch\n" + class + "\n" + unicode(key) + unicode("cpu") + integer(count) +
		"tQ" + integer(offset) + integers(shape) + integers(strides) + "\x89ccollections\nOrderedDict\n)RtR"
}

var torchClasses = map[kernel.DType]string{kernel.F32: "FloatStorage", kernel.F16: "HalfStorage", kernel.BF16: "BFloat16Storage", kernel.I32: "IntStorage"}

// stateDict writes {"state_dict": OrderedDict of tensors}, as Lightning does, among its other keys.
func stateDict(tensors ...format.Named) torchObject {
	var o torchObject
	s := "}(" + unicode("epoch") + integer(3) + unicode("callbacks") + "}(cpytorch_lightning.callbacks.model_checkpoint\nModelCheckpoint\n}u" +
		unicode("state_dict") + "ccollections\nOrderedDict\n)R("
	for _, n := range tensors {
		key := fmt.Sprint(len(o.storages))
		s += unicode(n.Name) + pickledTensor(torchClasses[n.Tensor.DType], key, n.Tensor.Len(), 0, n.Tensor.Shape, cStrides(n.Tensor.Shape))
		o.storages = append(o.storages, n.Tensor.Data[:n.Tensor.Len()*n.Tensor.DType.Size()])
	}
	o.pickle = s + "u}(" + unicode("_metadata") + "}ubu"
	return o
}

// torchZip is the file that torch writes since 1.6.
func torchZip(o torchObject) []byte { return zipOf(o, zip.Store) }

func zipOf(o torchObject, method uint16) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	member := func(name string, data []byte) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: "archive/" + name, Method: method})
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			panic(err) // a bytes.Buffer takes everything
		}
	}
	member("data.pkl", []byte("\x80\x02"+o.pickle+"."))
	member("byteorder", []byte("little"))
	for i, s := range o.storages {
		member(fmt.Sprint("data/", i), s)
	}
	member("version", []byte("3\n"))
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// torchStream is the file that torch wrote before 1.6. The storages' sizes are in elements of width bytes.
func torchStream(o torchObject, width int) []byte {
	var b bytes.Buffer
	b.WriteString("\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}(" + unicode("little_endian") + "\x88u.")
	old := strings.ReplaceAll(o.pickle, "tQ", "NtQ") // a storage's description has one more element
	b.WriteString("\x80\x02" + old + ".\x80\x02](")
	for i := range o.storages {
		b.WriteString(unicode(fmt.Sprint(i)))
	}
	b.WriteString("e.")
	for _, s := range o.storages {
		b.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(s)/width)))
		b.Write(s)
	}
	return b.Bytes()
}
