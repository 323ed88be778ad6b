// Convolution with a 3x3 kernel, stride 1 and a border of one pixel by Winograd's F(4x4,3x3) (Lavin and Gray, arXiv
// 1509.09308): Y = At [ (G g Gt) . (Bt d B) ] A for tiles of 4x4 pixels, a quarter of the multiplications. The gradient
// of the input is the same with the kernel turned by 180 degrees and the channels exchanged.
//
// A chunk of tiles is transformed into V by the whole team. Then each task takes some of its tiles and WG_COLS output
// channels: it transforms the filters, WG_DEPTH input channels at a time, multiplies at each of the 36 points of a
// tile into M, and transforms M into pixels. So filters are never kept, and M and the filters stay in a core's cache.

#if LANES == 16
#define WG_MR 12 // rows of a register tile, of two vectors
#else
#define WG_MR 6
#endif
#define WG_PANEL (2 * LANES)
#define WG_COLS 32          // output channels of a task
#define WG_DEPTH 64         // input channels at a time
#define WG_TILES 128        // tiles of a task
#define WG_CHUNK (1L << 20) // floats of V for each thread
#define WG_POINTS 36
#define WG_U (WG_POINTS * (WG_DEPTH * WG_PANEL + LANES)) // a panel of filters; LANES keep points off one set of the cache

// The transforms interpolate at 0, +-P1, +-P2 and infinity. These points are exact in binary and keep the errors that the
// transforms magnify to a third of what the usual 1 and 2 leave.
#define P1 0.75f
#define P2 1.5f
#define Q1 (P1 * P1)
#define Q2 (P2 * P2)
#define N0 (Q1 * Q2) // the product of a point's distances from the others
#define N1 (2 * Q1 * (Q1 - Q2))
#define N2 (2 * Q2 * (Q2 - Q1))

typedef int vi __attribute__((vector_size(4 * LANES)));
typedef uint16_t vh __attribute__((vector_size(2 * LANES), aligned(2), may_alias));

typedef struct {
	ez_tensor y, x, w, bias, add;
	long h, width, k, n;    // pixels, input and output channels
	int turned;             // the kernel by 180 degrees, w's channels exchanged
	long rows, cols, tiles; // of 4x4 pixels, in a picture; in all
} wg;

// n floats from off, zeros after them.
static inline vf wg_load(ez_tensor t, long off, long n) {
	if (n >= LANES && t.dt == EZ_F32) return *(const vf *)at(t, off);
	if (n >= LANES && t.dt == EZ_BF16) return (vf)(__builtin_convertvector(*(const vh *)at(t, off), vi) << 16);
	float buf[LANES] = {0};
	widen(buf, at(t, off), t.dt, min_l(n, LANES));
	return *(vf *)buf;
}

static inline void wg_store(ez_tensor t, long off, long n, vf v) {
	if (n >= LANES && t.dt == EZ_F32) *(vf *)at(t, off) = v;
	else if (n >= LANES && t.dt == EZ_BF16) narrow(at(t, off), EZ_BF16, (float *)&v, LANES); // of a known length, for the compiler
	else narrow(at(t, off), t.dt, (float *)&v, min_l(n, LANES));
}

// One dimension of Bt d: six values `from` apart become six `to` apart.
static inline __attribute__((always_inline)) void wg_bt(vf *o, const int to, const vf *d, const int from) {
	vf a = d[0], b = d[from], c = d[2 * from], e = d[3 * from], f = d[4 * from], g = d[5 * from];
	vf p = f - Q2 * c, q = P1 * (e - Q2 * b), r = f - Q1 * c, s = P2 * (e - Q1 * b);
	o[0] = N0 * a - (Q1 + Q2) * c + f;
	o[to] = p + q;
	o[2 * to] = p - q;
	o[3 * to] = r + s;
	o[4 * to] = r - s;
	o[5 * to] = N0 * b - (Q1 + Q2) * e + g;
}

// One dimension of At m: six values `from` apart become four `to` apart.
static inline __attribute__((always_inline)) void wg_at(vf *o, const int to, const vf *m, const int from) {
	vf a = m[from] + m[2 * from], b = m[from] - m[2 * from], c = m[3 * from] + m[4 * from], d = m[3 * from] - m[4 * from];
	o[0] = m[0] + a + c;
	o[to] = P1 * b + P2 * d;
	o[2 * to] = Q1 * a + Q2 * c;
	o[3 * to] = P1 * Q1 * b + P2 * Q2 * d + m[5 * from];
}

