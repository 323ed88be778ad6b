package hypernetwork

import (
	"math"
	"runtime"
	"sync"

	"easel/engine/internal/rng"
	"easel/engine/kernel"
)

// makeBases gives each slot the frozen bases of LiDB (arXiv 2307.06949, section 4.1): down's rows and up's columns are
// orthonormal. They are a function of (seed, number of the layer, part); golden's README, hypernetwork kind B, defines
// it. An outline of a model, whose weights have no data, needs their shapes alone.
func makeBases(slots []*slot, seed uint64) {
	for _, p := range slots {
		p.down, p.up = kernel.New(kernel.F32, p.a, p.in), kernel.New(kernel.F32, p.out, p.b)
	}
	parallel(len(slots), func(i int) {
		p := slots[i]
		if p.weight.Data == nil {
			return
		}
		for r, row := range orthonormal(seed, 2*p.number, p.a, p.in) {
			for c, v := range row {
				p.down.F32()[r*p.in+c] = float32(v)
			}
		}
		for r, row := range orthonormal(seed, 2*p.number+1, p.b, p.out) {
			for c, v := range row {
				p.up.F32()[c*p.b+r] = float32(v)
			}
		}
	})
}

// gamma is splitmix64's increment.
const gamma = 0x9E3779B97F4A7C15

// orthonormal makes rows of n random numbers orthonormal by modified Gram-Schmidt. (The definition does it twice; in
// float64 the second time changes nothing that a float32 holds.)
func orthonormal(seed uint64, index, rows, n int) [][]float64 {
	key := rng.Mix(seed + gamma*uint64(index+1))
	flat := make([]float64, rows*n+1)
	for j := 0; j < rows*n; j += 2 {
		flat[j], flat[j+1] = rng.NormalPair(key, uint64(j/2))
	}
	m := make([][]float64, rows)
	for i := range m {
		m[i] = flat[i*n : (i+1)*n]
		for _, before := range m[:i] {
			subtract(m[i], before, dot(m[i], before))
		}
		norm := math.Sqrt(dot(m[i], m[i]))
		for c := range m[i] {
			m[i][c] /= norm
		}
	}
	return m
}

// dot has four sums, so that one addition need not wait for another.
func dot(a, b []float64) float64 {
	var s [4]float64
	i := 0
	for ; i+4 <= len(a); i += 4 {
		x, y := a[i:i+4:i+4], b[i:i+4:i+4]
		s[0] += x[0] * y[0]
		s[1] += x[1] * y[1]
		s[2] += x[2] * y[2]
		s[3] += x[3] * y[3]
	}
	for ; i < len(a); i++ {
		s[0] += a[i] * b[i]
	}
	return s[0] + s[1] + s[2] + s[3]
}

// subtract takes by·b from a.
func subtract(a, b []float64, by float64) {
	for i, v := range b[:len(a)] {
		a[i] -= by * v
	}
}

// parallel calls f with 0 … n-1 on all processors.
func parallel(n int, f func(i int)) {
	workers := min(n, runtime.GOMAXPROCS(0))
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := w; i < n; i += workers {
				f(i)
			}
		})
	}
	group.Wait()
}
