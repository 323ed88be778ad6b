// The backward pass of attention: scores are computed again tile by tile from q, k and lse. A task is one head of one
// sample, or a part of its keys where heads are few: dk and dv belong to one task each, dq is then summed in order.
// Scores are transposed as in the forward pass.

// A task's working memory. Of all queries, block by block: dq, q and dout by lanes [d,QB]; q and dout across [QB/pair,dp];
// lse and Σ dout·o.
typedef struct {
	float *dq, *qt, *dt, *qx, *dx, *lse, *dsum; // dq leads
	float *k, *v, *kx, *dk, *dv;                // one tile of keys: [KT,du], [KT,du], [KT/pair,dp], [KT,dp], [KT,dp]
	float *p, *ds;                              // scores and their gradient [KT,QB]
	float *pr, *dr, *dsx;                       // as pairs: along queries [KT,QB/2], along keys [KT/2,QB]
} grad_memory;

static float *carve(float **mem, long n) {
	float *p = *mem;
	*mem += round_up(n, 16);
	return p;
}

// Lays out a task's memory from mem on and returns its end.
static float *grad_layout(head_shape s, float *mem, grad_memory *g) {
	long rows = s.blocks * QB, spare = MR; // register tiles read past the last channel
	g->dq = carve(&mem, s.blocks * s.dm * QB);
	g->qt = carve(&mem, rows * s.du);
	g->dt = carve(&mem, rows * s.du);
	g->qx = carve(&mem, rows / s.pair * s.dp);
	g->dx = carve(&mem, rows / s.pair * s.dp);
	g->lse = carve(&mem, rows);
	g->dsum = carve(&mem, rows);
	g->k = carve(&mem, KT * s.du);
	g->v = carve(&mem, KT * s.du);
	g->kx = carve(&mem, KT / s.pair * s.dp + spare);
	g->dk = carve(&mem, KT * s.dp);
	g->dv = carve(&mem, KT * s.dp);
	g->p = carve(&mem, KT * QB);
	g->ds = carve(&mem, KT * QB);
	g->pr = g->p, g->dr = g->ds, g->dsx = g->ds;
	if (s.pair == 2) {
		g->pr = carve(&mem, KT * QB / 2);
		g->dr = carve(&mem, KT * QB / 2);
		g->dsx = carve(&mem, KT * QB / 2);
	}
	return mem;
}

// Turns scores p, scaled by log2 e, and their gradient ds, [keys,QB], into softmax weights and the gradient of the scores
// before it. Where all of a query's keys are here, sums are of what is really there instead of what the forward pass rounded.
static void grad_scores(head_shape s, const grad_memory *g, long q0, long k0, long keys) {
	if (s.causal) hide(g->p, q0, k0, keys, -INFINITY);
	for (long j = 0; j < QB; j += LANES) {
		float *p = g->p + j, *ds = g->ds + j;
		vf lse = *(vf *)(g->lse + q0 + j) * LOG2E, sum = *(vf *)(g->dsum + q0 + j), over = (vf){0} + 1.0f, all = {0}, dot = {0};
		if (s.tiles == 1) {
			for (long r = 0; r < keys; r++) {
				vf weight = exp2_v(*(vf *)(p + r * QB) - lse);
				all += weight;
				dot += weight * *(vf *)(ds + r * QB);
			}
			over = 1.0f / all, sum = dot * over;
		}
		for (long r = 0; r < keys; r++) {
			vf weight = exp2_v(*(vf *)(p + r * QB) - lse) * over;
			*(vf *)(p + r * QB) = weight;
			*(vf *)(ds + r * QB) = weight * (*(vf *)(ds + r * QB) - sum);
		}
	}
	long rest = (round_up(keys, MR) - keys) * QB;
	memset(g->p + keys * QB, 0, rest * sizeof(float));
	memset(g->ds + keys * QB, 0, rest * sizeof(float));
}

#ifdef DOT
// 48 floats as bfloat16 in their order.
static inline void store_row(float *dst, const __m512 *x) {
	_mm512_storeu_si512(dst, (__m512i)_mm512_cvtne2ps_pbh(x[1], x[0]));
	_mm256_storeu_si256((__m256i *)(dst + 16), (__m256i)_mm512_cvtneps_pbh(x[2]));
}

