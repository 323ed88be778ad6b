// The weight's gradient of a Winograd convolution: with V = Bt x B of the input's tiles and Z = A dy At of those of the
// output's gradient, dU = V Z summed over the tiles at each point, and dw = Gt dU G.
//
// A block of WG_SIDE by WG_SIDE channels is summed at a time, WG_BATCH tiles after WG_BATCH tiles: the team transforms
// them, then each task multiplies at one of the points.

#define WG_SIDE 320
#define WG_ROW (WG_SIDE + 16) // an odd number of cache lines, which spreads rows over the cache's sets
#define WG_BATCH 96

// One dimension of A dy: four values `from` apart become six `to` apart.
static inline __attribute__((always_inline)) void wg_a(vf *o, const int to, const vf *d, const int from) {
	vf a = d[0], b = d[from], c = d[2 * from], e = d[3 * from];
	vf even = a + Q1 * c, odd = P1 * b + P1 * Q1 * e, even2 = a + Q2 * c, odd2 = P2 * b + P2 * Q2 * e;
	o[0] = a;
	o[to] = even + odd;
	o[2 * to] = even - odd;
	o[3 * to] = even2 + odd2;
	o[4 * to] = even2 - odd2;
	o[5 * to] = e;
}

// One dimension of Gt dU: six values `from` apart become three `to` apart.
static inline __attribute__((always_inline)) void wg_gt(vf *o, const int to, const vf *u, const int from) {
	vf a = u[from] + u[2 * from], b = u[from] - u[2 * from], c = u[3 * from] + u[4 * from], d = u[3 * from] - u[4 * from];
	o[0] = u[0] * (1 / N0) + a * (1 / N1) + c * (1 / N2);
	o[to] = b * (P1 / N1) + d * (P2 / N2);
	o[2 * to] = a * (Q1 / N1) + c * (Q2 / N2) + u[5 * from];
}

// Channels c and on of a tile of dy, at its place in Z.
static void wg_output_grad(const wg *s, long tile, long c, float *z, long plane) {
	vf d[16], a[24], o[36];
	long n = max_l(0, s->n - c), img = tile / (s->rows * s->cols), y0 = tile / s->cols % s->rows * 4, x0 = tile % s->cols * 4;
	for (long r = 0; r < 4; r++)
		for (long q = 0; q < 4; q++) {
			int inside = y0 + r < s->h && x0 + q < s->width;
			d[r * 4 + q] = inside ? wg_load(s->y, ((img * s->h + y0 + r) * s->width + x0 + q) * s->n + c, n) : (vf){0};
		}
	for (int q = 0; q < 4; q++) wg_a(a + q, 4, d + q, 4);
	for (int r = 0; r < 6; r++) wg_a(o + r * 6, 1, a + r * 4, 1);
	for (int p = 0; p < 36; p++) *(vf *)(z + p * plane) = o[p];
}

// The gradients of the filters from input channel i to output channels o and on, from their place in dU.
static void wg_filter_grad(const wg *s, long i, long o, const float *u, long plane) {
	vf d[36], a[18], g[9];
	for (int p = 0; p < 36; p++) d[p] = *(const vf *)(u + p * plane);
	for (int q = 0; q < 6; q++) wg_gt(a + q, 6, d + q, 6);
	for (int r = 0; r < 3; r++) wg_gt(g + r * 3, 1, a + r * 6, 1);
	const float *tap = (const float *)g;
	for (long l = 0; l < min_l(LANES, s->n - o); l++)
		for (int t = 0; t < 9; t++) ((float *)s->w.p)[((o + l) * s->k + i) * 9 + t] = tap[t * LANES + l];
}

// dU (+)= V Z at one point, for rows of dU, a multiple of two, and all its columns.
static void wg_multiply_grad(long rows, long cols, long tiles, const float *v, const float *z, float *u, int accumulate) {
	for (long j = 0; j < cols; j += WG_PANEL) {
		long i = 0;
#define WG_ROWS(n) \
	for (; i + n <= rows; i += n) \
		wg_tile(n, tiles, v + i, 1, WG_ROW, z + j, WG_ROW, u + i * WG_ROW + j, WG_ROW, accumulate, v + i, z + j);
		WG_ROWS(WG_MR)
		WG_ROWS(4)
		WG_ROWS(2)
#undef WG_ROWS
	}
}

// t: dw, x, dy. n: pictures, height, width, input channels, output channels.
static int winograd_grad(ez_args *a) {
	wg s = {.w = a->t[0], .x = a->t[1], .y = a->t[2], .h = a->n[1], .width = a->n[2], .k = a->n[3], .n = a->n[4]};
	wg_tiles(&s, a->n[0]);
	long batch = min_l(WG_BATCH, s.tiles), side = min_l(WG_SIDE, round_up(s.k, 2));
	float *v = ez_scratch(EZ_SLOT_WORK, WG_POINTS * (2 * batch + side) * WG_ROW * sizeof(float));
	if (!v) return EZ_NOMEM;
	float *z = v + WG_POINTS * batch * WG_ROW, *u = z + WG_POINTS * batch * WG_ROW;
	long plane = batch * WG_ROW, u_plane = side * WG_ROW;
#pragma omp parallel
	for (long i0 = 0; i0 < s.k; i0 += WG_SIDE)
		for (long o0 = 0; o0 < s.n; o0 += WG_SIDE) {
			long in = min_l(WG_SIDE, s.k - i0), out = min_l(WG_SIDE, s.n - o0);
			long vectors = (in + LANES - 1) / LANES, all = vectors + round_up(out, WG_PANEL) / LANES;
			for (long first = 0; first < s.tiles; first += batch) {
				long count = min_l(batch, s.tiles - first);
#pragma omp for collapse(2)
				for (long t = 0; t < count; t++)
					for (long c = 0; c < all; c++) {
						long j = (c - vectors) * LANES;
						if (c < vectors) wg_input(&s, first + t, i0 + c * LANES, v + t * WG_ROW + c * LANES, plane);
						else wg_output_grad(&s, first + t, o0 + j, z + t * WG_ROW + j, plane);
					}
#pragma omp for collapse(2) schedule(dynamic)
				for (long p = 0; p < WG_POINTS; p++)
					for (long i = 0; i < in; i += 8 * WG_MR)
						wg_multiply_grad(min_l(8 * WG_MR, round_up(in - i, 2)), out, count, v + p * plane + i, z + p * plane, u + p * u_plane + i * WG_ROW, first > 0);
			}
#pragma omp for
			for (long i = 0; i < in; i++)
				for (long o = 0; o < out; o += LANES) wg_filter_grad(&s, i0 + i, o0 + o, u + i * WG_ROW + o, u_plane);
		}
	return EZ_OK;
}
