// Table look-up by index. Indices begin at a number of their own; what has no row in the table gives zeros.

// t: y, ids, table. n: indices, channels, table rows, the first row's index.
static int embed(ez_args *a) {
	const int32_t *ids = (int32_t *)a->t[1].p;
	long c = a->n[1], rows = a->n[2], size = a->t[0].dt == EZ_F32 ? 4 : 2;
	for (long i = 0; i < a->n[0]; i++) {
		long row = ids[i] - a->n[3];
		if (row >= 0 && row < rows)
			move(a->t[0], i * c, a->t[2], row * c, c);
		else
			memset((char *)a->t[0].p + i * c * size, 0, c * size); // zero in every floating type
	}
	return EZ_OK;
}

// t: dtable, ids, dy. n: indices, channels, table rows, the first row's index.
static int embed_grad(ez_args *a) {
	const int32_t *ids = (int32_t *)a->t[1].p;
	float *dt = (float *)a->t[0].p, buf[CHUNK];
	long c = a->n[1], rows = a->n[2];
#pragma omp parallel for schedule(static) if (rows * c > PARALLEL)
	for (long r = 0; r < rows; r++) memset(dt + r * c, 0, c * sizeof(float));
	for (long i = 0; i < a->n[0]; i++) {
		long row = ids[i] - a->n[3];
		if (row < 0 || row >= rows) continue;
		for (long j = 0; j < c; j += CHUNK) {
			long n = min_l(CHUNK, c - j);
			const float *g = get(a->t[2], i * c + j, n, buf);
			float *d = dt + row * c + j;
			VECTOR for (long l = 0; l < n; l++) d[l] += g[l];
		}
	}
	return EZ_OK;
}
