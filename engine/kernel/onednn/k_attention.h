// Attention tiled over queries and keys with a running softmax: FlashAttention (Dao et al., arXiv 2205.14135,
// 2307.08691). A task is one head of one sample, or a part of its queries where heads are few.
//
// Scores are computed transposed, [keys, queries]: each lane of a vector is a query, so that the softmax needs no sums
// across lanes, and the output's rows are the head's channels, which need no padding to whole vectors. Elements are
// units (k_gemm.h): floats, or pairs of bfloat16 where q, k and v are bfloat16 and the machine multiplies it.

#define QB (3L * LANES) // queries of a block
#define KT 128L         // keys of a tile
#define LOG2E 1.44269504088896341f

typedef struct {
	long batch, heads, d, tq, tk, causal;
	float scale;
	int pair;    // numbers in a unit
	long du;     // units of a row's d numbers
	long dp;     // d rounded up to whole vectors
	long dm;     // d rounded up to whole register tiles
	long blocks; // of queries
	long tiles;  // of keys
} head_shape;

static head_shape head_dims(const ez_args *a, int pair) {
	head_shape s = {a->n[0], a->n[1], a->n[2], a->n[3], a->n[4], a->n[5], a->f[0], pair};
	s.du = (s.d + pair - 1) / pair;
	s.dp = round_up(s.d, LANES);
	s.dm = round_up(s.d, MR);
	s.blocks = (s.tq + QB - 1) / QB;
	s.tiles = (s.tk + KT - 1) / KT;
	return s;
}

// The size of units for tensors from t[first] to t[last]: pairs where all of them are bfloat16.
static int pair_of(const ez_args *a, int first, int last) {
#ifdef DOT
	for (int i = first; i <= last; i++)
		if (a->t[i].dt != EZ_BF16) return 1;
	return 2;
#else
	return 1;
#endif
}

static inline char *head_row(ez_tensor x, head_shape s, long t, long b, long h, long row) {
	return at(x, ((b * t + row) * s.heads + h) * s.d);
}

// n rows from row on as [rows, du] units along the channels; the rest becomes zero.
static void pack_rows(float *dst, ez_tensor x, head_shape s, long t, long b, long h, long row, long n, long rows) {
	memset(dst, 0, rows * s.du * sizeof(float));
	for (long r = 0; r < n; r++) {
		char *from = head_row(x, s, t, b, h, row + r);
		if (s.pair == 2) memcpy(dst + r * s.du, from, s.d * 2);
		else widen(dst + r * s.du, from, x.dt, s.d);
	}
}

// The same rows as [rows/pair, dp] units along the rows.
static void pack_across(float *dst, ez_tensor x, head_shape s, long t, long b, long h, long row, long n, long rows) {
	memset(dst, 0, rows / s.pair * s.dp * sizeof(float));
	for (long r = 0; r < n; r++) {
		char *from = head_row(x, s, t, b, h, row + r);
		if (s.pair == 1) {
			widen(dst + r * s.dp, from, x.dt, s.d);
			continue;
		}
		uint16_t *to = (uint16_t *)(dst + r / 2 * s.dp) + r % 2;
		for (long j = 0; j < s.d; j++) to[2 * j] = ((uint16_t *)from)[j];
	}
}

// A block of rows transposed: [du, QB] units along the channels, a row in each lane, times scale where units are floats.
static void pack_lanes(float *dst, ez_tensor x, head_shape s, long t, long b, long h, long row, float scale) {
	long n = min_l(QB, t - row);
	uint32_t buf[s.du];
	buf[s.du - 1] = 0;
	if (n < QB) memset(dst, 0, s.du * QB * sizeof(float));
	for (long r = 0; r < n; r++) {
		char *from = head_row(x, s, t, b, h, row + r);
		if (s.pair == 2) memcpy(buf, from, s.d * 2);
		else widen((float *)buf, from, x.dt, s.d);
		if (s.pair == 1)
			for (long j = 0; j < s.du; j++) dst[j * QB + r] = bits_float(buf[j]) * scale;
		else
			for (long j = 0; j < s.du; j++) ((uint32_t *)dst)[j * QB + r] = buf[j];
	}
}

// The first n lanes of [d, QB] as rows of x.
static void unpack_lanes(ez_tensor x, const float *src, head_shape s, long t, long b, long h, long row, long n, float scale) {
	float buf[s.d];
	for (long r = 0; r < n; r++) {
		for (long j = 0; j < s.d; j++) buf[j] = src[j * QB + r] * scale;
		narrow(head_row(x, s, t, b, h, row + r), x.dt, buf, s.d);
	}
}

