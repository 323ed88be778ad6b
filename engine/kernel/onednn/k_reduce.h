// Sums over rows. Rows are cut into tiles whatever the number of threads; each tile is summed in float32, the tiles
// in order in float64: the result depends neither on timing nor on the team.

#define TILE_ROWS 32L

// The tiles' sums [tiles, width], added up into sum[width].
static void sum_tiles(const float *part, long tiles, long width, double *sum) {
	for (long j = 0; j < width; j++) sum[j] = 0;
	for (long t = 0; t < tiles; t++)
		VECTOR for (long j = 0; j < width; j++) sum[j] += part[t * width + j];
}

static void store_doubles(ez_tensor t, long off, const double *v, long n) {
	for (long j = 0; j < n; j++) {
		float f = (float)v[j];
		put(t, off + j, 1, &f);
		if (t.dt == EZ_F32) ((float *)t.p)[off + j] = f;
	}
}

// out[b,c] = Σ_r x[b,r,c]. t: out, x. n: batch, rows, channels.
static int col_sums(ez_args *a) {
	ez_tensor out = a->t[0], x = a->t[1];
	long batch = a->n[0], rows = a->n[1], c = a->n[2];
	long tiles = (rows + TILE_ROWS - 1) / TILE_ROWS;
	float *part = ez_scratch(EZ_SLOT_WORK, batch * tiles * c * sizeof(float) + c * sizeof(double) + 64);
	if (!part) return EZ_NOMEM;
#pragma omp parallel for schedule(static) if (batch * rows * c > PARALLEL)
	for (long k = 0; k < batch * tiles; k++) {
		float *s = part + k * c, buf[CHUNK];
		long b = k / tiles, r0 = k % tiles * TILE_ROWS, r1 = min_l(rows, r0 + TILE_ROWS);
		memset(s, 0, c * sizeof(float));
		for (long r = r0; r < r1; r++)
			for (long j = 0; j < c; j += CHUNK) {
				long n = min_l(CHUNK, c - j);
				const float *u = get(x, (b * rows + r) * c + j, n, buf);
				VECTOR for (long i = 0; i < n; i++) s[j + i] += u[i];
			}
	}
	double *sum = (double *)(part + round_up(batch * tiles * c, 2));
	for (long b = 0; b < batch; b++) {
		sum_tiles(part + b * tiles * c, tiles, c, sum);
		store_doubles(out, b * c, sum, c);
	}
	return EZ_OK;
}

// Σ x². t: x. n: elements. Result in sum.
static int sum_squares(ez_args *a) {
	ez_tensor x = a->t[0];
	long total = a->n[0], chunks = (total + CHUNK - 1) / CHUNK;
	double *part = ez_scratch(EZ_SLOT_WORK, chunks * sizeof(double));
	if (!part) return EZ_NOMEM;
	CHUNKS(total) {
		float buf[CHUNK];
		long n = min_l(CHUNK, total - off);
		const float *u = get(x, off, n, buf);
		double s = 0;
#pragma omp simd reduction(+ : s)
		for (long i = 0; i < n; i++) s += (double)u[i] * u[i];
		part[off / CHUNK] = s;
	}
	a->sum = 0;
	for (long i = 0; i < chunks; i++) a->sum += part[i];
	return EZ_OK;
}
