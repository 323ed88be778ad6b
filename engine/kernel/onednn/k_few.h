// Products of few rows, as a decoder has that writes a token at a time: every number of the weight is used so seldom that
// reading it is all that takes time. So nothing is packed: a task is some columns, whose weights [n,k] are read once from
// beginning to end, while each is multiplied with all rows.

#define FEW 4 // rows at most; their sums for a column fit the registers

// dst[rows, columns from..to) = alpha · src·wᵀ + bias + add. Sources are floats in memory.
static inline __attribute__((always_inline)) void few_columns(const ez_args *a, const int rows, long k, long n, long from, long to) {
	const float *src = (const float *)a->t[1].p, *bias = (const float *)a->t[3].p;
	float alpha = a->f[0], buf[CHUNK];
	for (long j = from; j < to; j++) {
		vf sums[FEW] = {{0}};
		float rest[FEW] = {0};
		for (long p = 0; p < k; p += CHUNK) {
			long kn = min_l(CHUNK, k - p), q = 0;
			const float *w = get(a->t[2], j * k + p, kn, buf), *x = src + p;
			for (; q + LANES <= kn; q += LANES) {
				vf v = *(const vf *)(w + q);
#pragma GCC unroll 4
				for (int r = 0; r < rows; r++) sums[r] += v * *(const vf *)(x + r * k + q);
			}
			for (; q < kn; q++)
#pragma GCC unroll 4
				for (int r = 0; r < rows; r++) rest[r] += w[q] * x[r * k + q];
		}
#pragma GCC unroll 4
		for (int r = 0; r < rows; r++) {
			float sum = rest[r], more, y;
			for (int l = 0; l < LANES; l++) sum += sums[r][l];
			y = alpha * sum + (bias ? bias[j] : 0);
			if (a->t[4].p) y += *get(a->t[4], r * n + j, 1, &more);
			narrow(at(a->t[0], r * n + j), a->t[0].dt, &y, 1);
		}
	}
}

// A linear layer of few rows. t: dst, src (F32), w, bias (F32 or absent), add (or absent; may be dst). n: rows, k, n. f: alpha.
static int few_rows(ez_args *a) {
	long rows = a->n[0], k = a->n[1], n = a->n[2], step = 64, tasks = (n + step - 1) / step;
	if (rows < 1 || rows > FEW) return EZ_INVALID;
#pragma omp parallel for schedule(static) if (n * k > PARALLEL)
	for (long task = 0; task < tasks; task++) {
		long from = task * step, to = min_l(from + step, n);
		switch (rows) {
		case 1: few_columns(a, 1, k, n, from, to); break;
		case 2: few_columns(a, 2, k, n, from, to); break;
		case 3: few_columns(a, 3, k, n, from, to); break;
		default: few_columns(a, 4, k, n, from, to);
		}
	}
	return EZ_OK;
}
