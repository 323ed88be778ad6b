package dreambooth

import (
	"math"
	"runtime"
	"sync"

	"easel/engine/internal/rng"
)

// pair is a matrix of low rank: up·down.
type pair struct {
	rank     int
	up, down []float32 // [rows, rank], [rank, columns]
	held     float64   // its squared Frobenius norm; the error's is that of the whole less this
}

// The decomposition looks for rank + spare directions, and improves them twice: enough for four digits of the error.
const (
	spare  = 8
	passes = 2
)

// factor finds nearly the nearest matrix of a rank to a [rows, columns], by subspace iteration from a random start (Halko,
// Martinsson and Tropp, arXiv 0909.4061, algorithm 4.4). The start is always the same.
func factor(a []float32, rows, columns, rank int) *pair {
	rank = min(rank, rows, columns)
	k := min(rank+spare, rows, columns)
	z := make([]float64, columns*k) // [columns, k]
	start := make([]float32, len(z))
	rng.Normal(start, 0, 0, rng.Init)
	for i, v := range start {
		z[i] = float64(v)
	}
	var q []float64 // [rows, k], orthonormal columns
	for pass := range passes + 1 {
		q = times(a, rows, columns, z, k)
		orthonormalise(q, rows, k)
		if pass < passes {
			z = timesTransposed(a, rows, columns, q, k)
			orthonormalise(z, columns, k)
		}
	}
	b := timesTransposed(a, rows, columns, q, k) // (qᵀ·a)ᵀ, [columns, k]
	gram := make([]float64, k*k)
	for c := range columns {
		for i := range k {
			for j := range k {
				gram[i*k+j] += b[c*k+i] * b[c*k+j]
			}
		}
	}
	values, w := eigen(gram, k) // of b's squares; w's columns are b's directions
	p := &pair{rank: rank, up: make([]float32, rows*rank), down: make([]float32, rank*columns)}
	for r := range rank {
		root := math.Sqrt(math.Sqrt(max(values[r], 0))) // of the singular value: half of it goes to each side
		p.held += max(values[r], 0)
		if root == 0 {
			continue
		}
		for i := range rows {
			p.up[i*rank+r] = float32(root * dot(q[i*k:(i+1)*k], w[r]))
		}
		for c := range columns {
			p.down[r*columns+c] = float32(dot(b[c*k:(c+1)*k], w[r]) / root)
		}
	}
	return p
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

// times is a·z, with z [columns, k].
func times(a []float32, rows, columns int, z []float64, k int) []float64 {
	y := make([]float64, rows*k)
	parallel(rows, func(from, to int) {
		for i := from; i < to; i++ {
			sum := y[i*k : (i+1)*k]
			for j, v := range a[i*columns : (i+1)*columns] {
				addScaled(sum, z[j*k:(j+1)*k], float64(v))
			}
		}
	})
	return y
}

// timesTransposed is aᵀ·q, with q [rows, k].
func timesTransposed(a []float32, rows, columns int, q []float64, k int) []float64 {
	y := make([]float64, columns*k)
	parallel(columns, func(from, to int) {
		for i := range rows {
			for j := from; j < to; j++ {
				addScaled(y[j*k:(j+1)*k], q[i*k:(i+1)*k], float64(a[i*columns+j]))
			}
		}
	})
	return y
}

func addScaled(to, v []float64, s float64) {
	if s == 0 {
		return
	}
	v = v[:len(to)]
	for i := range to {
		to[i] += s * v[i]
	}
}

// parallel splits 0 … n between the processors.
func parallel(n int, f func(from, to int)) {
	var all sync.WaitGroup
	workers := min(runtime.GOMAXPROCS(0), n)
	for w := range workers {
		all.Go(func() { f(n*w/workers, n*(w+1)/workers) })
	}
	all.Wait()
}

// orthonormalise makes the columns of y [n, k] orthonormal (Gram-Schmidt, twice for accuracy); a column that depends on
// those before becomes zero.
func orthonormalise(y []float64, n, k int) {
	column := make([]float64, n)
	for c := range k {
		before := 0.0
		for i := range n {
			before += y[i*k+c] * y[i*k+c]
		}
		for range 2 {
			project := make([]float64, c)
			for i := range n {
				addScaled(project, y[i*k:i*k+c], y[i*k+c])
			}
			for i := range n {
				y[i*k+c] -= dot(project, y[i*k:i*k+c])
			}
		}
		after := 0.0
		for i := range n {
			column[i] = y[i*k+c]
			after += column[i] * column[i]
		}
		scale := 0.0
		if after > 1e-24*before {
			scale = 1 / math.Sqrt(after)
		}
		for i := range n {
			y[i*k+c] = column[i] * scale
		}
	}
}

// eigen finds eigenvalues, largest first, and eigenvectors of a symmetric matrix [n, n], which it destroys, by Jacobi's
// rotations.
func eigen(a []float64, n int) (values []float64, vectors [][]float64) {
	vectors = make([][]float64, n)
	for i := range vectors {
		vectors[i] = make([]float64, n)
		vectors[i][i] = 1
	}
	for range 50 { // sweeps; some ten are needed
		off, all := 0.0, 0.0
		for i := range n {
			for j := range n {
				all += a[i*n+j] * a[i*n+j]
				if i != j {
					off += a[i*n+j] * a[i*n+j]
				}
			}
		}
		if off <= 1e-26*all {
			break
		}
		for p := range n {
			for q := p + 1; q < n; q++ {
				rotate(a, vectors, n, p, q)
			}
		}
	}
	for i := range n {
		values = append(values, a[i*n+i])
	}
	for i := range n { // selection sort: n is small
		best := i
		for j := i + 1; j < n; j++ {
			if values[j] > values[best] {
				best = j
			}
		}
		values[i], values[best] = values[best], values[i]
		vectors[i], vectors[best] = vectors[best], vectors[i]
	}
	return values, vectors
}

// rotate makes a[p, q] zero.
func rotate(a []float64, vectors [][]float64, n, p, q int) {
	if a[p*n+q] == 0 {
		return
	}
	theta := (a[q*n+q] - a[p*n+p]) / (2 * a[p*n+q])
	t := 1 / (math.Abs(theta) + math.Sqrt(theta*theta+1))
	if theta < 0 {
		t = -t
	}
	c := 1 / math.Sqrt(t*t+1)
	s := t * c
	for k := range n {
		x, y := a[k*n+p], a[k*n+q]
		a[k*n+p], a[k*n+q] = c*x-s*y, s*x+c*y
	}
	for k := range n {
		x, y := a[p*n+k], a[q*n+k]
		a[p*n+k], a[q*n+k] = c*x-s*y, s*x+c*y
		x, y = vectors[p][k], vectors[q][k]
		vectors[p][k], vectors[q][k] = c*x-s*y, s*x+c*y
	}
}