// As grad_scores, with the results as pairs.
static void grad_pairs(head_shape s, const grad_memory *g, long q0, long k0, long keys) {
	__m512 lse[3], sum[3], over[3], c = _mm512_set1_ps(s.scale * LOG2E);
	for (int j = 0; j < 3; j++) {
		lse[j] = _mm512_mul_ps(_mm512_loadu_ps(g->lse + q0 + j * LANES), _mm512_set1_ps(LOG2E));
		sum[j] = _mm512_loadu_ps(g->dsum + q0 + j * LANES);
		over[j] = _mm512_set1_ps(1);
	}
	long rows = round_up(keys, MR);
	if (s.causal) hide(g->p, q0, k0, keys, -INFINITY);
	for (long r = keys; r < rows; r++)
		for (long l = 0; l < QB; l++) g->p[r * QB + l] = -INFINITY, g->ds[r * QB + l] = 0;
	if (s.tiles == 1) {
		for (int j = 0; j < 3; j++) {
			__m512 all = _mm512_setzero_ps(), dot = all;
			for (long r = 0; r < keys; r++) {
				__m512 p = exp2_rough(_mm512_fmsub_ps(_mm512_loadu_ps(g->p + r * QB + j * LANES), c, lse[j]));
				all = _mm512_add_ps(all, p);
				dot = _mm512_fmadd_ps(p, _mm512_loadu_ps(g->ds + r * QB + j * LANES), dot);
			}
			over[j] = _mm512_div_ps(_mm512_set1_ps(1), all);
			sum[j] = _mm512_mul_ps(dot, over[j]);
		}
	}
	for (long r = 0; r < rows; r += 2) {
		__m512 p[2][3], ds[2][3];
#pragma GCC unroll 2
		for (int i = 0; i < 2; i++)
#pragma GCC unroll 3
			for (int j = 0; j < 3; j++) {
				long at = (r + i) * QB + j * LANES;
				p[i][j] = _mm512_mul_ps(over[j], exp2_rough(_mm512_fmsub_ps(_mm512_loadu_ps(g->p + at), c, lse[j])));
				ds[i][j] = _mm512_mul_ps(p[i][j], _mm512_sub_ps(_mm512_loadu_ps(g->ds + at), sum[j]));
			}
#pragma GCC unroll 2
		for (int i = 0; i < 2; i++) {
			store_row(g->pr + (r + i) * QB / 2, p[i]);
			store_row(g->dr + (r + i) * QB / 2, ds[i]);
		}
#pragma GCC unroll 3
		for (int j = 0; j < 3; j++) _mm512_storeu_si512(g->dsx + r / 2 * QB + j * LANES, pair_rows(ds[0][j], ds[1][j]));
	}
}
#endif

// Adds one tile of keys x block of queries to dq, dk and dv.
static void grad_tile(head_shape s, const grad_memory *g, long q0, long k0, long keys) {
	long m = round_up(keys, MR), block = q0 / QB, across = q0 / s.pair * s.dp;
	gemm(s.pair, m, QB, s.du, g->k, s.du, 1, g->qt + q0 * s.du, QB, g->p, QB, 0);
	gemm(s.pair, m, QB, s.du, g->v, s.du, 1, g->dt + q0 * s.du, QB, g->ds, QB, 0);
#ifdef DOT
	if (s.pair == 2) grad_pairs(s, g, q0, k0, keys);
	else
#endif
		grad_scores(s, g, q0, k0, keys);
	long units = QB / s.pair;
	gemm(s.pair, m, s.d, units, g->pr, units, 1, g->dx + across, s.dp, g->dv, s.dp, 1);
	gemm(s.pair, m, s.d, units, g->dr, units, 1, g->qx + across, s.dp, g->dk, s.dp, 1);
	gemm(s.pair, s.dm, QB, (keys + s.pair - 1) / s.pair, g->kx, 1, s.dp, g->dsx, QB, g->dq + block * s.dm * QB, QB, 1);
}

