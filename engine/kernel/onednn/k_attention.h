// Attention tiled over queries and keys with a running softmax: FlashAttention (Dao et al., arXiv 2205.14135,
// 2307.08691). A task is one head of one sample, or a part of its queries where heads are few.

#define QTILE 64L
#define KTILE 96L // a multiple of three vectors on every instruction set

typedef struct {
	long batch, heads, d, tq, tk, causal;
	long dp;     // d rounded up to whole vectors
	long tiles;  // of keys
	float scale;
} head_shape;

static inline head_shape head_dims(const ez_args *a) {
	head_shape s = {a->n[0], a->n[1], a->n[2], a->n[3], a->n[4], a->n[5], round_up(a->n[2], LANES), (a->n[4] + KTILE - 1) / KTILE, a->f[0]};
	return s;
}

// Rows [row, row+n) of head h of x[b,t,heads·d] into dst[n,dp], times scale; the rest of rows*dp becomes zero.
static void pack_rows(float *dst, ez_tensor x, head_shape s, long t, long b, long h, long row, long n, long rows, float scale) {
	for (long r = 0; r < n; r++) {
		float *d = dst + r * s.dp;
		widen(d, at(x, ((b * t + row + r) * s.heads + h) * s.d), x.dt, s.d);
		if (scale != 1.0f)
			for (long j = 0; j < s.d; j++) d[j] *= scale;
		for (long j = s.d; j < s.dp; j++) d[j] = 0;
	}
	if (rows > n) memset(dst + n * s.dp, 0, (rows - n) * s.dp * sizeof(float));
}

// The transpose of packed rows [n,dp] as [d,KTILE]; columns from n on become zero.
static void transpose(float *restrict dst, const float *restrict src, head_shape s, long n) {
	for (long r = 0; r < n; r += 16) {
		long m = min_l(16, n - r);
		for (long j = 0; j < s.d; j++)
			for (long i = 0; i < m; i++) dst[j * KTILE + r + i] = src[(r + i) * s.dp + j];
	}
	if (n < KTILE)
		for (long j = 0; j < s.d; j++) memset(dst + j * KTILE + n, 0, (KTILE - n) * sizeof(float));
}

static void unpack_rows(ez_tensor x, const float *src, head_shape s, long t, long b, long h, long row, long n) {
	for (long r = 0; r < n; r++) narrow(at(x, ((b * t + row + r) * s.heads + h) * s.d), x.dt, src + r * s.dp, s.d);
}

// Keys of a tile that query q may see.
static inline long visible(head_shape s, long q, long key0, long n) { return s.causal ? max_l(0, min_l(n, q - key0 + 1)) : n; }

// One score row becomes exp(s - top) with a new running top and sum; returns the factor for what was summed before.
static inline float softmax_row(float *p, long n, long width, float *top, float *sum) {
	float m = *top, l = 0;
#pragma omp simd reduction(max : m)
	for (long i = 0; i < n; i++) m = p[i] > m ? p[i] : m;
#pragma omp simd reduction(+ : l)
	for (long i = 0; i < n; i++) {
		float e = exp_f(p[i] - m);
		p[i] = e;
		l += e;
	}
	for (long i = n; i < width; i++) p[i] = 0;
	float before = *top == m ? 1.0f : *sum > 0 ? exp_f(*top - m) : 0.0f;
	*sum = *sum * before + l;
	*top = m;
	return before;
}

// One tile of queries against all keys. kt[tiles,d,KTILE], v[tk,dp] are packed; mem holds q, o and the scores.
static void attend(ez_args *a, head_shape s, long b, long h, long q0, const float *kt, const float *v, float *mem) {
	long n = min_l(QTILE, s.tq - q0), m = round_up(n, MR);
	float *q = mem, *o = q + QTILE * s.dp, *p = o + QTILE * s.dp, top[QTILE], sum[QTILE];
	pack_rows(q, a->t[2], s, s.tq, b, h, q0, n, m, s.scale);
	memset(o, 0, m * s.dp * sizeof(float));
	for (long i = 0; i < n; i++) top[i] = -INFINITY, sum[i] = 0;
	for (long t = 0; t < s.tiles; t++) {
		long k0 = t * KTILE, keys = min_l(KTILE, s.tk - k0), width = round_up(keys, LANES);
		if (s.causal && k0 > q0 + n - 1) break;
		gemm(m, width, s.d, q, s.dp, 1, kt + t * s.d * KTILE, KTILE, p, KTILE, 0);
		for (long i = 0; i < n; i++) {
			long seen = visible(s, q0 + i, k0, keys);
			if (!seen) {
				memset(p + i * KTILE, 0, width * sizeof(float));
				continue;
			}
			float f = softmax_row(p + i * KTILE, seen, width, top + i, sum + i);
			if (f != 1.0f) VECTOR for (long j = 0; j < s.dp; j++) o[i * s.dp + j] *= f;
		}
		gemm(m, s.dp, keys, p, KTILE, 1, v + k0 * s.dp, s.dp, o, s.dp, 1);
	}
	float *lse = (float *)a->t[1].p;
	for (long i = 0; i < n; i++) {
		float inv = 1.0f / sum[i];
		VECTOR for (long j = 0; j < s.dp; j++) o[i * s.dp + j] *= inv;
		lse[(b * s.heads + h) * s.tq + q0 + i] = top[i] + logf(sum[i]);
	}
	unpack_rows(a->t[0], o, s, s.tq, b, h, q0, n);
}

// In how many parts to cut each head, so that all threads have work.
static long parts_of(head_shape s, long pieces) {
	long heads = s.batch * s.heads, threads = omp_get_max_threads();
	if (heads % threads == 0 || heads >= 4 * threads) return 1;
	return max_l(1, min_l(pieces, (2 * threads + heads - 1) / heads));
}

// t: o, lse, q, k, v. n: batch, heads, d, tq, tk, causal. f: scale.
static int attention(ez_args *a) {
	head_shape s = head_dims(a);
	long qtiles = (s.tq + QTILE - 1) / QTILE, parts = parts_of(s, qtiles), tasks = s.batch * s.heads * parts;
	long each = round_up(s.tiles * KTILE * (s.d + s.dp) + QTILE * (2 * s.dp + KTILE) + KTILE * s.dp, 16);
	float *mem = ez_scratch(EZ_SLOT_WORK, each * omp_get_max_threads() * sizeof(float));
	if (!mem) return EZ_NOMEM;
#pragma omp parallel for schedule(dynamic) if (s.batch * s.heads * s.tq * s.tk * s.d > PARALLEL)
	for (long task = 0; task < tasks; task++) {
		long b = task / parts / s.heads, h = task / parts % s.heads, part = task % parts;
		float *kt = mem + omp_get_thread_num() * each, *v = kt + s.tiles * KTILE * s.d, *rest = v + s.tiles * KTILE * s.dp;
		pack_rows(v, a->t[4], s, s.tk, b, h, 0, s.tk, s.tk, 1);
		for (long t = 0; t < s.tiles; t++) {
			long k0 = t * KTILE, n = min_l(KTILE, s.tk - k0);
			pack_rows(rest, a->t[3], s, s.tk, b, h, k0, n, n, 1);
			transpose(kt + t * s.d * KTILE, rest, s, n);
		}
		for (long t = part * qtiles / parts; t < (part + 1) * qtiles / parts; t++) attend(a, s, b, h, t * QTILE, kt, v, rest);
	}
	return EZ_OK;
}
