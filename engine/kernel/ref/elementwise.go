package ref

// each sets every element of y to f of the elements of inputs at the same place. y may be an input.
func each(op string, f func(v []float64) float64, y *tensor, inputs ...*tensor) error {
	if err := floating(op, append(inputs, y)...); err != nil {
		return err
	}
	if err := fits(op, sameShape(y, inputs...), append(inputs, y)...); err != nil {
		return err
	}
	var values [][]float32
	for _, t := range inputs {
		values = append(values, input(t))
	}
	yv, store := output(y)
	parallel(y.Len(), func(from, to int) {
		v := make([]float64, len(values))
		for i := from; i < to; i++ {
			for j := range values {
				v[j] = float64(values[j][i])
			}
			yv[i] = float32(f(v))
		}
	})
	store()
	return nil
}

func (backend) Add(y, a, b *tensor, s float32) error {
	return each("Add", func(v []float64) float64 { return v[0] + float64(s)*v[1] }, y, a, b)
}

func (backend) Mul(y, a, b *tensor) error {
	return each("Mul", func(v []float64) float64 { return v[0] * v[1] }, y, a, b)
}

func (backend) Scale(y, x *tensor, s float32) error {
	return each("Scale", func(v []float64) float64 { return float64(s) * v[0] }, y, x)
}

func (backend) Convert(y, x *tensor) error {
	const op = "Convert"
	if err := floating(op, y, x); err != nil {
		return err
	}
	if err := fits(op, sameShape(y, x), y, x); err != nil {
		return err
	}
	y.WriteF32(input(x))
	return nil
}

func (backend) AddChannels(y, x, t *tensor) error {
	const op = "AddChannels"
	if err := floating(op, y, x, t); err != nil {
		return err
	}
	c := x.Channels()
	ok := len(x.Shape) > 0 && sameShape(y, x) && (is(t, c) || len(x.Shape) > 1 && is(t, x.Shape[0], c))
	if err := fits(op, ok, y, x, t); err != nil {
		return err
	}
	rows, perSample := x.Rows(), x.Rows() // t [c]: one "sample"
	if len(t.Shape) == 2 {
		perSample = rows / max(x.Shape[0], 1)
	}
	xv, tv := input(x), input(t)
	yv, store := output(y)
	for r := range rows {
		add := tv[r/perSample*c:][:c]
		for i, a := range add {
			yv[r*c+i] = xv[r*c+i] + a
		}
	}
	store()
	return nil
}

func (backend) SumPixels(out, x *tensor) error {
	const op = "SumPixels"
	if err := floating(op, out, x); err != nil {
		return err
	}
	c := x.Channels()
	if err := fits(op, len(x.Shape) > 1 && is(out, x.Shape[0], c), out, x); err != nil {
		return err
	}
	xv := input(x)
	sums, store := output(out)
	size := len(xv) / max(x.Shape[0], 1)
	for b := range x.Shape[0] {
		sumRows(sums[b*c:][:c], xv[b*size:][:size])
	}
	store()
	return nil
}

func (backend) Softmax(y, x *tensor) error {
	const op = "Softmax"
	if err := floating(op, y, x); err != nil {
		return err
	}
	if err := fits(op, sameShape(y, x), y, x); err != nil {
		return err
	}
	c, xv := x.Channels(), input(x)
	yv, store := output(y)
	parallel(x.Rows(), func(from, to int) {
		row := make([]float64, c)
		for r := from; r < to; r++ {
			widen(row, xv[r*c:])
			softmax(row)
			finish(yv[r*c:][:c], row, nil, nil)
		}
	})
	store()
	return nil
}

func (backend) SoftmaxGrad(dx, y, dy *tensor) error {
	const op = "SoftmaxGrad"
	if err := floating(op, dx, y, dy); err != nil {
		return err
	}
	if err := fits(op, sameShape(dx, y, dy), dx, y, dy); err != nil {
		return err
	}
	c, yv, dyv := y.Channels(), input(y), input(dy)
	dxv, store := output(dx)
	parallel(y.Rows(), func(from, to int) {
		p, d := make([]float64, c), make([]float64, c)
		for r := from; r < to; r++ {
			widen(p, yv[r*c:])
			widen(d, dyv[r*c:])
			softmaxGradient(d, p, 1)
			finish(dxv[r*c:][:c], d, nil, nil)
		}
	})
	store()
	return nil
}

func widen(to []float64, from []float32) {
	for i := range to {
		to[i] = float64(from[i])
	}
}

func (backend) SumSquares(x *tensor) (float64, error) {
	if err := floating("SumSquares", x); err != nil {
		return 0, err
	}
	sum := 0.0
	for _, v := range input(x) {
		sum += float64(v) * float64(v)
	}
	return sum, nil
}
