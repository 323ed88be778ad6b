//go:build cgo && linux && amd64

package onednn

/*
#include "ez.h"
*/
import "C"

import "easel/engine/kernel"

// lossDims checks the shapes of a loss and lists its kernel's integers.
func lossDims(op string, pred, target, weight, c *kernel.Tensor, kind kernel.LossKind) (dims, error) {
	if err := need(op, same(pred, target) && len(pred.Shape) > 0 && pred.Len() > 0 && kind <= kernel.SmoothL1 && (kind == kernel.MSE || c != nil)); err != nil {
		return nil, err
	}
	batch := pred.Shape[0]
	perElement := weight != nil && weight.Len() == pred.Len()
	err := need(op, (weight == nil || perElement || weight.Len() == batch) && (c == nil || c.Len() == batch))
	return dims{batch, pred.Len() / batch, int(kind), int(flag(perElement))}, err
}

func (b *backend) Loss(out, pred, target, weight, c *kernel.Tensor, kind kernel.LossKind) error {
	n, err := lossDims("loss", pred, target, weight, c, kind)
	if err == nil {
		err = need("loss", f32(out) && out.Len() == 1)
	}
	if err != nil {
		return err
	}
	return b.call("loss", C.EZ_K_loss, tensors{out, pred, target, weight, c}, n)
}

func (b *backend) LossGrad(dpred, pred, target, weight, c *kernel.Tensor, kind kernel.LossKind) error {
	n, err := lossDims("loss gradient", pred, target, weight, c, kind)
	if err == nil {
		err = need("loss gradient", same(pred, dpred))
	}
	if err != nil {
		return err
	}
	return b.call("loss gradient", C.EZ_K_loss_grad, tensors{dpred, pred, target, weight, c}, n)
}

func (b *backend) SumSquares(x *kernel.Tensor) (float64, error) {
	if err := need("sum of squares", usable(x)); err != nil {
		return 0, err
	}
	if err := b.call("sum of squares", C.EZ_K_sum_squares, tensors{x}, dims{x.Len()}); err != nil {
		return 0, err
	}
	return float64(b.args.sum), nil
}
