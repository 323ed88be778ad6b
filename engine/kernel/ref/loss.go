package ref

import (
	"math"

	"easel/engine"
	"easel/engine/kernel"
)

// regression is one loss's arguments.
type regression struct {
	pred, target, weight, c []float32
	perSample               int // elements of one sample
	kind                    kernel.LossKind
}

func newRegression(op string, pred, target, weight, c *tensor, kind kernel.LossKind) (l regression, err error) {
	if kind > kernel.SmoothL1 || (kind != kernel.MSE && c == nil) {
		return l, engine.Errorf(op, "", engine.Internal, "loss %d does not exist or lacks its parameter", kind)
	}
	if err := floating(op, append(given(weight, c), pred, target)...); err != nil {
		return l, err
	}
	if err := fits(op, len(pred.Shape) > 0 && pred.Len() > 0 && sameShape(pred, target), pred, target); err != nil {
		return l, err
	}
	b := pred.Shape[0]
	ok := (weight == nil || is(weight, b) || sameShape(pred, weight)) && (c == nil || is(c, b))
	if err := fits(op, ok, pred, target, weight, c); err != nil {
		return l, err
	}
	return regression{input(pred), input(target), input(weight), input(c), pred.Len() / b, kind}, nil
}

// weightAt is the weight of element i.
func (l regression) weightAt(i int) float64 {
	switch len(l.weight) {
	case 0:
		return 1
	case len(l.pred):
		return float64(l.weight[i])
	}
	return float64(l.weight[i/l.perSample])
}

// at returns the loss of element i and its derivative by the prediction, without the weight.
func (l regression) at(i int) (value, slope float64) {
	d := float64(l.pred[i]) - float64(l.target[i])
	if l.kind == kernel.MSE {
		return d * d, 2 * d
	}
	c := float64(l.c[i/l.perSample])
	root := math.Hypot(d, c)
	value, slope = 2*(root-c), 2*d/root
	if root == 0 {
		slope = 0
	}
	if l.kind == kernel.Huber {
		value, slope = c*value, c*slope
	}
	return value, slope
}

func (backend) Loss(out, pred, target, weight, c *tensor, kind kernel.LossKind) error {
	const op = "Loss"
	l, err := newRegression(op, pred, target, weight, c, kind)
	if err != nil {
		return err
	}
	if err := ofType(op, kernel.F32, out); err != nil {
		return err
	}
	if err := fits(op, out.Len() == 1, out); err != nil {
		return err
	}
	sum := 0.0
	for i := range l.pred {
		value, _ := l.at(i)
		sum += l.weightAt(i) * value
	}
	out.F32()[0] = float32(sum / float64(len(l.pred)))
	return nil
}

func (backend) LossGrad(dpred, pred, target, weight, c *tensor, kind kernel.LossKind) error {
	const op = "LossGrad"
	l, err := newRegression(op, pred, target, weight, c, kind)
	if err != nil {
		return err
	}
	if err := floating(op, dpred); err != nil {
		return err
	}
	if err := fits(op, sameShape(dpred, pred), dpred, pred); err != nil {
		return err
	}
	dv, store := output(dpred)
	for i := range l.pred {
		_, slope := l.at(i)
		dv[i] = float32(l.weightAt(i) * slope / float64(len(l.pred)))
	}
	store()
	return nil
}
