// A small matrix product on packed tiles in cache, for attention: C[m,n] (+)= A[m,k]·B[k,n]. m is a multiple of MR, n
// of LANES. A is read element by element, so its two strides are free and a transposed A costs nothing.
//
// An element of A and B is one unit: a float, or, where pair is 2, two bfloat16 numbers that lie next to each other along
// k. A product of units is then the sum of two products (vdpbf16ps), and k counts units.

static inline __attribute__((always_inline)) vf unit_fma(const int pair, vf sum, float a, vf b) {
#ifdef DOT
	if (pair == 2) { // the intrinsic makes GCC 12 copy its sums around and spill them
		__asm__("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(b), "v"(_mm512_set1_ps(a)));
		return sum;
	}
#endif
	return sum + a * b;
}

static inline __attribute__((always_inline)) void gemm_tile(const int pair, const int nv, long k, const float *a, long rs, long cs,
	const float *b, long ldb, float *c, long ldc, int accumulate) {
	vf s[MR][3];
#pragma GCC unroll 8
	for (int i = 0; i < MR; i++)
#pragma GCC unroll 3
		for (int j = 0; j < nv; j++) s[i][j] = accumulate ? *(vf *)(c + i * ldc + j * LANES) : (vf){0};
	for (long p = 0; p < k; p++, a += cs, b += ldb) {
		vf v[3];
#pragma GCC unroll 3
		for (int j = 0; j < nv; j++) v[j] = *(const vf *)(b + j * LANES);
#pragma GCC unroll 8
		for (int i = 0; i < MR; i++)
#pragma GCC unroll 3
			for (int j = 0; j < nv; j++) s[i][j] = unit_fma(pair, s[i][j], a[i * rs], v[j]);
	}
#pragma GCC unroll 8
	for (int i = 0; i < MR; i++)
#pragma GCC unroll 3
		for (int j = 0; j < nv; j++) *(vf *)(c + i * ldc + j * LANES) = s[i][j];
}

static inline __attribute__((always_inline)) void gemm_of(const int pair, long m, long n, long k, const float *a, long rs, long cs,
	const float *b, long ldb, float *c, long ldc, int accumulate) {
	for (long j = 0; j < n; j += 3 * LANES) {
		long nv = (n - j) / LANES;
		for (long i = 0; i < m; i += MR) {
			const float *ai = a + i * rs;
			float *ci = c + i * ldc + j;
			if (nv >= 3) gemm_tile(pair, 3, k, ai, rs, cs, b + j, ldb, ci, ldc, accumulate);
			else if (nv == 2) gemm_tile(pair, 2, k, ai, rs, cs, b + j, ldb, ci, ldc, accumulate);
			else gemm_tile(pair, 1, k, ai, rs, cs, b + j, ldb, ci, ldc, accumulate);
		}
	}
}

static void gemm(int pair, long m, long n, long k, const float *a, long rs, long cs, const float *b, long ldb, float *c, long ldc, int accumulate) {
#ifdef DOT
	if (pair == 2) return gemm_of(2, m, n, k, a, rs, cs, b, ldb, c, ldc, accumulate);
#endif
	gemm_of(1, m, n, k, a, rs, cs, b, ldb, c, ldc, accumulate);
}
