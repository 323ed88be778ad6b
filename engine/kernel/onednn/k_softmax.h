// Softmax over the last dimension.

// t: y, x. n: rows, channels.
static int softmax(ez_args *a) {
	ez_tensor y = a->t[0], x = a->t[1];
	long rows = a->n[0], c = a->n[1], w = round_up(c, 16);
	float *mem = ez_scratch(EZ_SLOT_WORK, 2 * w * omp_get_max_threads() * sizeof(float));
	if (!mem) return EZ_NOMEM;
#pragma omp parallel for schedule(static) if (rows * c > PARALLEL / 4)
	for (long r = 0; r < rows; r++) {
		float *buf = mem + 2 * omp_get_thread_num() * w, top = -INFINITY, sum = 0;
		const float *u = get(x, r * c, c, buf);
		float *d = room(y, r * c, buf + w);
#pragma omp simd reduction(max : top)
		for (long i = 0; i < c; i++) top = u[i] > top ? u[i] : top;
#pragma omp simd reduction(+ : sum)
		for (long i = 0; i < c; i++) {
			float e = exp_f(u[i] - top);
			d[i] = e;
			sum += e;
		}
		float inv = 1.0f / sum;
		VECTOR for (long i = 0; i < c; i++) d[i] *= inv;
		put(y, r * c, c, d);
	}
	return EZ_OK;
}

// dx = y·(dy - Σ y·dy). t: dx, y, dy. n: rows, channels.
static int softmax_grad(ez_args *a) {
	ez_tensor dx = a->t[0], y = a->t[1], dy = a->t[2];
	long rows = a->n[0], c = a->n[1], w = round_up(c, 16);
	float *mem = ez_scratch(EZ_SLOT_WORK, 3 * w * omp_get_max_threads() * sizeof(float));
	if (!mem) return EZ_NOMEM;
#pragma omp parallel for schedule(static) if (rows * c > PARALLEL)
	for (long r = 0; r < rows; r++) {
		float *buf = mem + 3 * omp_get_thread_num() * w, dot = 0;
		const float *p = get(y, r * c, c, buf), *g = get(dy, r * c, c, buf + w);
		float *d = room(dx, r * c, buf + 2 * w);
#pragma omp simd reduction(+ : dot)
		for (long i = 0; i < c; i++) dot += p[i] * g[i];
		VECTOR for (long i = 0; i < c; i++) d[i] = p[i] * (g[i] - dot);
		put(dx, r * c, c, d);
	}
	return EZ_OK;
}