// One dimension of G g: three values `from` apart become six `to` apart.
static inline __attribute__((always_inline)) void wg_g(vf *o, const int to, const vf *g, const int from) {
	vf a = g[0], b = g[from], c = g[2 * from];
	vf s = a * (1 / N1) + c * (Q1 / N1), t = b * (P1 / N1), u = a * (1 / N2) + c * (Q2 / N2), v = b * (P2 / N2);
	o[0] = a * (1 / N0);
	o[to] = s + t;
	o[2 * to] = s - t;
	o[3 * to] = u + v;
	o[4 * to] = u - v;
	o[5 * to] = c;
}

// Channels c and on of a tile, at its place in V: row `row` of planes of `plane` floats.
static void wg_input(const wg *s, long tile, long c, float *v, long plane) {
	vf a[36];
	long n = s->k - c, img = tile / (s->rows * s->cols), y0 = tile / s->cols % s->rows * 4 - 1, x0 = tile % s->cols * 4 - 1;
	for (long q = 0; q < 6; q++) {
		vf d[6];
		long x = x0 + q;
#pragma GCC unroll 6
		for (long r = 0; r < 6; r++) {
			long y = y0 + r;
			int inside = y >= 0 && x >= 0 && y < s->h && x < s->width;
			d[r] = inside ? wg_load(s->x, ((img * s->h + y) * s->width + x) * s->k + c, n) : (vf){0};
		}
		wg_bt(a + q, 6, d, 1);
	}
#pragma GCC unroll 6
	for (int r = 0; r < 6; r++) {
		vf o[6];
		wg_bt(o, 1, a + r * 6, 1);
#pragma GCC unroll 6
		for (int q = 0; q < 6; q++) {
			*(vf *)(v + (r * 6 + q) * plane) = o[q];
			__builtin_prefetch(v + (r * 6 + q) * plane + LANES, 1);
		}
	}
}

// Channels c and on of a tile's pixels, from its row of M.
static void wg_output(const wg *s, long tile, long c, const float *m, long plane) {
	vf d[36], a[24], z[16];
	long n = s->n - c, img = tile / (s->rows * s->cols), y0 = tile / s->cols % s->rows * 4, x0 = tile % s->cols * 4;
	for (int p = 0; p < 36; p++) d[p] = *(const vf *)(m + p * plane);
	for (int q = 0; q < 6; q++) wg_at(a + q, 6, d + q, 6);
	for (int r = 0; r < 4; r++) wg_at(z + r * 4, 1, a + r * 6, 1);
	vf bias = s->bias.p ? wg_load(s->bias, c, n) : (vf){0};
	for (long r = 0; r < min_l(4, s->h - y0); r++)
		for (long q = 0; q < min_l(4, s->width - x0); q++) {
			long off = ((img * s->h + y0 + r) * s->width + x0 + q) * s->n + c;
			vf v = z[r * 4 + q] + bias;
			if (s->add.p) v += wg_load(s->add, off, n);
			wg_store(s->y, off, n, v);
		}
}

#if LANES == 16
#define WG_LANES(X) X(0), X(1), X(2), X(3), X(4), X(5), X(6), X(7), X(8), X(9), X(10), X(11), X(12), X(13), X(14), X(15)
#elif LANES == 8
#define WG_LANES(X) X(0), X(1), X(2), X(3), X(4), X(5), X(6), X(7)
#else
#define WG_LANES(X) X(0), X(1), X(2), X(3)
#endif
#define WG_LOW(l) (l & s ? LANES + l - s : l)
#define WG_HIGH(l) (l & s ? LANES + l : l + s)

// One step of a transposition: exchanges between vectors s apart the elements s apart.
static inline __attribute__((always_inline)) void wg_exchange(vf *r, const int s) {
	const vi low = {WG_LANES(WG_LOW)}, high = {WG_LANES(WG_HIGH)};
#pragma GCC unroll 16
	for (int i = 0; i < LANES; i++) {
		if (i & s) continue;
		vf a = r[i], b = r[i + s];
		r[i] = __builtin_shuffle(a, b, low);
		r[i + s] = __builtin_shuffle(a, b, high);
	}
}

