// Linear layers and convolutions, forward and to the input, on weights as their files hold them: a panel of columns of
// the weight is converted and packed into the cache, then all rows are multiplied with it, so that no second copy of a
// weight exists. A row of the source is a pixel; a convolution is a sum over its taps, each of which reads other pixels
// ("indirect convolution", Dukhan, arXiv 1907.02129). Elements are units (k_gemm.h).

#if LANES == 16
#define WIDE 4 // vectors of a register tile: TALL * WIDE sums, WIDE columns and a row's number fit the registers
#else
#define WIDE 2
#endif
#define TALL 6                // rows of a register tile
#define PANEL ((long)WIDE * LANES) // columns of a panel
#define DEPTH 2048L        // units of a panel's columns at most: half of a second-level cache of 1 MB

typedef struct {
	long batch, h, w, k;      // source [batch,h,w,k]
	long oh, ow, n;           // result [batch,oh,ow,n]
	long kh, kw, stride, top, left;
	int grad;                 // to the input: source and result are the gradients of a forward pass's result and source
	int pair;
	long rows, ku, taps;      // of the result; units of a source row; kh*kw
	long n_step, k_step;      // elements between neighbours of the weight along n and k; taps lie side by side
	float alpha;
} product_shape;

static product_shape product_dims(const ez_args *a) {
	const long *n = a->n;
	product_shape s = {n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9], n[10], n[11], (int)n[12], (int)n[13]};
	s.rows = s.batch * s.oh * s.ow;
	s.ku = s.k / s.pair;
	s.taps = s.kh * s.kw;
	s.n_step = s.grad ? s.taps : s.k * s.taps; // weights are [out,in,kh,kw]
	s.k_step = s.grad ? s.n * s.taps : s.taps;
	s.alpha = a->f[0];
	return s;
}

#include "k_pack.h"

// Where a tap of the pixel x reads along one side of a picture of n pixels; -1 outside.
static inline long tap_at(product_shape s, long x, long before, long tap, long n) {
	if (!s.grad) x = x * s.stride - before + tap;
	else {
		x += before - tap;
		if (s.stride > 1) x = x < 0 || x % s.stride ? -1 : x / s.stride;
	}
	return x < n ? x : -1;
}

// The pixels that each tap reads for rows from row on: a[taps][TALL]. Rows past the last repeat it.
static void product_rows(product_shape s, const float *src, const float *zero, long row, const float **a) {
	if (s.taps == 1 && s.stride == 1 && s.rows == s.batch * s.h * s.w) {
		for (long i = 0; i < TALL; i++) a[i] = src + min_l(row + i, s.rows - 1) * s.ku;
		return;
	}
	long x = row % s.ow, y = row / s.ow % s.oh, b = row / s.ow / s.oh;
	for (long i = 0; i < TALL; i++) {
		for (long ky = 0, t = 0; ky < s.kh; ky++) {
			long sy = tap_at(s, y, s.top, ky, s.h);
			for (long kx = 0; kx < s.kw; kx++, t++) {
				long sx = tap_at(s, x, s.left, kx, s.w);
				a[t * TALL + i] = sy >= 0 && sx >= 0 ? src + ((b * s.h + sy) * s.w + sx) * s.ku : zero;
			}
		}
		if (row + i + 1 >= s.rows) continue;
		if (++x == s.ow) x = 0, y++;
		if (y == s.oh) y = 0, b++;
	}
}

// c[TALL,PANEL] (+)= the rows a[taps][TALL] from unit k0 on, times the panel b[taps][kn][PANEL].
static inline __attribute__((always_inline)) void product_tile(const int pair, const int nv, const float *const *a, long taps, long k0, long kn,
	const float *b, float *c, int more) {
	vf s[TALL][WIDE];
#pragma GCC unroll 6
	for (int i = 0; i < TALL; i++)
#pragma GCC unroll 4
		for (int j = 0; j < nv; j++) s[i][j] = more ? *(vf *)(c + i * PANEL + j * LANES) : (vf){0};
	for (long t = 0; t < taps; t++, a += TALL) {
		const float *row[TALL];
#pragma GCC unroll 6
		for (int i = 0; i < TALL; i++) row[i] = a[i] + k0;
		for (long p = 0; p < kn; p++, b += PANEL) {
			vf v[WIDE];
#pragma GCC unroll 4
			for (int j = 0; j < nv; j++) v[j] = *(const vf *)(b + j * LANES);
#pragma GCC unroll 6
			for (int i = 0; i < TALL; i++)
#pragma GCC unroll 4
				for (int j = 0; j < nv; j++) s[i][j] = unit_fma(pair, s[i][j], row[i][p], v[j]);
		}
	}
#pragma GCC unroll 6
	for (int i = 0; i < TALL; i++)
#pragma GCC unroll 4
		for (int j = 0; j < nv; j++) *(vf *)(c + i * PANEL + j * LANES) = s[i][j];
}

