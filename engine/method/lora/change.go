package lora

import "math"

// WeightChange implements method.Tuning.
func (t *tuning) WeightChange() float64 {
	var change, all float64
	for _, l := range t.order {
		if l.magnitude != nil {
			c, a := l.resized()
			change, all = change+c, all+a
			continue
		}
		change += l.normSquared()
		for _, w := range l.Weight.Floats() {
			all += float64(w) * float64(w)
		}
		l.Weight.LetGo()
	}
	if all == 0 {
		return 0
	}
	return math.Sqrt(change / all)
}

// normSquared is ‖scale·up·down‖² = scale²·Σ (upᵀ·up)∘(down·downᵀ), without making the product.
func (l *layer) normSquared() float64 {
	r := l.rank()
	in, out := l.down.Len()/r, l.up.Len()/r
	d, u := l.down.F32(), l.up.F32()
	sum := 0.0
	for a := range r {
		for b := range a + 1 { // both matrices are symmetric
			var dd, uu float64
			for i, v := range d[a*in : (a+1)*in] {
				dd += float64(v) * float64(d[b*in+i])
			}
			for o := range out {
				uu += float64(u[o*r+a]) * float64(u[o*r+b])
			}
			if a != b {
				dd *= 2
			}
			sum += dd * uu
		}
	}
	s := float64(l.scale())
	return s * s * sum
}

// holdNorms scales back the layers whose weight change is larger than max-norm, both matrices alike (sd-scripts
// networks/lora.py, apply_max_norm_regularization).
func (t *tuning) holdNorms() {
	if t.maxNorm == 0 {
		return
	}
	for _, l := range t.order {
		norm := math.Sqrt(l.normSquared())
		if norm <= t.maxNorm {
			continue
		}
		by := float32(math.Sqrt(t.maxNorm / norm))
		for _, m := range [][]float32{l.down.F32(), l.up.F32()} {
			for i := range m {
				m[i] *= by
			}
		}
	}
}
