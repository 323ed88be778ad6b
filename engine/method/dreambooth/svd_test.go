package dreambooth

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestFactorFindsTheNearestMatrix: of a matrix with known singular values it leaves exactly the smaller ones.
func TestFactorFindsTheNearestMatrix(t *testing.T) {
	for _, c := range []struct{ rows, columns, rank int }{{20, 30, 4}, {30, 20, 4}, {5, 40, 5}, {3, 3, 8}, {40, 60, 1}} {
		r := rand.New(rand.NewPCG(1, uint64(c.rows)))
		n := min(c.rows, c.columns)
		u, v := basis(r, c.rows, n), basis(r, c.columns, n)
		a := make([]float32, c.rows*c.columns)
		var all, most float64
		for k := range n {
			s := math.Pow(0.7, float64(k))
			all += s * s
			if k < c.rank {
				most += s * s
			}
			for i := range c.rows {
				for j := range c.columns {
					a[i*c.columns+j] += float32(s * u[i*n+k] * v[j*n+k])
				}
			}
		}
		p := factor(a, c.rows, c.columns, c.rank)
		if math.Abs(p.held-most) > 1e-4*all {
			t.Errorf("%+v: holds %g, the nearest matrix %g", c, p.held, most)
		}
		var off float64
		for i := range c.rows {
			for j := range c.columns {
				d := float64(a[i*c.columns+j])
				for k := range p.rank {
					d -= float64(p.up[i*p.rank+k]) * float64(p.down[k*c.columns+j])
				}
				off += d * d
			}
		}
		if math.Abs(off-(all-p.held)) > 1e-5*all {
			t.Errorf("%+v: the pair is off by %g, and says %g", c, off, all-p.held)
		}
	}
	if p := factor(make([]float32, 12), 3, 4, 2); p.held != 0 || p.up[0] != 0 {
		t.Errorf("nothing is factored into %+v", p)
	}
}

// basis has k orthonormal columns of length n.
func basis(r *rand.Rand, n, k int) []float64 {
	b := make([]float64, n*k)
	for i := range b {
		b[i] = r.NormFloat64()
	}
	orthonormalise(b, n, k)
	return b
}