static inline __attribute__((always_inline)) void product_columns(const int pair, long cols, const float *const *a, long taps, long k0, long kn,
	const float *b, float *c, int more) {
	switch ((cols + LANES - 1) / LANES) {
	case 1: product_tile(pair, 1, a, taps, k0, kn, b, c, more); break;
	case 2: product_tile(pair, 2, a, taps, k0, kn, b, c, more); break;
#if WIDE == 4
	case 3: product_tile(pair, 3, a, taps, k0, kn, b, c, more); break;
	default: product_tile(pair, 4, a, taps, k0, kn, b, c, more);
#endif
	}
}

// Not inlined, so that a tile's pointers find registers: under AVX2 that is worth a sixth of the time.
static __attribute__((noinline)) void product_block(int pair, long cols, const float *const *a, long taps, long k0, long kn, const float *b, float *c, int more) {
#ifdef DOT
	if (pair == 2) {
		product_columns(2, cols, a, taps, k0, kn, b, c, more);
		return;
	}
#endif
	product_columns(1, cols, a, taps, k0, kn, b, c, more);
}

// Writes rows of c: alpha·c + bias + add.
static inline void product_store(const ez_args *a, product_shape s, const float *c, const float *bias, long row, long n0, long cols) {
	for (long i = 0, n = min_l(TALL, s.rows - row); i < n; i++, c += PANEL) {
		long off = (row + i) * s.n + n0;
		if (cols == PANEL) {
#pragma GCC unroll 4
			for (long j = 0; j < PANEL; j += LANES) {
				vf y = s.alpha * *(const vf *)(c + j) + *(const vf *)(bias + j);
				if (a->t[4].p) y += load_v(a->t[4], off + j);
				store_v(a->t[0], off + j, y);
			}
			continue;
		}
		float buf[PANEL], more[PANEL], *y = room(a->t[0], off, buf);
		const float *add = a->t[4].p ? get(a->t[4], off, cols, more) : NULL;
		for (long j = 0; j < cols; j++) y[j] = s.alpha * c[j] + bias[j] + (add ? add[j] : 0);
		put(a->t[0], off, cols, y);
	}
}

// Brings what product_store will write into the cache.
static inline void product_touch(const ez_args *a, product_shape s, long row, long n0) {
	for (long i = 0, n = min_l(TALL, s.rows - row); i < n; i++) {
		char *y = at(a->t[0], (row + i) * s.n + n0);
		for (long j = 0; j < PANEL * size_of(a->t[0].dt); j += 64) __builtin_prefetch(y + j, 1);
	}
}

// One panel of columns times rows [from,to). mem holds the panel and, where the depth is done in parts, the sums.
static void product_task(const ez_args *a, product_shape s, const float *zero, long n0, long from, long to, float *mem) {
	const float *src = (const float *)a->t[1].p, *pixels[s.taps * TALL];
	long cols = min_l(PANEL, s.n - n0), most = max_l(DEPTH / s.taps / 16 * 16, 16);
	float *panel = mem, *sums = mem + (DEPTH + 16 * s.taps) * PANEL, bias[PANEL] = {0};
	if (a->t[3].p) memcpy(bias, (float *)a->t[3].p + n0, cols * sizeof(float));
	for (long k = 0; k < s.ku; k += most) {
		long kn = min_l(most, s.ku - k);
		int first = k == 0, last = k + kn == s.ku;
		pack_panel(panel, s, a->t[2], (panel_part){k, kn, n0, cols});
		for (long r = from; r < to; r += TALL) {
			float *c = sums + (first && last ? 0 : (r - from) * PANEL);
			product_rows(s, src, zero, r, pixels);
			if (last) product_touch(a, s, r, n0);
			product_block(s.pair, cols, pixels, s.taps, k, kn, panel, c, !first);
			if (last) product_store(a, s, c, bias, r, n0, cols);
		}
	}
}

// dst = alpha · Σ source·weight + bias + add. t: dst, src (of units), w, bias (F32 or absent), add (or absent; may be
// dst). n: as product_shape begins. f: alpha.
static int product(ez_args *a) {
	product_shape s = product_dims(a);
	long panels = (s.n + PANEL - 1) / PANEL, threads = omp_get_max_threads(), blocks = (s.rows + TALL - 1) / TALL;
	// Enough tasks that threads end together, but enough rows that packing the panel counts for little.
	long parts = max_l(1, min_l((8 * threads + panels - 1) / panels, s.rows / 256)), tasks = panels * parts;
	long each = (DEPTH + 16 * s.taps) * PANEL + ((blocks + parts - 1) / parts + 1) * TALL * PANEL, zeros = round_up(s.ku, 16);
	float *mem = ez_scratch(EZ_SLOT_WORK, (each * threads + zeros) * sizeof(float));
	if (!mem) return EZ_NOMEM;
	memset(mem, 0, zeros * sizeof(float));
#if LANES == 16
	tap_table_make();
#endif
#pragma omp parallel for schedule(dynamic) if (s.rows * s.n * s.k * s.taps > PARALLEL)
	for (long task = 0; task < tasks; task++) {
		long part = task % parts, from = part * blocks / parts * TALL, to = (part + 1) * blocks / parts * TALL;
		product_task(a, s, mem, task / parts * PANEL, from, to, mem + zeros + omp_get_thread_num() * each);
	}
	return EZ_OK;
}
