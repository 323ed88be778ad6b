package ref

import (
	"runtime"
	"slices"
	"sync"

	"easel/engine/kernel"
)

// input gives the values of t in float32: the data itself where t is F32, a converted copy otherwise; nil for nil.
func input(t *tensor) []float32 {
	switch {
	case t == nil:
		return nil
	case t.DType == kernel.F32:
		return t.F32()
	}
	return t.Floats()
}

// output gives a slice for t's values, and the function that stores them in t once they are all there.
func output(t *tensor) (values []float32, store func()) {
	if t.DType == kernel.F32 {
		return t.F32(), func() {}
	}
	values = make([]float32, t.Len())
	return values, func() { t.WriteF32(values) }
}

// parallel divides 0..n-1 among the processors; f does from..to-1.
func parallel(n int, f func(from, to int)) {
	workers := min(n, runtime.GOMAXPROCS(0))
	if workers <= 1 {
		f(0, n)
		return
	}
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() { f(n*w/workers, n*(w+1)/workers) })
	}
	group.Wait()
}

// is tells whether t has exactly this shape.
func is(t *tensor, shape ...int) bool { return slices.Equal(t.Shape, shape) }

// sameShape tells whether all tensors have the first one's shape.
func sameShape(first *tensor, others ...*tensor) bool {
	for _, t := range others {
		if !slices.Equal(t.Shape, first.Shape) {
			return false
		}
	}
	return true
}

// leading is a shape without its last dimension.
func leading(t *tensor) []int { return t.Shape[:max(len(t.Shape)-1, 0)] }

// sameRows tells whether all tensors have the same shape but for the channels, and at least one dimension.
func sameRows(first *tensor, others ...*tensor) bool {
	for _, t := range others {
		if len(t.Shape) == 0 || !slices.Equal(leading(t), leading(first)) {
			return false
		}
	}
	return len(first.Shape) > 0
}
