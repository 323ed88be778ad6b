// A small matrix product on packed tiles in cache, for attention: C[m,n] (+)= A[m,k]·B[k,n]. m is a multiple of MR; B and
// C have room for n rounded up to whole vectors. A is read element by element, so its two strides are free and a
// transposed A costs nothing.
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

#ifdef DOT
typedef float half_vf __attribute__((vector_size(2 * LANES), aligned(4), may_alias));

// gemm_tile of pairs on two and a half vectors: heads of 40 channels have so many, and half a vector costs half where the
// processor splits whole ones (Zen 4).
static void gemm_half_tile(long k, const float *a, long rs, long cs, const float *b, long ldb, float *c, long ldc, int accumulate) {
	vf s[MR][2];
	half_vf h[MR];
#pragma GCC unroll 8
	for (int i = 0; i < MR; i++) {
		float *ci = c + i * ldc;
		s[i][0] = accumulate ? *(vf *)ci : (vf){0}, s[i][1] = accumulate ? *(vf *)(ci + LANES) : (vf){0};
		h[i] = accumulate ? *(half_vf *)(ci + 2 * LANES) : (half_vf){0};
	}
	for (long p = 0; p < k; p++, a += cs, b += ldb) {
		vf v0 = *(const vf *)b, v1 = *(const vf *)(b + LANES);
		half_vf v2 = *(const half_vf *)(b + 2 * LANES);
#pragma GCC unroll 8
		for (int i = 0; i < MR; i++) {
			s[i][0] = unit_fma(2, s[i][0], a[i * rs], v0);
			s[i][1] = unit_fma(2, s[i][1], a[i * rs], v1);
			__asm__("vdpbf16ps %2, %1, %0" : "+v"(h[i]) : "v"(v2), "v"(_mm256_set1_ps(a[i * rs])));
		}
	}
#pragma GCC unroll 8
	for (int i = 0; i < MR; i++) {
		float *ci = c + i * ldc;
		*(vf *)ci = s[i][0], *(vf *)(ci + LANES) = s[i][1];
		*(half_vf *)(ci + 2 * LANES) = h[i];
	}
}
#endif

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
		long nv = (n - j + LANES - 1) / LANES;
		for (long i = 0; i < m; i += MR) {
			const float *ai = a + i * rs;
			float *ci = c + i * ldc + j;
#ifdef DOT
			if (pair == 2 && nv == 3 && n - j <= 2 * LANES + LANES / 2) {
				gemm_half_tile(k, ai, rs, cs, b + j, ldb, ci, ldc, accumulate);
				continue;
			}
#endif
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
