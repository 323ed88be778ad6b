//go:build cgo && linux && amd64

package onednn

/*
#include "ez.h"
*/
import "C"

// winogradChannels is the fewest channels for Winograd: with less to multiply the transforms cost more than they save, and
// what they lose shows beside a short sum's own errors.
const winogradChannels = 16

// suits says whether k_winograd.h is for a convolution: 3x3, stride 1, output and input of one size.
func suits(d C.ez_conv) bool {
	return min(d.i, d.o) >= winogradChannels && d.kh == 3 && d.kw == 3 && d.stride == 1 && d.top == 1 && d.left == 1 && d.bottom == 1 && d.right == 1
}

// winograd runs a convolution that suits.
func (b *backend) winograd(op string, c convolution) error {
	d := c.shape
	n := dims{int(d.b), int(d.h), int(d.w), int(d.i), int(d.o), 0}
	switch d.direction {
	case C.EZ_FORWARD:
		return b.call(op, C.EZ_K_winograd, tensors{c.y, c.x, c.weight, c.bias, c.addend}, n)
	case C.EZ_GRAD_INPUT:
		n[3], n[4], n[5] = n[4], n[3], 1
		return b.call(op, C.EZ_K_winograd, tensors{c.x, c.y, c.weight, nil, nil}, n)
	}
	return b.call(op, C.EZ_K_winograd_grad, tensors{c.weight, c.x, c.y}, n)
}
