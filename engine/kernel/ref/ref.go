// Package ref is the reference backend: every operation of kernel.Backend in plain Go, short and obviously right.
//
// Values are float32, sums are float64, and a result is rounded once, when it is stored. Other backends are tested
// against it (package kerneltest); builds without cgo compute with it.
package ref

import (
	"runtime"

	"easel/engine"
	"easel/engine/kernel"
)

type tensor = kernel.Tensor

type backend struct{}

// New returns the reference backend. It holds no memory.
func New() kernel.Backend { return backend{} }

func (backend) Name() string { return "ref" }
func (backend) Close() error { return nil }

// Threads is the number of processors that Go uses.
func (backend) Threads() int { return runtime.GOMAXPROCS(0) }

// floating returns an error unless every tensor exists, holds what its shape says, and has a floating type.
func floating(op string, tensors ...*tensor) error {
	for _, t := range tensors {
		if err := complete(op, t); err != nil {
			return err
		}
		if t.DType == kernel.I32 {
			return engine.Errorf(op, "", engine.Internal, "tensor %v is %v, want a floating type", t.Shape, t.DType)
		}
	}
	return nil
}

// ofType returns an error unless every tensor exists, holds what its shape says, and has type dt.
func ofType(op string, dt kernel.DType, tensors ...*tensor) error {
	for _, t := range tensors {
		if err := complete(op, t); err != nil {
			return err
		}
		if t.DType != dt {
			return engine.Errorf(op, "", engine.Internal, "tensor %v is %v, want %v", t.Shape, t.DType, dt)
		}
	}
	return nil
}

func complete(op string, t *tensor) error {
	if t == nil {
		return engine.Errorf(op, "", engine.Internal, "a tensor is nil")
	}
	for _, d := range t.Shape {
		if d < 0 {
			return engine.Errorf(op, "", engine.Internal, "negative dimension in %v", t.Shape)
		}
	}
	if t.DType > kernel.I32 || len(t.Data) < t.Len()*t.DType.Size() {
		return engine.Errorf(op, "", engine.Internal, "%d bytes for shape %v", len(t.Data), t.Shape)
	}
	return nil
}

// fits returns an error that lists the shapes unless ok.
func fits(op string, ok bool, tensors ...*tensor) error {
	if ok {
		return nil
	}
	var shapes [][]int
	for _, t := range tensors {
		if t != nil {
			shapes = append(shapes, t.Shape)
		}
	}
	return engine.Errorf(op, "", engine.Internal, "shapes do not fit: %v", shapes)
}

// given returns the tensors that are not nil: the optional arguments that a call has.
func given(tensors ...*tensor) []*tensor {
	var found []*tensor
	for _, t := range tensors {
		if t != nil {
			found = append(found, t)
		}
	}
	return found
}
