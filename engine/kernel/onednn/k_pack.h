// Packing part of a weight for k_product.h: units [k0,k0+kn) of all taps and columns [n0,n0+cols), as
// [taps][kn][PANEL]. Columns that are not there become zero.

typedef struct {
	long k0, kn, n0, cols;
} panel_part;

// Reads n elements that lie step apart from off on, as floats.
static void weight_floats(float *dst, ez_tensor w, long off, long step, long n) {
	const float *f = (const float *)w.p + off;
	const uint16_t *u = (const uint16_t *)w.p + off;
	uint16_t buf[64];
	if (step == 1) widen(dst, at(w, off), w.dt, n);
	else if (w.dt == EZ_F32)
		for (long i = 0; i < n; i++) dst[i] = f[i * step];
	else
		for (long i = 0; i < n; i += 64) {
			long m = min_l(64, n - i);
			for (long j = 0; j < m; j++) buf[j] = u[(i + j) * step];
			widen(dst + i, buf, w.dt, m);
		}
}

// The same as bfloat16.
static void weight_bf16(uint16_t *dst, ez_tensor w, long off, long step, long n) {
	const uint16_t *u = (const uint16_t *)w.p + off;
	float buf[64];
	if (w.dt == EZ_BF16 && step == 1) memcpy(dst, u, 2 * n);
	else if (w.dt == EZ_BF16)
		for (long i = 0; i < n; i++) dst[i] = u[i * step];
	else
		for (long i = 0; i < n; i += 64) {
			long m = min_l(64, n - i);
			weight_floats(buf, w, off + i * step, step, m);
			narrow(dst + i, EZ_BF16, buf, m);
		}
}

// Sixteen columns src[16][16] of m units each become m rows of a panel.
static void place_columns(float *dst, const float *src, long m) {
#if LANES == 16
	if (m == 16) {
		__m512i r[16], t[16];
#pragma GCC unroll 16
		for (int i = 0; i < 16; i++) r[i] = _mm512_loadu_si512(src + i * 16);
#pragma GCC unroll 8
		for (int i = 0; i < 16; i += 2) t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]), t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
#pragma GCC unroll 4
		for (int i = 0; i < 16; i += 4) {
			r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]), r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
			r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]), r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
		}
#pragma GCC unroll 4
		for (int i = 0; i < 4; i++) {
			__m512i a = _mm512_shuffle_i32x4(r[i], r[4 + i], 0x88), b = _mm512_shuffle_i32x4(r[8 + i], r[12 + i], 0x88);
			__m512i c = _mm512_shuffle_i32x4(r[i], r[4 + i], 0xdd), d = _mm512_shuffle_i32x4(r[8 + i], r[12 + i], 0xdd);
			_mm512_storeu_si512(dst + i * PANEL, _mm512_shuffle_i32x4(a, b, 0x88));
			_mm512_storeu_si512(dst + (4 + i) * PANEL, _mm512_shuffle_i32x4(c, d, 0x88));
			_mm512_storeu_si512(dst + (8 + i) * PANEL, _mm512_shuffle_i32x4(a, b, 0xdd));
			_mm512_storeu_si512(dst + (12 + i) * PANEL, _mm512_shuffle_i32x4(c, d, 0xdd));
		}
		return;
	}
#endif
	for (long i = 0; i < m; i++)
		for (long c = 0; c < 16; c++) dst[i * PANEL + c] = src[c * 16 + i];
}

