// Table look-up by index. The Go side has checked the indices.

// t: y, ids, table. n: indices, channels.
static int embed(ez_args *a) {
	const int32_t *ids = (int32_t *)a->t[1].p;
	for (long i = 0; i < a->n[0]; i++) move(a->t[0], i * a->n[1], a->t[2], ids[i] * a->n[1], a->n[1]);
	return EZ_OK;
}

// t: dtable, ids, dy. n: indices, channels, table rows.
static int embed_grad(ez_args *a) {
	const int32_t *ids = (int32_t *)a->t[1].p;
	float *dt = (float *)a->t[0].p, buf[CHUNK];
	long c = a->n[1], rows = a->n[2];
#pragma omp parallel for schedule(static) if (rows * c > PARALLEL)
	for (long r = 0; r < rows; r++) memset(dt + r * c, 0, c * sizeof(float));
	for (long i = 0; i < a->n[0]; i++)
		for (long j = 0; j < c; j += CHUNK) {
			long n = min_l(CHUNK, c - j);
			const float *g = get(a->t[2], i * c + j, n, buf);
			float *d = dt + ids[i] * c + j;
			VECTOR for (long l = 0; l < n; l++) d[l] += g[l];
		}
	return EZ_OK;
}
