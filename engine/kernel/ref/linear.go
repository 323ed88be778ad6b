package ref

import "easel/engine/kernel"

func (backend) Linear(y, x, w, bias, add *tensor, alpha float32) error {
	const op = "Linear"
	if err := floating(op, append(given(bias, add), y, x, w)...); err != nil {
		return err
	}
	in, out := x.Channels(), y.Channels()
	ok := sameRows(y, x) && isWeight(w, out, in) && (bias == nil || is(bias, out)) && (add == nil || sameShape(y, add))
	if err := fits(op, ok, y, x, w, bias, add); err != nil {
		return err
	}
	wt := transpose(rowMajor(input(w), in), out, in)
	rowsTimes(y, x, wt, bias, add, alpha)
	return nil
}

func (backend) LinearGradInput(dx, dy, w, add *tensor, alpha float32) error {
	const op = "LinearGradInput"
	if err := floating(op, append(given(add), dx, dy, w)...); err != nil {
		return err
	}
	in, out := dx.Channels(), dy.Channels()
	ok := sameRows(dx, dy) && isWeight(w, out, in) && (add == nil || sameShape(dx, add))
	if err := fits(op, ok, dx, dy, w, add); err != nil {
		return err
	}
	rowsTimes(dx, dy, rowMajor(input(w), in), nil, add, alpha)
	return nil
}

func (backend) LinearGradWeight(dw, x, dy *tensor, alpha float32) error {
	const op = "LinearGradWeight"
	if err := floating(op, x, dy); err != nil {
		return err
	}
	if err := ofType(op, kernel.F32, dw); err != nil {
		return err
	}
	in, out, rows := x.Channels(), dy.Channels(), x.Rows()
	if err := fits(op, sameRows(x, dy) && isWeight(dw, out, in), dw, x, dy); err != nil {
		return err
	}
	dyv, xv, result := input(dy), input(x), dw.F32()
	parallel(out, func(from, to int) {
		sum := make([]float64, blockRows*in)
		for o := from; o < to; o += blockRows {
			m := min(blockRows, to-o)
			clear(sum)
			addProduct(rowMajor(sum, in), matrix[float32]{dyv[min(o, len(dyv)):], 1, out}, rowMajor(xv, in), m, rows, in)
			for i, s := range sum[:m*in] {
				result[o*in+i] = float32(float64(alpha) * s)
			}
		}
	})
	return nil
}

// isWeight tells whether w is [out, in] or [out, in, 1, 1].
func isWeight(w *tensor, out, in int) bool { return is(w, out, in) || is(w, out, in, 1, 1) }

// rowsTimes sets each row of y to alpha · (row of x)·B + bias + row of add.
func rowsTimes(y, x *tensor, b matrix[float32], bias, add *tensor, alpha float32) {
	k, n := x.Channels(), y.Channels()
	xv, biasv, addv := input(x), input(bias), input(add)
	yv, store := output(y)
	parallel(y.Rows(), func(from, to int) {
		sum := make([]float64, blockRows*n)
		for r := from; r < to; r += blockRows {
			m := min(blockRows, to-r)
			clear(sum)
			addProduct(rowMajor(sum, n), rowMajor(xv[r*k:], k), b, m, k, n)
			for i := range sum[:m*n] {
				sum[i] *= float64(alpha)
			}
			finish(yv[r*n:][:m*n], sum, biasv, tail(addv, r*n))
		}
	})
	store()
}

// tail is v from an index on; nil for nil.
func tail(v []float32, from int) []float32 {
	if v == nil {
		return nil
	}
	return v[from:]
}

// finish writes sum + bias (repeated) + add to y; bias and add may be nil, add may be y.
func finish(y []float32, sum []float64, bias, add []float32) {
	for i := range y {
		s := sum[i]
		if bias != nil {
			s += float64(bias[i%len(bias)])
		}
		if add != nil {
			s += float64(add[i])
		}
		y[i] = float32(s)
	}
}

func (backend) SumRows(out, x *tensor) error {
	const op = "SumRows"
	if err := floating(op, x); err != nil {
		return err
	}
	if err := ofType(op, kernel.F32, out); err != nil {
		return err
	}
	if err := fits(op, is(out, x.Channels()), out, x); err != nil {
		return err
	}
	sumRows(out.F32(), input(x))
	return nil
}

// sumRows sets sum to the sum of the rows of x.
func sumRows(sum, x []float32) {
	acc := make([]float64, len(sum))
	for r := 0; r < len(x); r += len(acc) {
		for c, v := range x[r:][:len(acc)] {
			acc[c] += float64(v)
		}
	}
	for c, s := range acc {
		sum[c] = float32(s)
	}
}
