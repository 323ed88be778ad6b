package ref

type real interface{ float32 | float64 }

// matrix is a view of a slice: element (i, j) is v[i*row+j*col].
type matrix[E real] struct {
	v        []E
	row, col int
}

// rowMajor is the matrix whose rows of n elements follow each other.
func rowMajor[E real](v []E, n int) matrix[E] { return matrix[E]{v, n, 1} }

// blockRows is how many rows of a product are computed together, so that the rows of B are read from cache.
const blockRows = 16

// addProduct adds A·B to sum: A is m x k, B is k x n, sum is m x n; the rows of B and sum are contiguous.
func addProduct[A, B real](sum matrix[float64], a matrix[A], b matrix[B], m, k, n int) {
	j := 0
	for ; j+4 <= k; j += 4 {
		b0, b1 := b.v[j*b.row:][:n], b.v[(j+1)*b.row:][:n]
		b2, b3 := b.v[(j+2)*b.row:][:n], b.v[(j+3)*b.row:][:n]
		for i := range m {
			at := i*a.row + j*a.col
			a0, a1 := float64(a.v[at]), float64(a.v[at+a.col])
			a2, a3 := float64(a.v[at+2*a.col]), float64(a.v[at+3*a.col])
			s := sum.v[i*sum.row:][:n]
			for c := range s {
				s[c] += a0*float64(b0[c]) + a1*float64(b1[c]) + a2*float64(b2[c]) + a3*float64(b3[c])
			}
		}
	}
	for ; j < k; j++ {
		bj := b.v[j*b.row:][:n]
		for i := range m {
			aij := float64(a.v[i*a.row+j*a.col])
			s := sum.v[i*sum.row:][:n]
			for c := range s {
				s[c] += aij * float64(bj[c])
			}
		}
	}
}

// transpose returns the n x m matrix of the m x n matrix a, row-major.
func transpose[E real](a matrix[E], m, n int) matrix[E] {
	t := make([]E, m*n)
	for i := range m {
		for j := range n {
			t[j*m+i] = a.v[i*a.row+j*a.col]
		}
	}
	return rowMajor(t, m)
}
