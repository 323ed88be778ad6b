package hypernetwork

import (
	"math"

	"easel/engine/format"
)

// multiply is a·b of [rows, inner] and [inner, columns], summed in float64.
func multiply(a, b []float32, rows, inner, columns int) []float32 {
	c := make([]float32, rows*columns)
	parallel(rows, func(r int) {
		sum := make([]float64, columns)
		for k, v := range a[r*inner : (r+1)*inner] {
			for i, w := range b[k*columns : (k+1)*columns] {
				sum[i] += float64(v) * float64(w)
			}
		}
		for i, v := range sum {
			c[r*columns+i] = float32(v)
		}
	})
	return c
}

// squares is Σ x².
func squares(x []float32) (sum float64) {
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return sum
}

// normSquared is ‖alpha/rank·up·down‖² = (alpha/rank)²·Σ (upᵀ·up)∘(down·downᵀ), without making the product.
func normSquared(m format.LoRAModule) float64 {
	r := m.Rank()
	in, out := m.Down.Len()/r, m.Up.Len()/r
	d, u := m.Down.F32(), m.Up.F32()
	sum := 0.0
	for a := range r {
		for b := range r {
			var dd, uu float64
			for i := range in {
				dd += float64(d[a*in+i]) * float64(d[b*in+i])
			}
			for o := range out {
				uu += float64(u[o*r+a]) * float64(u[o*r+b])
			}
			sum += dd * uu
		}
	}
	s := float64(m.Alpha) / float64(r)
	return s * s * sum
}

// ratio is √(change/all), 0 of nothing.
func ratio(change, all float64) float64 {
	if all == 0 {
		return 0
	}
	return math.Sqrt(change / all)
}
