//go:build cgo && linux && amd64

package onednn

/*
#include "ez.h"
*/
import "C"

import "easel/engine/kernel"

// The algorithms of Options.Convolution.
const (
	direct   = "direct"
	winograd = "winograd"
)

// border is the only padding that Winograd's convolution knows: output and input have one size.
var border = kernel.Conv{Stride: 1, Top: 1, Left: 1, Bottom: 1, Right: 1}

// suits says whether k_winograd.h can do a convolution.
func suits(w *kernel.Tensor, c kernel.Conv) bool {
	return w.Shape[2] == 3 && w.Shape[3] == 3 && c == border
}

// prefersWinograd decides between the algorithms.
func (b *backend) prefersWinograd(w *kernel.Tensor, c kernel.Conv) bool {
	return suits(w, c) && b.fixed == winograd
}

// winograd computes y from x, or with turned the gradient y of the input from that of the output, x.
func (b *backend) winograd(op string, y, x, w, bias, add *kernel.Tensor, turned bool) error {
	s := x.Shape
	return b.call(op, C.EZ_K_winograd, tensors{y, x, w, bias, add}, dims{s[0], s[1], s[2], s[3], y.Shape[3], int(flag(turned))})
}
