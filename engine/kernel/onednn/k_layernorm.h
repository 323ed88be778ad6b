// Layer normalisation over the last dimension (Ba et al., arXiv 1607.06450). Rows are widened into a buffer once.

typedef struct {
	float mean, rstd;
} moments;

static moments row_moments(const float *u, long c, float eps) {
	float s = 0, q = 0, e = 0;
#pragma omp simd reduction(+ : s)
	for (long i = 0; i < c; i++) s += u[i];
	float m = s / c;
#pragma omp simd reduction(+ : q, e)
	for (long i = 0; i < c; i++) {
		float d = u[i] - m;
		e += d;
		q += d * d;
	}
	e /= c; // what rounding left in the mean
	return (moments){m + e, 1.0f / sqrtf(q / c - e * e + eps)};
}

// A thread's row buffers: 3 rows after the shared gamma and beta.
static float *row_memory(long c, ez_tensor gamma, ez_tensor beta) {
	long w = round_up(c, 16);
	float *mem = ez_scratch(EZ_SLOT_WORK, (2 + 3 * omp_get_max_threads()) * w * sizeof(float));
	if (!mem) return NULL;
	if (gamma.p) widen(mem, (void *)gamma.p, gamma.dt, c);
	if (beta.p) widen(mem + w, (void *)beta.p, beta.dt, c);
	return mem;
}

// t: y, x, gamma, beta. n: rows, channels. f: eps.
static int layer_norm(ez_args *a) {
	ez_tensor y = a->t[0], x = a->t[1];
	long rows = a->n[0], c = a->n[1], w = round_up(c, 16);
	float *mem = row_memory(c, a->t[2], a->t[3]);
	if (!mem) return EZ_NOMEM;
#pragma omp parallel for schedule(static) if (rows * c > PARALLEL)
	for (long r = 0; r < rows; r++) {
		float *buf = mem + (2 + 3 * omp_get_thread_num()) * w;
		const float *gamma = mem, *beta = mem + w, *u = get(x, r * c, c, buf);
		float *d = room(y, r * c, buf + w);
		moments m = row_moments(u, c, a->f[0]);
		VECTOR for (long i = 0; i < c; i++) d[i] = (u[i] - m.mean) * m.rstd * gamma[i] + beta[i];
		put(y, r * c, c, d);
	}
	return EZ_OK;
}

// t: dx, x, gamma, dy. n: rows, channels. f: eps.
static int layer_grad_input(ez_args *a) {
	ez_tensor dx = a->t[0], x = a->t[1], dy = a->t[3];
	long rows = a->n[0], c = a->n[1], w = round_up(c, 16);
	float *mem = row_memory(c, a->t[2], (ez_tensor){0, 0});
	if (!mem) return EZ_NOMEM;
#pragma omp parallel for schedule(static) if (rows * c > PARALLEL)
	for (long r = 0; r < rows; r++) {
		float *buf = mem + (2 + 3 * omp_get_thread_num()) * w;
		const float *gamma = mem, *u = get(x, r * c, c, buf), *g = get(dy, r * c, c, buf + w);
		float *d = room(dx, r * c, buf + 2 * w);
		moments m = row_moments(u, c, a->f[0]);
		float s1 = 0, s2 = 0;
#pragma omp simd reduction(+ : s1, s2)
		for (long i = 0; i < c; i++) {
			float v = g[i] * gamma[i];
			s1 += v;
			s2 += v * ((u[i] - m.mean) * m.rstd);
		}
		s1 /= c;
		s2 /= c;
		VECTOR for (long i = 0; i < c; i++) d[i] = m.rstd * (g[i] * gamma[i] - s1 - (u[i] - m.mean) * m.rstd * s2);
		put(dx, r * c, c, d);
	}
	return EZ_OK;
}

// t: dgamma, dbeta, x, dy. n: rows, channels. f: eps.
static int layer_grad_params(ez_args *a) {
	ez_tensor x = a->t[2], dy = a->t[3];
	long rows = a->n[0], c = a->n[1], tiles = (rows + TILE_ROWS - 1) / TILE_ROWS, w = round_up(c, 16);
	float *part = ez_scratch(EZ_SLOT_WORK, (tiles * 2 * c + 4 * c + 16 + 2 * w * omp_get_max_threads()) * sizeof(float));
	if (!part) return EZ_NOMEM;
	double *sum = (double *)(part + round_up(tiles * 2 * c, 2));
	float *local = (float *)(sum + 2 * c);
#pragma omp parallel for schedule(static) if (rows * c > PARALLEL)
	for (long t = 0; t < tiles; t++) {
		float *p = part + t * 2 * c, *q = p + c, *buf = local + omp_get_thread_num() * 2 * w;
		memset(p, 0, 2 * c * sizeof(float));
		for (long r = t * TILE_ROWS; r < min_l(rows, (t + 1) * TILE_ROWS); r++) {
			const float *u = get(x, r * c, c, buf), *g = get(dy, r * c, c, buf + w);
			moments m = row_moments(u, c, a->f[0]);
			VECTOR for (long i = 0; i < c; i++) {
				p[i] += g[i] * ((u[i] - m.mean) * m.rstd);
				q[i] += g[i];
			}
		}
	}
	sum_tiles(part, tiles, 2 * c, sum);
	store_doubles(a->t[0], 0, sum, c);
	store_doubles(a->t[1], 0, sum + c, c);
	return EZ_OK;
}
