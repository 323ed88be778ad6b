// The backward pass of attention: scores are computed again tile by tile from q, k and lse. A task is one head of one
// sample, or a part of its keys where heads are few: dk and dv belong to one task each, dq is then summed in order.

// A task's working memory.
typedef struct {
	float *dq, *q, *dout, *dsum;        // all queries: [tq,dp], [tq,dp], [tq,dp], [tq]; dq leads
	float *k, *kt, *vt, *dk, *dv;       // one tile of keys
	float *p, *ds;                      // scores [QTILE,KTILE]
} grad_memory;

// The floats of a task's memory. Each part of it is whole vectors long.
static long grad_floats(head_shape s) {
	long rows = round_up(s.tq, QTILE);
	return 3 * rows * s.dp + rows + 5 * KTILE * s.dp + 2 * QTILE * KTILE;
}

static grad_memory grad_layout(head_shape s, float *mem) {
	long rows = round_up(s.tq, QTILE), all = rows * s.dp, tile = KTILE * s.dp;
	float *dsum = mem + 3 * all, *k = dsum + rows, *p = k + 5 * tile;
	return (grad_memory){.dq = mem, .q = mem + all, .dout = mem + 2 * all, .dsum = dsum, .k = k, .kt = k + tile, .vt = k + 2 * tile,
		.dk = k + 3 * tile, .dv = k + 4 * tile, .p = p, .ds = p + QTILE * KTILE};
}

// Adds one tile of queries x keys to dq, dk and dv.
static void grad_tile(head_shape s, const grad_memory *g, const float *lse, long q0, long k0, long keys) {
	long n = min_l(QTILE, s.tq - q0), m = round_up(n, MR), width = round_up(keys, LANES), dp = s.dp;
	const float *q = g->q + q0 * dp, *dout = g->dout + q0 * dp;
	gemm(m, width, s.d, q, dp, 1, g->kt, KTILE, g->p, KTILE, 0);
	gemm(m, width, s.d, dout, dp, 1, g->vt, KTILE, g->ds, KTILE, 0);
	for (long i = 0; i < n; i++) {
		float *p = g->p + i * KTILE, *ds = g->ds + i * KTILE, l = lse[q0 + i], sum = g->dsum[q0 + i];
		long seen = visible(s, q0 + i, k0, keys);
		VECTOR for (long j = 0; j < seen; j++) p[j] = exp_f(p[j] - l);
		if (s.tiles == 1) { // the whole row is here: sums of what is really there instead of what the forward pass rounded
			float all = 0, dot = 0;
#pragma omp simd reduction(+ : all, dot)
			for (long j = 0; j < seen; j++) {
				all += p[j];
				dot += p[j] * ds[j];
			}
			VECTOR for (long j = 0; j < seen; j++) p[j] /= all;
			sum = dot / all;
		}
		VECTOR for (long j = 0; j < seen; j++) ds[j] = p[j] * (ds[j] - sum);
		for (long j = seen; j < width; j++) p[j] = ds[j] = 0;
	}
	gemm(round_up(keys, MR), dp, n, g->p, 1, KTILE, dout, dp, g->dv, dp, 1);
	gemm(round_up(keys, MR), dp, n, g->ds, 1, KTILE, q, dp, g->dk, dp, 1); // q carries the scale
	gemm(m, dp, keys, g->ds, KTILE, 1, g->k, dp, g->dq + q0 * dp, dp, 1);
}

// Packs a head's q and dout, and finds Σ dout·o of each query.
static void grad_prepare(ez_args *a, head_shape s, long b, long h, const grad_memory *g) {
	long rows = round_up(s.tq, QTILE);
	float buf[1024];
	pack_rows(g->q, a->t[3], s, s.tq, b, h, 0, s.tq, rows, s.scale);
	pack_rows(g->dout, a->t[8], s, s.tq, b, h, 0, s.tq, rows, 1);
	memset(g->dq, 0, rows * s.dp * sizeof(float));
	for (long i = 0; i < s.tq; i++) {
		const float *d = g->dout + i * s.dp;
		double sum = 0; // scores of saturated rows are differences of nearly equal numbers
		for (long j = 0; j < s.d; j += 1024) {
			long n = min_l(1024, s.d - j);
			const float *o = get(a->t[6], ((b * s.tq + i) * s.heads + h) * s.d + j, n, buf);
#pragma omp simd reduction(+ : sum)
			for (long l = 0; l < n; l++) sum += (double)d[j + l] * o[l];
		}
		g->dsum[i] = (float)sum;
	}
}

// t: dq, dk, dv, q, k, v, o, lse, dout. n: batch, heads, d, tq, tk, causal. f: scale.
static int attention_grad(ez_args *a) {
	head_shape s = head_dims(a);
	long parts = parts_of(s, s.tiles), tasks = s.batch * s.heads * parts, each = grad_floats(s);
	long slots = parts == 1 ? omp_get_max_threads() : tasks; // partial dq must outlive the task
	float *mem = ez_scratch(EZ_SLOT_WORK, each * slots * sizeof(float));
	if (!mem) return EZ_NOMEM;
#pragma omp parallel for schedule(dynamic) if (s.batch * s.heads * s.tq * s.tk * s.d > PARALLEL)
	for (long task = 0; task < tasks; task++) {
		long b = task / parts / s.heads, h = task / parts % s.heads, part = task % parts;
		grad_memory g = grad_layout(s, mem + (parts == 1 ? omp_get_thread_num() : task) * each);
		grad_prepare(a, s, b, h, &g);
		const float *lse = (float *)a->t[7].p + (b * s.heads + h) * s.tq;
		for (long t = part * s.tiles / parts; t < (part + 1) * s.tiles / parts; t++) {
			long k0 = t * KTILE, keys = min_l(KTILE, s.tk - k0);
			pack_rows(g.dk, a->t[5], s, s.tk, b, h, k0, keys, KTILE, 1); // v, on its way to its transpose
			transpose(g.vt, g.dk, s, keys);
			pack_rows(g.k, a->t[4], s, s.tk, b, h, k0, keys, KTILE, 1);
			transpose(g.kt, g.k, s, keys);
			memset(g.dk, 0, KTILE * s.dp * sizeof(float));
			memset(g.dv, 0, KTILE * s.dp * sizeof(float));
			for (long q0 = s.causal ? k0 / QTILE * QTILE : 0; q0 < s.tq; q0 += QTILE) grad_tile(s, &g, lse, q0, k0, keys);
			unpack_rows(a->t[1], g.dk, s, s.tk, b, h, k0, keys);
			unpack_rows(a->t[2], g.dv, s, s.tk, b, h, k0, keys);
		}
		if (parts > 1) continue;
		for (long i = 0; i < s.tq * s.dp; i++) g.dq[i] *= s.scale;
		unpack_rows(a->t[0], g.dq, s, s.tq, b, h, 0, s.tq);
	}
	if (parts == 1) return EZ_OK;
#pragma omp parallel for schedule(static)
	for (long i = 0; i < s.batch * s.heads * s.tq; i++) {
		long head = i / s.tq, row = i % s.tq;
		float *sum = mem + head * parts * each + row * s.dp;
		for (long part = 1; part < parts; part++)
			VECTOR for (long j = 0; j < s.dp; j++) sum[j] += sum[part * each + j];
		for (long j = 0; j < s.dp; j++) sum[j] *= s.scale;
		unpack_rows(a->t[0], sum, s, s.tq, head / s.heads, head % s.heads, row, 1);
	}
	return EZ_OK;
}
