//go:build cgo && linux && amd64

package onednn

/*
#include "ez.h"
*/
import "C"

import (
	"fmt"
	"time"

	"easel/engine/kernel"
)

// algorithm is a way to compute a convolution, by its name in Options.Convolution and in the file of choices.
type algorithm string

const (
	direct   algorithm = "direct"
	winograd algorithm = "winograd"
)

// convKey is what the choice of an algorithm depends on.
type convKey struct {
	shape        C.ez_conv
	y, x, weight kernel.DType
	frozen       bool
}

// String names a key in the file of choices.
func (k convKey) String() string {
	s := k.shape
	return fmt.Sprintf("%s %dx%dx%dx%d-%d y=%v x=%v w=%v frozen=%v", [...]string{"forward", "input", "weight"}[s.direction], s.b, s.h, s.w, s.i, s.o, k.y, k.x, k.weight, k.frozen)
}

// algorithmFor decides how to compute c: as Options.Convolution says, else as once measured, else by a rule.
func (b *backend) algorithmFor(op string, c convolution) (algorithm, error) {
	switch {
	case !suits(c.shape):
		return direct, nil
	case b.fixed != "":
		return b.fixed, nil
	case b.choices == nil:
		return b.usual(c), nil
	}
	key := convKey{shape: c.shape, y: c.y.DType, x: c.x.DType, weight: c.weight.DType, frozen: c.weight.Frozen}
	if a, ok := b.chosen[key]; ok {
		return a, nil
	}
	a, ok := b.choices.find(key.String())
	switch {
	case ok:
	case b.choices.closed:
		a = b.usual(c)
	default:
		faster, err := b.measured(op, c)
		if err != nil {
			return "", err
		}
		if a, ok = b.choices.keep(key.String(), faster); !ok { // the next run would not know
			a = b.usual(c)
		}
	}
	if len(b.chosen) >= maxPrimitives {
		clear(b.chosen)
	}
	b.chosen[key] = a
	return a, nil
}

// usual is the rule where nothing is measured: Winograd with as many tiles as repay the transform of the filters, more
// where the machine's direct convolution multiplies bf16.
func (b *backend) usual(c convolution) algorithm {
	tiles, enough := c.shape.b*((c.shape.h+3)/4)*((c.shape.w+3)/4), C.long(16)
	if b.computeType(c.x, c.y) == kernel.BF16 {
		enough = 64
	}
	if min(c.shape.i, c.shape.o) >= 64 && tiles >= enough {
		return winograd
	}
	return direct
}

// measured is the algorithm that is faster for c. It runs both on c's operands and writes to memory of its own.
func (b *backend) measured(op string, c convolution) (algorithm, error) {
	c.addend = nil // it may be the result
	written := c.result()
	*written = kernel.New((*written).DType, (*written).Shape...)
	if c.shape.direction != C.EZ_GRAD_WEIGHT {
		c.weight = &kernel.Tensor{Shape: c.weight.Shape, DType: c.weight.DType, Data: c.weight.Data, Frozen: c.weight.Frozen}
		defer unpack(c.weight)
	}
	defer C.ez_free_scratch() // the loser's may be larger
	best, err := race(func() error { return b.direct(op, c) }, func() error { return b.winograd(op, c) })
	if err != nil {
		return "", err
	}
	if float64(best[1]) < 0.9*float64(best[0]) { // direct is more exact
		return winograd, nil
	}
	return direct, nil
}

// race returns the shortest time of each call, made in turn, so that what else the machine does meanwhile slows both. The
// first of each does not count: it packs weights and makes primitives.
func race(calls ...func() error) ([]time.Duration, error) {
	const enough = 40 * time.Millisecond
	best := make([]time.Duration, len(calls))
	for round, total := 0, time.Duration(0); total < enough; round++ {
		for i, call := range calls {
			start := time.Now()
			if err := call(); err != nil {
				return nil, err
			}
			if d := max(time.Since(start), time.Nanosecond); round > 0 {
				total += d
				if best[i] == 0 || d < best[i] {
					best[i] = d
				}
			}
		}
	}
	return best, nil
}
