//go:build cgo && linux && amd64

package onednn

/*
#include "ez.h"
*/
import "C"

import "easel/engine/kernel"

// groupDims checks the shapes of a group normalisation and lists its kernel's integers.
func groupDims(op string, x, stats *kernel.Tensor, groups int, silu bool) (dims, error) {
	if err := need(op, usable(x) && f32(stats) && len(x.Shape) > 1 && x.Len() > 0 && groups > 0 && x.Channels()%groups == 0 &&
		stats.Len() == x.Shape[0]*groups*2); err != nil {
		return nil, err
	}
	batch, c := x.Shape[0], x.Channels()
	return dims{batch, x.Len() / (batch * c), c, groups, int(flag(silu))}, nil
}

// perChannel says whether all tensors are there with one element for each of x's channels.
func perChannel(x *kernel.Tensor, ts ...*kernel.Tensor) bool {
	for _, t := range ts {
		if !usable(x, t) || t.Len() != x.Channels() {
			return false
		}
	}
	return true
}

func (b *backend) GroupNormStats(stats, x *kernel.Tensor, groups int, eps float32) error {
	const op = "group norm statistics"
	n, err := groupDims(op, x, stats, groups, false)
	if err != nil {
		return err
	}
	return b.call(op, C.EZ_K_group_stats, tensors{stats, x}, n, eps)
}

func (b *backend) GroupNorm(y, x, stats, gamma, beta *kernel.Tensor, groups int, silu bool) error {
	const op = "group norm"
	n, err := groupDims(op, x, stats, groups, silu)
	if err == nil {
		err = need(op, same(x, y) && perChannel(x, gamma, beta))
	}
	if err != nil {
		return err
	}
	return b.call(op, C.EZ_K_group_norm, tensors{y, x, stats, gamma, beta}, n)
}

func (b *backend) GroupNormGradInput(dx, x, stats, gamma, beta, dy *kernel.Tensor, groups int, silu bool) error {
	const op = "group norm gradient"
	n, err := groupDims(op, x, stats, groups, silu)
	if err == nil {
		err = need(op, same(x, dx, dy) && perChannel(x, gamma, beta))
	}
	if err != nil {
		return err
	}
	return b.call(op, C.EZ_K_group_grad_input, tensors{dx, x, stats, gamma, beta, dy}, n)
}

func (b *backend) GroupNormGradParams(dgamma, dbeta, x, stats, gamma, beta, dy *kernel.Tensor, groups int, silu bool) error {
	const op = "group norm parameters' gradient"
	n, err := groupDims(op, x, stats, groups, silu)
	if err == nil {
		err = need(op, same(x, dy) && f32(dgamma, dbeta) && perChannel(x, gamma, beta, dgamma, dbeta))
	}
	if err != nil {
		return err
	}
	return b.call(op, C.EZ_K_group_grad_params, tensors{dgamma, x, stats, gamma, beta, dy, dbeta}, n)
}

func (b *backend) LayerNorm(y, x, gamma, beta *kernel.Tensor, eps float32) error {
	if err := need("layer norm", same(x, y) && perChannel(x, gamma, beta)); err != nil {
		return err
	}
	return b.call("layer norm", C.EZ_K_layer_norm, tensors{y, x, gamma, beta}, dims{x.Rows(), x.Channels()}, eps)
}

func (b *backend) LayerNormGradInput(dx, x, gamma, dy *kernel.Tensor, eps float32) error {
	const op = "layer norm gradient"
	if err := need(op, same(x, dx, dy) && perChannel(x, gamma)); err != nil {
		return err
	}
	return b.call(op, C.EZ_K_layer_grad_input, tensors{dx, x, gamma, dy}, dims{x.Rows(), x.Channels()}, eps)
}

func (b *backend) LayerNormGradParams(dgamma, dbeta, x, dy *kernel.Tensor, eps float32) error {
	const op = "layer norm parameters' gradient"
	if err := need(op, same(x, dy) && f32(dgamma, dbeta) && perChannel(x, dgamma, dbeta)); err != nil {
		return err
	}
	return b.call(op, C.EZ_K_layer_grad_params, tensors{dgamma, dbeta, x, dy}, dims{x.Rows(), x.Channels()}, eps)
}