// Packs a head's q and dout, and finds Σ dout·o of each query.
static void grad_prepare(ez_args *a, head_shape s, long b, long h, const grad_memory *g) {
	long rows = s.blocks * QB;
	memset(g->dq, 0, s.blocks * s.dm * QB * sizeof(float));
	memset(g->lse, 0, rows * sizeof(float));
	memset(g->dsum, 0, rows * sizeof(float));
	memcpy(g->lse, (float *)a->t[7].p + (b * s.heads + h) * s.tq, s.tq * sizeof(float));
	for (long q0 = 0; q0 < s.tq; q0 += QB) {
		pack_lanes(g->qt + q0 * s.du, a->t[3], s, s.tq, b, h, q0, s.scale * LOG2E);
		pack_lanes(g->dt + q0 * s.du, a->t[8], s, s.tq, b, h, q0, 1);
	}
	pack_across(g->qx, a->t[3], s, s.tq, b, h, 0, s.tq, rows);
	pack_across(g->dx, a->t[8], s, s.tq, b, h, 0, s.tq, rows);
	float dout[s.d], o[s.d];
	for (long i = 0; i < s.tq; i++) {
		widen(dout, head_row(a->t[8], s, s.tq, b, h, i), a->t[8].dt, s.d);
		widen(o, head_row(a->t[6], s, s.tq, b, h, i), a->t[6].dt, s.d);
		double sum = 0; // scores of saturated rows are differences of nearly equal numbers
#pragma omp simd reduction(+ : sum)
		for (long j = 0; j < s.d; j++) sum += (double)dout[j] * o[j];
		g->dsum[i] = (float)sum;
	}
}

static void unpack_rows(ez_tensor x, float *src, head_shape s, long b, long h, long row, long n, float scale) {
	for (long r = 0; r < n; r++) {
		for (long j = 0; j < s.d; j++) src[r * s.dp + j] *= scale;
		narrow(head_row(x, s, s.tk, b, h, row + r), x.dt, src + r * s.dp, s.d);
	}
}

// t: dq, dk, dv, q, k, v, o, lse, dout. n: batch, heads, d, tq, tk, causal. f: scale.
static int attention_grad(ez_args *a) {
	head_shape s = head_dims(a, a->t[8].dt == EZ_BF16 ? pair_of(a, 3, 5) : 1);
	grad_memory none;
	long each = grad_layout(s, NULL, &none) - (float *)NULL;
	long parts = parts_of(s, s.tiles), tasks = s.batch * s.heads * parts;
	long slots = parts == 1 ? omp_get_max_threads() : tasks; // partial dq must outlive the task
	float *mem = ez_scratch(EZ_SLOT_WORK, each * slots * sizeof(float));
	if (!mem) return EZ_NOMEM;
#pragma omp parallel for schedule(dynamic) if (s.batch * s.heads * s.tq * s.tk * s.d > PARALLEL)
	for (long task = 0; task < tasks; task++) {
		long b = task / parts / s.heads, h = task / parts % s.heads, part = task % parts;
		grad_memory g;
		grad_layout(s, mem + (parts == 1 ? omp_get_thread_num() : task) * each, &g);
		grad_prepare(a, s, b, h, &g);
		for (long t = part * s.tiles / parts; t < (part + 1) * s.tiles / parts; t++) {
			long k0 = t * KT, keys = min_l(KT, s.tk - k0);
			pack_rows(g.k, a->t[4], s, s.tk, b, h, k0, keys, KT);
			pack_rows(g.v, a->t[5], s, s.tk, b, h, k0, keys, KT);
			pack_across(g.kx, a->t[4], s, s.tk, b, h, k0, keys, KT);
			memset(g.dk, 0, KT * s.dp * sizeof(float));
			memset(g.dv, 0, KT * s.dp * sizeof(float));
			for (long q0 = s.causal ? k0 / QB * QB : 0; q0 < s.tq; q0 += QB) grad_tile(s, &g, q0, k0, keys);
			unpack_rows(a->t[1], g.dk, s, b, h, k0, keys, s.scale);
			unpack_rows(a->t[2], g.dv, s, b, h, k0, keys, 1);
		}
		if (parts > 1) continue;
		for (long q0 = 0; q0 < s.tq; q0 += QB)
			unpack_lanes(a->t[0], g.dq + q0 * s.dm, s, s.tq, b, h, q0, min_l(QB, s.tq - q0), s.scale);
	}
	if (parts == 1) return EZ_OK;
#pragma omp parallel for schedule(static)
	for (long i = 0; i < s.batch * s.heads * s.blocks; i++) {
		long head = i / s.blocks, block = i % s.blocks, n = s.dm * QB;
		float *sum = mem + head * parts * each + block * n;
		for (long part = 1; part < parts; part++)
			VECTOR for (long j = 0; j < n; j++) sum[j] += sum[part * each + j];
		unpack_lanes(a->t[0], sum, s, s.tq, head / s.heads, head % s.heads, block * QB, min_l(QB, s.tq - block * QB), s.scale);
	}
	return EZ_OK;
}