// Hides keys after their query: scores of those lanes become hidden.
static void hide(float *st, long q0, long k0, long keys, float hidden) {
	for (long r = max_l(0, q0 - k0 + 1); r < keys; r++)
		for (long l = 0, n = min_l(QB, k0 + r - q0); l < n; l++) st[r * QB + l] = hidden;
}

// The running softmax of a block: the largest score and the sum of each lane.
typedef struct {
	float top[QB], sum[QB];
} softmax_state;

// Takes a tile of scores st[keys,QB], which are scaled by log2 e, into the state, and turns it into 2^(score - top). factor
// receives what earlier sums must be multiplied by; returns whether any of it is not 1. A hidden score becomes 2^-126, which
// vanishes beside those that are seen: the first tile has one for each query, its first key.
static int softmax_tile(float *st, long keys, softmax_state *w, float *factor) {
	int moved = 0;
	for (long j = 0; j < QB; j += LANES) {
		vf old = *(vf *)(w->top + j), top = old;
		for (long r = 0; r < keys; r++) top = larger(*(vf *)(st + r * QB + j), top);
		vf f = exp2_v(old - top), sum = *(vf *)(w->sum + j) * f;
		for (long r = 0; r < keys; r++) {
			vf e = exp2_v(*(vf *)(st + r * QB + j) - top);
			*(vf *)(st + r * QB + j) = e;
			sum += e;
		}
		*(vf *)(w->top + j) = top, *(vf *)(w->sum + j) = sum, *(vf *)(factor + j) = f;
	}
	for (long l = 0; l < QB; l++) moved |= factor[l] != 1.0f;
	return moved;
}

#ifdef DOT
// 2^x for x up to about 0, to 8e-5: what follows is rounded to bfloat16. A minimax polynomial on [0,1).
static inline __m512 exp2_rough(__m512 x) {
	__m512 r = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); // x less its floor, by which scalef scales
	__m512 p = _mm512_set1_ps(7.802459e-2f);
	p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(2.260674e-1f));
	p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(6.958333e-1f));
	p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(9.999253e-1f));
	return _mm512_scalef_ps(p, x);
}

// Two rows of sixteen floats as bfloat16 pairs along the rows.
static inline __m512i pair_rows(__m512 even, __m512 odd) {
	const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18,
		2, 17, 1, 16, 0);
	return _mm512_permutexvar_epi16(order, (__m512i)_mm512_cvtne2ps_pbh(odd, even));
}

// As softmax_tile, on unscaled scores and with pairs along the keys as the result pt[keys/2,QB]; top is scaled by unit,
// scale·log2 e.
static int softmax_pairs(const float *st, float *pt, long keys, float unit, softmax_state *w, float *factor) {
	int moved = 0;
	for (long j = 0; j < 3; j++) {
		const float *x = st + j * LANES;
		__m512 c = _mm512_set1_ps(unit), old = _mm512_loadu_ps(w->top + j * LANES), raw = _mm512_loadu_ps(x);
		for (long r = 1; r < keys; r++) raw = _mm512_max_ps(raw, _mm512_loadu_ps(x + r * QB));
		__m512 top = _mm512_max_ps(old, _mm512_mul_ps(raw, c)), f = exp2_rough(_mm512_sub_ps(old, top)), sum0 = _mm512_setzero_ps(), sum1 = sum0;
		for (long r = 0; r < keys; r += 2) {
			__m512 e0 = exp2_rough(_mm512_fmsub_ps(_mm512_loadu_ps(x + r * QB), c, top)), e1 = _mm512_setzero_ps();
			if (r + 1 < keys) e1 = exp2_rough(_mm512_fmsub_ps(_mm512_loadu_ps(x + (r + 1) * QB), c, top));
			sum0 = _mm512_add_ps(sum0, e0), sum1 = _mm512_add_ps(sum1, e1);
			_mm512_storeu_si512(pt + r / 2 * QB + j * LANES, pair_rows(e0, e1));
		}
		__m512 sum = _mm512_fmadd_ps(_mm512_loadu_ps(w->sum + j * LANES), f, _mm512_add_ps(sum0, sum1));
		moved |= _mm512_cmpneq_ps_mask(f, _mm512_set1_ps(1.0f)) != 0;
		_mm512_storeu_ps(factor + j * LANES, f), _mm512_storeu_ps(w->top + j * LANES, top), _mm512_storeu_ps(w->sum + j * LANES, sum);
	}
	return moved;
}
#endif