// One tap where a column's neighbours lie further apart than its own elements. PANEL need not be a multiple of 16.
static void pack_columns(float *dst, product_shape s, ez_tensor w, long tap, panel_part q) {
	float unit[16 * 16];
	for (long c0 = 0; c0 < q.cols; c0 += 16)
		for (long p = 0; p < q.kn; p += 16) {
			long m = min_l(16, q.kn - p), n = min_l(16, q.cols - c0), wide = c0 + 16 <= PANEL;
			if (n < 16) memset(unit, 0, sizeof unit);
			for (long c = 0; c < n; c++) {
				long from = (q.n0 + c0 + c) * s.n_step + (q.k0 + p) * s.pair * s.k_step + tap;
				if (s.pair == 2) weight_bf16((uint16_t *)(unit + c * 16), w, from, s.k_step, 2 * m);
				else weight_floats(unit + c * 16, w, from, s.k_step, m);
			}
			float *to = dst + p * PANEL + c0;
			if (wide) place_columns(to, unit, m);
			else
				for (long i = 0; i < m; i++)
					for (long c = 0; c < n; c++) to[i * PANEL + c] = unit[c * 16 + i];
		}
}

// One tap where neighbouring columns lie closer.
static void pack_across_columns(float *dst, product_shape s, ez_tensor w, long tap, panel_part q) {
	uint16_t lo[PANEL], hi[PANEL];
	for (long p = 0; p < q.kn; p++) {
		long from = (q.k0 + p) * s.pair * s.k_step + q.n0 * s.n_step + tap;
		if (s.pair == 1) {
			weight_floats(dst + p * PANEL, w, from, s.n_step, q.cols);
			continue;
		}
		weight_bf16(lo, w, from, s.n_step, q.cols);
		weight_bf16(hi, w, from + s.k_step, s.n_step, q.cols);
		for (long c = 0; c < q.cols; c++) ((uint32_t *)dst)[p * PANEL + c] = lo[c] | (uint32_t)hi[c] << 16;
	}
}

#if LANES == 16
// 3x3 weights have their nine taps side by side. A run of them is read into registers once, and each tap picked out:
// result lane j of tap t is number 9j+t of the run.
typedef struct {
	__m512i words[9], doubles[9], pairs[9]; // places in a register, by tap; pairs alternate between two runs
	uint32_t words_in[9][9], pairs_in[9][5]; // lanes that lie in a register, by tap and register
	uint16_t doubles_in[9][9];
} tap_table;

static tap_table taps3x3;

static void tap_table_make(void) {
	if (taps3x3.doubles_in[0][0]) return;
	for (int t = 0; t < 9; t++) {
		uint16_t words[32], pairs[32];
		uint32_t doubles[16];
		for (int j = 0; j < 32; j++) {
			words[j] = (9 * j + t) % 32, taps3x3.words_in[t][(9 * j + t) / 32] |= 1u << j;
			pairs[j] = (9 * (j / 2) + t) % 32, taps3x3.pairs_in[t][(9 * (j / 2) + t) / 32] |= 1u << j;
		}
		for (int j = 0; j < 16; j++) doubles[j] = (9 * j + t) % 16, taps3x3.doubles_in[t][(9 * j + t) / 16] |= 1u << j;
		taps3x3.words[t] = _mm512_loadu_si512(words);
		taps3x3.pairs[t] = _mm512_loadu_si512(pairs);
		taps3x3.doubles[t] = _mm512_loadu_si512(doubles);
	}
}

// Loads n 16-bit or 32-bit numbers into registers; what is not there becomes zero.
static inline void load_words(__m512i *r, const uint16_t *src, long n, int regs) {
	for (int i = 0; i < regs; i++, n -= 32) r[i] = n >= 32 ? _mm512_loadu_si512(src + 32 * i) : n > 0 ? _mm512_maskz_loadu_epi16((1u << n) - 1, src + 32 * i) : _mm512_setzero_si512();
}

static inline void load_doubles(__m512i *r, const uint32_t *src, long n) {
	for (int i = 0; i < 9; i++, n -= 16) r[i] = n >= 16 ? _mm512_loadu_si512(src + 16 * i) : n > 0 ? _mm512_maskz_loadu_epi32((1u << n) - 1, src + 16 * i) : _mm512_setzero_si512();
}

static inline __m512i pick_doubles(const __m512i *r, int t) {
	__m512i v = _mm512_setzero_si512();
#pragma GCC unroll 9
	for (int i = 0; i < 9; i++) v = _mm512_mask_permutexvar_epi32(v, taps3x3.doubles_in[t][i], taps3x3.doubles[t], r[i]);
	return v;
}

