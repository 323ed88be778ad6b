//go:build cgo && linux && amd64

package onednn

/*
#include "ez.h"
*/
import "C"

import "easel/engine/kernel"

// groupDims checks the shapes of a group normalisation and lists its kernel's integers.
func groupDims(op string, x, stats, gamma, beta *kernel.Tensor, groups int, silu bool) (dims, error) {
	c := x.Channels()
	if err := need(op, len(x.Shape) > 1 && x.Len() > 0 && groups > 0 && c%groups == 0 && f32(stats) && stats.Len() == x.Shape[0]*groups*2 &&
		(gamma == nil || gamma.Len() == c) && (beta == nil || beta.Len() == c)); err != nil {
		return nil, err
	}
	batch := x.Shape[0]
	return dims{batch, x.Len() / (batch * c), c, groups, int(flag(silu))}, nil
}

func (b *backend) GroupNormStats(stats, x *kernel.Tensor, groups int, eps float32) error {
	n, err := groupDims("group norm statistics", x, stats, nil, nil, groups, false)
	if err != nil {
		return err
	}
	return b.call("group norm statistics", C.EZ_K_group_stats, tensors{stats, x}, n, eps)
}

func (b *backend) GroupNorm(y, x, stats, gamma, beta *kernel.Tensor, groups int, silu bool) error {
	n, err := groupDims("group norm", x, stats, gamma, beta, groups, silu)
	if err == nil {
		err = need("group norm", y.Len() == x.Len())
	}
	if err != nil {
		return err
	}
	return b.call("group norm", C.EZ_K_group_norm, tensors{y, x, stats, gamma, beta}, n)
}

func (b *backend) GroupNormGradInput(dx, x, stats, gamma, beta, dy *kernel.Tensor, groups int, silu bool) error {
	const op = "group norm gradient"
	n, err := groupDims(op, x, stats, gamma, beta, groups, silu)
	if err == nil {
		err = need(op, dx.Len() == x.Len() && dy.Len() == x.Len())
	}
	if err != nil {
		return err
	}
	return b.call(op, C.EZ_K_group_grad_input, tensors{dx, x, stats, gamma, beta, dy}, n)
}

func (b *backend) GroupNormGradParams(dgamma, dbeta, x, stats, gamma, beta, dy *kernel.Tensor, groups int, silu bool) error {
	const op = "group norm parameters' gradient"
	n, err := groupDims(op, x, stats, gamma, beta, groups, silu)
	if err == nil {
		err = need(op, dy.Len() == x.Len() && f32(dgamma, dbeta) && dgamma.Len() == x.Channels() && dbeta.Len() == x.Channels())
	}
	if err != nil {
		return err
	}
	return b.call(op, C.EZ_K_group_grad_params, tensors{dgamma, x, stats, gamma, beta, dy, dbeta}, n)
}

func (b *backend) LayerNorm(y, x, gamma, beta *kernel.Tensor, eps float32) error {
	c := x.Channels()
	if err := need("layer norm", y.Len() == x.Len() && gamma.Len() == c && beta.Len() == c); err != nil {
		return err
	}
	return b.call("layer norm", C.EZ_K_layer_norm, tensors{y, x, gamma, beta}, dims{x.Rows(), c}, eps)
}

func (b *backend) LayerNormGradInput(dx, x, gamma, dy *kernel.Tensor, eps float32) error {
	const op = "layer norm gradient"
	if err := need(op, dx.Len() == x.Len() && dy.Len() == x.Len() && gamma.Len() == x.Channels()); err != nil {
		return err
	}
	return b.call(op, C.EZ_K_layer_grad_input, tensors{dx, x, gamma, dy}, dims{x.Rows(), x.Channels()}, eps)
}

func (b *backend) LayerNormGradParams(dgamma, dbeta, x, dy *kernel.Tensor, eps float32) error {
	const op = "layer norm parameters' gradient"
	c := x.Channels()
	if err := need(op, f32(dgamma, dbeta) && dgamma.Len() == c && dbeta.Len() == c && dy.Len() == x.Len()); err != nil {
		return err
	}
	return b.call(op, C.EZ_K_layer_grad_params, tensors{dgamma, dbeta, x, dy}, dims{x.Rows(), c}, eps)
}
