package ref

import "easel/engine/kernel"

// geometry holds the sizes of one convolution: x [b,h,w,in], y [b,oh,ow,out], weight [out,in,kh,kw].
type geometry struct {
	kernel.Conv
	b, h, w, in, oh, ow, out, kh, kw int
}

func convGeometry(op string, y, x, w *tensor, c kernel.Conv) (g geometry, err error) {
	bad := func() (geometry, error) { return g, fits(op, false, y, x, w) }
	if len(y.Shape) != 4 || len(x.Shape) != 4 || len(w.Shape) != 4 {
		return bad()
	}
	g = geometry{c, x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3], y.Shape[1], y.Shape[2], w.Shape[0], w.Shape[2], w.Shape[3]}
	if c.Stride < 1 || min(c.Top, c.Left, c.Bottom, c.Right) < 0 || min(g.kh, g.kw) < 1 ||
		g.h+c.Top+c.Bottom < g.kh || g.w+c.Left+c.Right < g.kw {
		return bad()
	}
	oh, ow := c.OutSize(g.h, g.w, g.kh, g.kw)
	if !is(y, g.b, oh, ow, g.out) || w.Shape[1] != g.in {
		return bad()
	}
	return g, nil
}

// columns is the range of output columns for which tap kw lies inside the picture.
func (g geometry) columns(kw int) (from, to int) {
	from = max(0, (g.Left-kw+g.Stride-1)/g.Stride)
	to = min(g.ow, (g.w-1+g.Left-kw+g.Stride)/g.Stride)
	return from, max(from, to)
}

// taps is the number of weights between one input and one output channel.
func (g geometry) taps() int { return g.kh * g.kw }

func (backend) Conv2D(y, x, w, bias, add *tensor, c kernel.Conv) error {
	const op = "Conv2D"
	if err := floating(op, append(given(bias, add), y, x, w)...); err != nil {
		return err
	}
	g, err := convGeometry(op, y, x, w, c)
	if err != nil {
		return err
	}
	if err := fits(op, (bias == nil || is(bias, g.out)) && (add == nil || sameShape(y, add)), y, x, w, bias, add); err != nil {
		return err
	}
	// One [in, out] matrix a tap.
	byTap := transpose(rowMajor(input(w), g.in*g.taps()), g.out, g.in*g.taps()) // [in, taps, out]
	xv, biasv, addv := input(x), input(bias), input(add)
	yv, store := output(y)
	parallel(g.b*g.oh, func(from, to int) {
		sum := make([]float64, g.ow*g.out)
		for r := from; r < to; r++ {
			clear(sum)
			for kh := range g.kh {
				ih := r%g.oh*g.Stride - g.Top + kh
				if ih < 0 || ih >= g.h {
					continue
				}
				line := xv[(r/g.oh*g.h+ih)*g.w*g.in:]
				for kw := range g.kw {
					c0, c1 := g.columns(kw)
					if c0 == c1 {
						continue
					}
					pixels := matrix[float32]{line[(c0*g.Stride-g.Left+kw)*g.in:], g.Stride * g.in, 1}
					weights := matrix[float32]{byTap.v[(kh*g.kw+kw)*g.out:], g.taps() * g.out, 1}
					addProduct(rowMajor(sum[c0*g.out:], g.out), pixels, weights, c1-c0, g.in, g.out)
				}
			}
			finish(yv[r*len(sum):][:len(sum)], sum, biasv, tail(addv, r*len(sum)))
		}
	})
	store()
	return nil
}

func (backend) Conv2DGradInput(dx, dy, w *tensor, c kernel.Conv) error {
	const op = "Conv2DGradInput"
	if err := floating(op, dx, dy, w); err != nil {
		return err
	}
	g, err := convGeometry(op, dy, dx, w, c)
	if err != nil {
		return err
	}
	// One [out, in] matrix a tap: [out, in, taps] -> [out, taps, in].
	wv := input(w)
	byTap := make([]float32, 0, len(wv))
	for o := range g.out {
		one := rowMajor(wv[o*g.in*g.taps():], g.taps())
		byTap = append(byTap, transpose(one, g.in, g.taps()).v...)
	}
	dyv := input(dy)
	dxv, store := output(dx)
	parallel(g.b*g.h, func(from, to int) {
		sum := make([]float64, g.w*g.in)
		for r := from; r < to; r++ {
			clear(sum)
			for kh := range g.kh {
				oh := r%g.h + g.Top - kh // times the stride
				if oh < 0 || oh%g.Stride != 0 || oh/g.Stride >= g.oh {
					continue
				}
				line := dyv[(r/g.h*g.oh+oh/g.Stride)*g.ow*g.out:]
				for kw := range g.kw {
					c0, c1 := g.columns(kw)
					if c0 == c1 {
						continue
					}
					target := matrix[float64]{sum[(c0*g.Stride-g.Left+kw)*g.in:], g.Stride * g.in, 1}
					weights := matrix[float32]{byTap[(kh*g.kw+kw)*g.in:], g.taps() * g.in, 1}
					addProduct(target, rowMajor(line[c0*g.out:], g.out), weights, c1-c0, g.out, g.in)
				}
			}
			finish(dxv[r*len(sum):][:len(sum)], sum, nil, nil)
		}
	})
	store()
	return nil
}

func (backend) Conv2DGradWeight(dw, x, dy *tensor, c kernel.Conv) error {
	const op = "Conv2DGradWeight"
	if err := floating(op, x, dy); err != nil {
		return err
	}
	if err := ofType(op, kernel.F32, dw); err != nil {
		return err
	}
	g, err := convGeometry(op, dy, x, dw, c)
	if err != nil {
		return err
	}
	xv, dyv, result := input(x), input(dy), dw.F32()
	parallel(g.out, func(from, to int) {
		sum := make([]float64, blockRows*g.in)
		for o := from; o < to; o += blockRows {
			m := min(blockRows, to-o)
			for tap := range g.taps() {
				clear(sum)
				g.addTapGradient(sum, xv, dyv, o, m, tap)
				for i, s := range sum[:m*g.in] { // i = (output channel - o)*in + input channel
					result[(o*g.in+i)*g.taps()+tap] = float32(s)
				}
			}
		}
	})
	return nil
}

// addTapGradient adds to sum [m, in] the gradient of one tap's weights of output channels o..o+m-1.
func (g geometry) addTapGradient(sum []float64, x, dy []float32, o, m, tap int) {
	kh, kw := tap/g.kw, tap%g.kw
	c0, c1 := g.columns(kw)
	if c0 == c1 {
		return
	}
	for r := range g.b * g.oh {
		ih := r%g.oh*g.Stride - g.Top + kh
		if ih < 0 || ih >= g.h {
			continue
		}
		pixels := matrix[float32]{x[((r/g.oh*g.h+ih)*g.w+c0*g.Stride-g.Left+kw)*g.in:], g.Stride * g.in, 1}
		errors := matrix[float32]{dy[(r*g.ow+c0)*g.out+o:], 1, g.out}
		addProduct(rowMajor(sum, g.in), errors, pixels, m, c1-c0, g.in)
	}
}
