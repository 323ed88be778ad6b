package ref

func (backend) Concat(y, a, b *tensor) error {
	const op = "Concat"
	if err := floating(op, y, a, b); err != nil {
		return err
	}
	ca, cb := a.Channels(), b.Channels()
	if err := fits(op, sameRows(y, a, b) && y.Channels() == ca+cb, y, a, b); err != nil {
		return err
	}
	av, bv := input(a), input(b)
	yv, store := output(y)
	for r := range y.Rows() {
		row := yv[r*(ca+cb):]
		copy(row, av[r*ca:][:ca])
		copy(row[ca:], bv[r*cb:][:cb])
	}
	store()
	return nil
}

func (backend) SliceChannels(y, x *tensor, from int) error {
	const op = "SliceChannels"
	if err := floating(op, y, x); err != nil {
		return err
	}
	c, cx := y.Channels(), x.Channels()
	if err := fits(op, sameRows(y, x) && from >= 0 && from <= cx-c, y, x); err != nil {
		return err
	}
	xv := input(x)
	yv, store := output(y)
	for r := range y.Rows() {
		copy(yv[r*c:][:c], xv[r*cx+from:])
	}
	store()
	return nil
}

func (backend) UpsampleNearest(y, x *tensor) error {
	const op = "UpsampleNearest"
	if err := floating(op, y, x); err != nil {
		return err
	}
	if err := fits(op, upsamples(y, x), y, x); err != nil {
		return err
	}
	c, xv := x.Channels(), input(x)
	yv, store := output(y)
	forCopies(y, x, func(to, from int) { copy(yv[to*c:][:c], xv[from*c:]) })
	store()
	return nil
}

func (backend) UpsampleNearestGrad(dx, dy *tensor) error {
	const op = "UpsampleNearestGrad"
	if err := floating(op, dx, dy); err != nil {
		return err
	}
	if err := fits(op, upsamples(dy, dx), dx, dy); err != nil {
		return err
	}
	c, dyv, sum := dx.Channels(), input(dy), make([]float64, dx.Len())
	forCopies(dy, dx, func(from, to int) {
		for i, d := range dyv[from*c:][:c] {
			sum[to*c+i] += float64(d)
		}
	})
	dxv, store := output(dx)
	finish(dxv, sum, nil, nil)
	store()
	return nil
}

// upsamples tells whether large and small are pictures of the same batch and channels, and small is not empty.
func upsamples(large, small *tensor) bool {
	return len(large.Shape) == 4 && len(small.Shape) == 4 && large.Shape[0] == small.Shape[0] &&
		large.Shape[3] == small.Shape[3] && small.Shape[1] > 0 && small.Shape[2] > 0
}

// forCopies calls f for every pixel of large with the number of the pixel of small that it copies.
func forCopies(large, small *tensor, f func(large, small int)) {
	h, w, oh, ow := small.Shape[1], small.Shape[2], large.Shape[1], large.Shape[2]
	for i := range large.Shape[0] * oh * ow {
		b, row, column := i/(oh*ow), i/ow%oh, i%ow
		f(i, (b*h+row*h/oh)*w+column*w/ow)
	}
}