static inline __attribute__((always_inline)) void wg_transpose(vf *r) {
	if (LANES > 8) wg_exchange(r, LANES / 2);
	if (LANES > 4) wg_exchange(r, 4);
	wg_exchange(r, 2);
	wg_exchange(r, 1);
}

// LANES filters, `step` floats apart, at their 36 points.
static inline __attribute__((always_inline)) void wg_filter(const float *g, long step, float *u, long plane, const int turned) {
	vf t[9], a[18];
#pragma GCC unroll 3
	for (int c = 0; c < 9; c += LANES) {
		vf r[LANES];
#pragma GCC unroll 16
		for (int l = 0; l < LANES; l++) r[l] = *(const vf *)(g + l * step + c);
		wg_transpose(r);
#pragma GCC unroll 16
		for (int l = 0; l < LANES; l++)
			if (c + l < 9) t[turned ? 8 - c - l : c + l] = r[l];
	}
#pragma GCC unroll 3
	for (int q = 0; q < 3; q++) wg_g(a + q, 3, t + q, 3);
#pragma GCC unroll 6
	for (int r = 0; r < 6; r++) {
		vf o[6];
		wg_g(o, 1, a + r * 3, 1);
#pragma GCC unroll 6
		for (int q = 0; q < 6; q++) *(vf *)(u + (r * 6 + q) * plane) = o[q];
	}
}

// The filters from input channels k to k+depth and output channels n to n+LANES, rows WG_PANEL apart at each point.
static void wg_filters(const wg *s, long k, long depth, long n, float *u) {
	float buf[LANES * LANES * 9 + 16] = {0}; // what lies beyond the last channel stays
	long cols = max_l(0, min_l(LANES, s->n - n)), plane = depth * WG_PANEL + LANES;
	for (long k0 = 0; k0 < depth; k0 += LANES) {
		long count = min_l(LANES, depth - k0);
		if (s->turned)
			for (long i = 0; i < count; i++) widen(buf + i * LANES * 9, at(s->w, ((k + k0 + i) * s->n + n) * 9), s->w.dt, cols * 9);
		else
			for (long i = 0; i < cols; i++) widen(buf + i * LANES * 9, at(s->w, ((n + i) * s->k + k + k0) * 9), s->w.dt, count * 9);
		for (long i = 0; i < count; i++, u += WG_PANEL)
			if (s->turned) wg_filter(buf + i * LANES * 9, 9, u, plane, 1);
			else wg_filter(buf + i * 9, LANES * 9, u, plane, 0);
	}
}

// A register tile of C (+)= A B: `rows` rows of two vectors, sums of k terms. A's steps between rows and terms are ar and
// ak, B's between terms bk, C's between rows cr. It asks early for what the next tiles read: C below, and A and B at ahead_a
// and ahead_b.
static inline __attribute__((always_inline)) void wg_tile(const int rows, long k, const float *a, const long ar, const long ak,
	const float *b, const long bk, float *c, const long cr, int accumulate, const float *ahead_a, const float *ahead_b) {
	vf s[WG_MR][2];
#pragma GCC unroll 12
	for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
		for (int j = 0; j < 2; j++) {
			s[i][j] = accumulate ? *(vf *)(c + i * cr + j * LANES) : (vf){0};
			__builtin_prefetch(c + (rows + i) * cr + j * LANES, 1);
		}
	for (long p = 0; p < k; p++, a += ak, b += bk, ahead_a += rows, ahead_b += WG_PANEL) {
		vf v0 = *(const vf *)b, v1 = *(const vf *)(b + LANES);
		__builtin_prefetch(ahead_a);
		__builtin_prefetch(ahead_b, 0, 2);
#pragma GCC unroll 12
		for (int i = 0; i < rows; i++) {
			s[i][0] += a[i * ar] * v0;
			s[i][1] += a[i * ar] * v1;
		}
	}
#pragma GCC unroll 12
	for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
		for (int j = 0; j < 2; j++) *(vf *)(c + i * cr + j * LANES) = s[i][j];
}