// Sixteen units of each tap, along k, from one column's run of m units.
static inline void pick_column(float *dst, long tap_step, const void *run, long m, int pair) {
	__m512i r[9];
	if (pair == 1) load_doubles(r, run, 9 * m);
	else load_words(r, run, 18 * m, 9);
	for (int t = 0; t < 9; t++) {
		__m512i v = _mm512_setzero_si512();
		if (pair == 1) v = pick_doubles(r, t);
		else {
#pragma GCC unroll 9
			for (int i = 0; i < 9; i++) v = _mm512_mask_permutexvar_epi16(v, taps3x3.words_in[t][i], taps3x3.words[t], r[i]);
		}
		_mm512_storeu_si512(dst + t * tap_step, v);
	}
}

static void pack_columns3x3(float *dst, product_shape s, ez_tensor w, panel_part q) {
	float unit[9][16 * 16];
	for (long c0 = 0; c0 < q.cols; c0 += 16)
		for (long p = 0; p < q.kn; p += 16) {
			long m = min_l(16, q.kn - p), n = min_l(16, q.cols - c0);
			if (n < 16) memset(unit, 0, sizeof unit);
			for (long c = 0; c < n; c++)
				pick_column(unit[0] + c * 16, 256, at(w, (q.n0 + c0 + c) * s.n_step + (q.k0 + p) * s.pair * 9), m, s.pair);
			for (long t = 0; t < 9; t++) place_columns(dst + (t * q.kn + p) * PANEL + c0, unit[t], m);
		}
}

static void pack_across3x3(float *dst, product_shape s, ez_tensor w, panel_part q) {
	for (long p = 0; p < q.kn; p++)
		for (long c0 = 0; c0 < q.cols; c0 += 16) {
			long n = min_l(16, q.cols - c0), from = (q.k0 + p) * s.pair * s.k_step + (q.n0 + c0) * 9;
			float *to = dst + p * PANEL + c0;
			__m512i r[10];
			if (s.pair == 1) {
				load_doubles(r, (const uint32_t *)at(w, from), 9 * n);
				for (int t = 0; t < 9; t++) _mm512_storeu_si512(to + t * q.kn * PANEL, pick_doubles(r, t));
				continue;
			}
			load_words(r, (const uint16_t *)at(w, from), 9 * n, 5);
			load_words(r + 5, (const uint16_t *)at(w, from + s.k_step), 9 * n, 5);
			for (int t = 0; t < 9; t++) {
				__m512i v = _mm512_setzero_si512();
#pragma GCC unroll 5
				for (int i = 0; i < 5; i++) {
					v = _mm512_mask_permutexvar_epi16(v, taps3x3.pairs_in[t][i] & 0x55555555u, taps3x3.pairs[t], r[i]);
					v = _mm512_mask_permutexvar_epi16(v, taps3x3.pairs_in[t][i] & 0xaaaaaaaau, taps3x3.pairs[t], r[5 + i]);
				}
				_mm512_storeu_si512(to + t * q.kn * PANEL, v);
			}
		}
}
#endif

static void pack_panel(float *dst, product_shape s, ez_tensor w, panel_part q) {
	int across = s.n_step < s.k_step;
	if (q.cols < PANEL) memset(dst, 0, s.taps * q.kn * PANEL * sizeof(float));
#if LANES == 16
	if (s.taps == 9 && w.dt == (s.pair == 2 ? EZ_BF16 : EZ_F32)) {
		if (across) pack_across3x3(dst, s, w, q);
		else pack_columns3x3(dst, s, w, q);
		return;
	}
#endif
	for (long t = 0; t < s.taps; t++)
		if (across) pack_across_columns(dst + t * q.kn * PANEL, s, w, t, q);
		else pack_columns(dst + t * q.kn * PANEL, s, w, t, q);
}
