package kernel_test

import (
	"math"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"easel/engine/kernel"
)

func TestTensorSizes(t *testing.T) {
	for _, c := range []struct {
		shape               []int
		len, rows, channels int
	}{
		{nil, 1, 1, 1}, {[]int{7}, 7, 1, 7}, {[]int{2, 3, 5}, 30, 6, 5}, {[]int{0, 4}, 0, 0, 4}, {[]int{3, 0}, 0, 0, 0},
	} {
		for _, dt := range []kernel.DType{kernel.F32, kernel.BF16, kernel.F16, kernel.I32} {
			x := kernel.New(dt, c.shape...)
			got := []int{x.Len(), x.Rows(), x.Channels(), len(x.Data)}
			if diff := cmp.Diff([]int{c.len, c.rows, c.channels, c.len * dt.Size()}, got); diff != "" {
				t.Errorf("%v %v: %s", dt, c.shape, diff)
			}
		}
	}
}

func TestNewIsAlignedAndKeepsItsOwnShape(t *testing.T) {
	shape := []int{3, 5}
	for range 20 {
		x := kernel.New(kernel.F32, shape...)
		if at := uintptr(unsafe.Pointer(&x.Data[0])); at%64 != 0 {
			t.Errorf("data at %#x", at)
		}
		for _, v := range x.F32() {
			if v != 0 {
				t.Error("not zeroed")
			}
		}
		x.Shape[0] = 1
	}
	if shape[0] != 3 {
		t.Error("the shape is shared")
	}
	if n := len(kernel.AlignedBytes(0)); n != 0 {
		t.Errorf("AlignedBytes(0) has %d bytes", n)
	}
}

func TestFromF32SharesItsValues(t *testing.T) {
	v := []float32{1, 2, 3, 4, 5, 6}
	x := kernel.FromF32(v, 2, 3)
	v[4] = -1
	if diff := cmp.Diff([]float32{1, 2, 3, 4, -1, 6}, x.F32()); diff != "" {
		t.Error(diff)
	}
	if kernel.FromF32(nil, 0, 3).Len() != 0 {
		t.Error("an empty tensor has elements")
	}
	mustPanic(t, "a wrong shape", func() { kernel.FromF32(v, 7) })
}

func TestViewsOfAnotherTypePanic(t *testing.T) {
	x := kernel.New(kernel.BF16, 2)
	mustPanic(t, "F32 of bf16", func() { x.F32() })
	mustPanic(t, "I32 of bf16", func() { x.I32() })
	mustPanic(t, "U16 of f32", func() { kernel.New(kernel.F32, 2).U16() })
}

func mustPanic(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: no panic", what)
		}
	}()
	f()
}

func TestConvert(t *testing.T) {
	x := kernel.FromF32([]float32{1, -2.5, 0x1.01p0, 1e-7, 70000, 3}, 2, 3)
	for dt, want := range map[kernel.DType][]float32{
		kernel.F32:  {1, -2.5, 0x1.01p0, 1e-7, 70000, 3},
		kernel.BF16: {1, -2.5, 1, kernel.BF16ToF32(kernel.F32ToBF16(1e-7)), 70144, 3},
		kernel.F16:  {1, -2.5, 0x1.01p0, 0x1p-23, float32(math.Inf(1)), 3},
	} {
		y := x.Convert(dt)
		if diff := cmp.Diff(want, y.Floats()); diff != "" || y.DType != dt {
			t.Errorf("%v: %s", y.DType, diff)
		}
		if diff := cmp.Diff(y.Data, y.Convert(kernel.F32).Convert(dt).Data); diff != "" {
			t.Errorf("%v through f32: %s", dt, diff)
		}
		if diff := cmp.Diff(y.Convert(kernel.BF16).Floats(), y.Convert(kernel.F32).Convert(kernel.BF16).Floats()); diff != "" {
			t.Errorf("%v to bf16: %s", dt, diff)
		}
	}
	indices := kernel.New(kernel.I32, 3)
	indices.WriteF32([]float32{3, 0, 49407})
	if diff := cmp.Diff([]float32{3, 0, 49407}, indices.Convert(kernel.F32).F32()); diff != "" {
		t.Error(diff)
	}
}

func TestCloneIsIndependent(t *testing.T) {
	x := kernel.FromF32([]float32{1, 2}, 2)
	x.Frozen, x.Packed = true, "packed"
	c := x.Clone()
	c.F32()[0] = 9
	if x.F32()[0] != 1 || c.Frozen || c.Packed != nil {
		t.Errorf("clone %+v of %+v", c, x)
	}
	c = x.Convert(kernel.F32)
	c.F32()[0] = 9
	if x.F32()[0] != 1 {
		t.Error("Convert to the same type shares memory")
	}
}

func TestOutSize(t *testing.T) {
	for _, c := range []struct {
		conv         kernel.Conv
		h, w, kh, kw int
		oh, ow       int
	}{
		{kernel.Conv{Stride: 1, Top: 1, Left: 1, Bottom: 1, Right: 1}, 9, 11, 3, 3, 9, 11},
		{kernel.Conv{Stride: 2, Top: 1, Left: 1, Bottom: 1, Right: 1}, 9, 12, 3, 3, 5, 6},
		{kernel.Conv{Stride: 2, Bottom: 1, Right: 1}, 8, 10, 3, 3, 4, 5},
		{kernel.Conv{Stride: 16}, 32, 48, 16, 16, 2, 3},
	} {
		if oh, ow := c.conv.OutSize(c.h, c.w, c.kh, c.kw); oh != c.oh || ow != c.ow {
			t.Errorf("%+v: %dx%d, want %dx%d", c, oh, ow, c.oh, c.ow)
		}
	}
}