// M (+)= V U for some tiles, a multiple of two, and one panel.
static void wg_multiply(long tiles, long k, const float *v, const float *u, float *m, int accumulate) {
	const float *next = u + WG_DEPTH * WG_PANEL + LANES; // the panel of the next point
	long i = 0;
#define WG_ROWS(n) \
	for (; i + n <= tiles; i += n, v += n * WG_DEPTH) \
		wg_tile(n, k, v, WG_DEPTH, 1, u, WG_PANEL, m + i * WG_COLS, WG_COLS, accumulate, v + n * WG_DEPTH, next);
	WG_ROWS(WG_MR)
	WG_ROWS(4)
	WG_ROWS(2)
#undef WG_ROWS
}

// A task: tiles from `first`, whose transforms are v, and output channels from n.
static void wg_task(const wg *s, long first, long tiles, const float *v, long n, float *u, float *m) {
	long even = round_up(tiles, 2), width = min_l(WG_COLS, round_up(s->n - n, LANES));
	for (long k = 0; k < s->k; k += WG_DEPTH, v += 36 * even * WG_DEPTH) {
		long depth = min_l(WG_DEPTH, s->k - k);
		for (long c = 0; c < width; c += LANES) wg_filters(s, k, depth, n + c, u + c / WG_PANEL * WG_U + c % WG_PANEL);
		for (long p = 0; p < 36; p++)
			for (long c = 0; c < width; c += WG_PANEL)
				wg_multiply(even, depth, v + p * even * WG_DEPTH, u + c / WG_PANEL * WG_U + p * (depth * WG_PANEL + LANES), m + p * even * WG_COLS + c, k > 0);
	}
	for (long t = 0; t < tiles; t++)
		for (long c = 0; c < width; c += LANES) wg_output(s, first + t, n + c, m + t * WG_COLS + c, even * WG_COLS);
}

// The tiles of some pictures.
static void wg_tiles(wg *s, long pictures) {
	s->rows = (s->h + 3) / 4, s->cols = (s->width + 3) / 4, s->tiles = pictures * s->rows * s->cols;
}

static inline long wg_parts(long n, long most) { return (n + most - 1) / most; }

// t: y, x, w, bias, add. n: pictures, height, width, input channels, output channels, whether w is the weight of the
// convolution whose input's gradient this is.
static int winograd(ez_args *a) {
	wg s = {a->t[0], a->t[1], a->t[2], a->t[3], a->t[4], a->n[1], a->n[2], a->n[3], a->n[4], a->n[5] != 0};
	wg_tiles(&s, a->n[0]);
	long threads = omp_get_max_threads(), ld = round_up(s.k, WG_DEPTH), most = max_l(threads * WG_CHUNK / (WG_POINTS * ld), 32);
	long chunk = wg_parts(s.tiles, wg_parts(s.tiles, most)), size = round_up(wg_parts(chunk, wg_parts(chunk, WG_TILES)), 2); // even parts
	long tasks = wg_parts(chunk, size), panels = wg_parts(s.n, WG_COLS), block = WG_POINTS * size * ld; // V of one task
	long u_size = WG_COLS / WG_PANEL * WG_U, local = u_size + WG_POINTS * size * WG_COLS;
	float *v = ez_scratch(EZ_SLOT_WORK, (tasks * block + threads * local) * sizeof(float));
	if (!v) return EZ_NOMEM;
#pragma omp parallel
	for (long first = 0; first < s.tiles; first += chunk) {
		float *u = v + tasks * block + omp_get_thread_num() * local, *m = u + u_size;
		long count = min_l(chunk, s.tiles - first);
#pragma omp for collapse(2)
		for (long t = 0; t < count; t++)
			for (long c = 0; c < s.k; c += LANES) {
				long task = t / size, even = round_up(min_l(size, count - task * size), 2);
				wg_input(&s, first + t, c, v + task * block + (c / WG_DEPTH * WG_POINTS * even + t % size) * WG_DEPTH + c % WG_DEPTH, even * WG_DEPTH);
			}
#pragma omp for collapse(2) schedule(dynamic)
		for (long task = 0; task < tasks; task++)
			for (long j = 0; j < panels; j++) {
				long from = task * size, tiles = min_l(size, count - from);
				if (tiles > 0) wg_task(&s, first + from, tiles, v + task * block, j * WG_COLS, u, m);
			}
	}
	return EZ_OK;
}