// The memory of one block of queries: queries and output by lanes, scores, weights.
#define BLOCK_FLOATS(s) (((s).du + (s).dm + 2 * KT) * QB)

// One block of queries against all keys. k[tk,du] and v[tk/pair,dp] are packed.
static void attend(ez_args *a, head_shape s, long b, long h, long q0, const float *k, const float *v, float *mem) {
	long n = min_l(QB, s.tq - q0);
	float *q = mem, *o = q + s.du * QB, *st = o + s.dm * QB, *pt = s.pair == 2 ? st + KT * QB : st, factor[QB];
	softmax_state w;
	pack_lanes(q, a->t[2], s, s.tq, b, h, q0, s.scale * LOG2E);
	memset(o, 0, s.dm * QB * sizeof(float));
	for (long l = 0; l < QB; l++) w.top[l] = -INFINITY, w.sum[l] = 0;
	for (long k0 = 0; k0 < s.tk && (!s.causal || k0 < q0 + n); k0 += KT) {
		long keys = min_l(KT, s.tk - k0);
		gemm(s.pair, round_up(keys, MR), QB, s.du, k + k0 * s.du, s.du, 1, q, QB, st, QB, 0);
		if (s.causal) hide(st, q0, k0, keys, -INFINITY);
		int moved;
#ifdef DOT
		if (s.pair == 2) moved = softmax_pairs(st, pt, keys, s.scale * LOG2E, &w, factor);
		else
#endif
			moved = softmax_tile(st, keys, &w, factor);
		if (moved)
			for (long j = 0; j < s.d; j++)
				VECTOR for (long l = 0; l < QB; l++) o[j * QB + l] *= factor[l];
		gemm(s.pair, s.dm, QB, (keys + s.pair - 1) / s.pair, v + k0 / s.pair * s.dp, 1, s.dp, pt, QB, o, QB, 1);
	}
	float *lse = (float *)a->t[1].p + (b * s.heads + h) * s.tq + q0;
	for (long l = 0; l < n; l++) lse[l] = w.top[l] / LOG2E + logf(w.sum[l]);
	VECTOR for (long l = 0; l < QB; l++) factor[l] = 1.0f / w.sum[l];
	for (long j = 0; j < s.d; j++)
		VECTOR for (long l = 0; l < QB; l++) o[j * QB + l] *= factor[l];
	unpack_lanes(a->t[0], o, s, s.tq, b, h, q0, n, 1);
}

// In how many parts to cut each head, so that all threads have work.
static long parts_of(head_shape s, long pieces) {
	long heads = s.batch * s.heads, threads = omp_get_max_threads();
	if (heads % threads == 0 || heads >= 4 * threads) return 1;
	return max_l(1, min_l(pieces, (2 * threads + heads - 1) / heads));
}

// t: o, lse, q, k, v. n: batch, heads, d, tq, tk, causal. f: scale.
static int attention(ez_args *a) {
	head_shape s = head_dims(a, pair_of(a, 2, 4));
	long parts = parts_of(s, s.blocks), tasks = s.batch * s.heads * parts, rows = round_up(s.tk, KT);
	long keys = round_up(rows * s.du, 16), values = round_up(rows / s.pair * s.dp + MR, 16); // tiles read past the last channel
	long each = round_up(keys + values + BLOCK_FLOATS(s), 16);
	float *mem = ez_scratch(EZ_SLOT_WORK, each * omp_get_max_threads() * sizeof(float));
	if (!mem) return EZ_NOMEM;
#pragma omp parallel for schedule(dynamic) if (s.batch * s.heads * s.tq * s.tk * s.d > PARALLEL)
	for (long task = 0; task < tasks; task++) {
		long b = task / parts / s.heads, h = task / parts % s.heads, part = task % parts;
		float *k = mem + omp_get_thread_num() * each, *v = k + keys, *block = v + values;
		pack_rows(k, a->t[3], s, s.tk, b, h, 0, s.tk, rows);
		pack_across(v, a->t[4], s, s.tk, b, h, 0, s.tk, rows);
		memset(v + rows / s.pair * s.dp, 0, MR * sizeof(float));
		for (long t = part * s.blocks / parts; t < (part + 1) * s.blocks / parts; t++) attend(a, s, b, h, t * QB, k, v, block);
	}
	return EZ_OK;
}
