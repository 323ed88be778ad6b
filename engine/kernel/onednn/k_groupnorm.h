// Group normalisation (Wu and He, arXiv 1803.08494) of x[b,rows,c], channels-last, optionally followed by SiLU.
// Everything runs along the channels; a group's numbers are spread over per-channel tables first.

typedef struct {
	long batch, rows, c, groups, silu;
} group_shape;

static inline group_shape group_dims(const ez_args *a) { return (group_shape){a->n[0], a->n[1], a->n[2], a->n[3], a->n[4]}; }

// stats[b,g] = mean and 1/√(variance+eps). One pass over memory: each tile of rows gives its channels' mean and sum
// of squared deviations while it is in cache, and tiles and channels are merged by Chan's formula in float64.
// t: stats, x. n: batch, rows, channels, groups. f: eps.
static int group_stats(ez_args *a) {
	ez_tensor x = a->t[1];
	float *stats = (float *)a->t[0].p;
	group_shape s = group_dims(a);
	long c = s.c, per = c / s.groups, tiles = (s.rows + TILE_ROWS - 1) / TILE_ROWS;
	long width = round_up(c, 16), threads = omp_get_max_threads();
	double *part = ez_scratch(EZ_SLOT_WORK, (s.batch * tiles * s.groups * 2) * sizeof(double) + threads * width * (3 + TILE_ROWS) * sizeof(float));
	if (!part) return EZ_NOMEM;
	float *local = (float *)(part + s.batch * tiles * s.groups * 2);
#pragma omp parallel for schedule(static) if (s.batch * s.rows * c > PARALLEL)
	for (long k = 0; k < s.batch * tiles; k++) {
		float *mean = local + omp_get_thread_num() * width * (3 + TILE_ROWS), *dev = mean + width, *sq = dev + width, *wide = sq + width;
		long b = k / tiles, r0 = k % tiles * TILE_ROWS, n = min_l(s.rows - r0, TILE_ROWS);
		const float *u = get(x, (b * s.rows + r0) * c, n * c, wide);
		memset(mean, 0, 3 * width * sizeof(float));
		for (long r = 0; r < n; r++)
			VECTOR for (long j = 0; j < c; j++) mean[j] += u[r * c + j];
		float inv = 1.0f / n;
		VECTOR for (long j = 0; j < c; j++) mean[j] *= inv;
		for (long r = 0; r < n; r++)
			VECTOR for (long j = 0; j < c; j++) {
				float d = u[r * c + j] - mean[j];
				dev[j] += d;
				sq[j] += d * d;
			}
		for (long g = 0; g < s.groups; g++) {
			double m = 0, m2 = 0;
			for (long j = g * per; j < (g + 1) * per; j++) m += mean[j] + (double)dev[j] * inv;
			m /= per;
			for (long j = g * per; j < (g + 1) * per; j++) {
				double e = dev[j], d = mean[j] - m;
				m2 += sq[j] + d * (2 * e + n * d); // Σ(x-m)² = Σ(x-mean)² + 2d·Σ(x-mean) + n·d²
			}
			part[(k * s.groups + g) * 2] = m;
			part[(k * s.groups + g) * 2 + 1] = m2;
		}
	}
	for (long i = 0; i < s.batch * s.groups; i++) {
		long b = i / s.groups, g = i % s.groups;
		double count = 0, mean = 0, m2 = 0;
		for (long t = 0; t < tiles; t++) {
			double *p = part + ((b * tiles + t) * s.groups + g) * 2;
			double n = (double)min_l(s.rows - t * TILE_ROWS, TILE_ROWS) * per, d = p[0] - mean;
			m2 += p[1] + d * d * count * n / (count + n);
			mean += d * n / (count + n);
			count += n;
		}
		stats[2 * i] = (float)mean;
		stats[2 * i + 1] = (float)(1 / sqrt(m2 / count + (double)a->f[0]));
	}
	return EZ_OK;
}

// Per-channel tables of one sample: mean, rstd, gamma, beta.
typedef struct {
	float *mean, *rstd, *gamma, *beta, *s1, *s2;
} group_tables;

static group_tables group_fill(float *mem, group_shape s, long b, const float *stats, ez_tensor gamma, ez_tensor beta) {
	long width = round_up(s.c, 16), per = s.c / s.groups;
	group_tables t = {mem, mem + width, mem + 2 * width, mem + 3 * width, mem + 4 * width, mem + 5 * width};
	for (long j = 0; j < s.c; j++) {
		t.mean[j] = stats[2 * (b * s.groups + j / per)];
		t.rstd[j] = stats[2 * (b * s.groups + j / per) + 1];
	}
	widen(t.gamma, (void *)gamma.p, gamma.dt, s.c);
	widen(t.beta, (void *)beta.p, beta.dt, s.c);
	return t;
}

#define TABLES 6

// Tables of all samples, then `extra` floats.
static float *group_memory(group_shape s, size_t extra) {
	return ez_scratch(EZ_SLOT_WORK, (s.batch * TABLES * round_up(s.c, 16) + extra) * sizeof(float));
}

// t: y, x, stats, gamma, beta. n: batch, rows, channels, groups, silu.
static int group_norm(ez_args *a) {
	ez_tensor y = a->t[0], x = a->t[1];
	group_shape s = group_dims(a);
	long c = s.c, width = round_up(c, 16) * TABLES;
	float *mem = group_memory(s, 0);
	if (!mem) return EZ_NOMEM;
	for (long b = 0; b < s.batch; b++) {
		group_tables t = group_fill(mem + b * width, s, b, (float *)a->t[2].p, a->t[3], a->t[4]);
		for (long j = 0; j < c; j++) t.rstd[j] *= t.gamma[j];
	}
#pragma omp parallel for schedule(static) if (s.batch * s.rows * c > PARALLEL)
	for (long r = 0; r < s.batch * s.rows; r++) {
		float b0[CHUNK], b1[CHUNK];
		const float *t = mem + r / s.rows * width;
		long w = width / TABLES;
		for (long j = 0; j < c; j += CHUNK) {
			long n = min_l(CHUNK, c - j);
			const float *u = get(x, r * c + j, n, b0), *mean = t + j, *k = t + w + j, *beta = t + 3 * w + j;
			float *d = room(y, r * c + j, b1);
			if (s.silu) VECTOR for (long i = 0; i < n; i++) d[i] = silu_f((u[i] - mean[i]) * k[i] + beta[i]);
			else VECTOR for (long i = 0; i < n; i++) d[i] = (u[i] - mean[i]) * k[i] + beta[i];
			put(y, r * c + j, n, d);
		}
	}
	return EZ_OK;
}

// Sums over a tile of rows, per channel: s1 += g, s2 += g·x̂, g = dy·f'(u).
static void group_tile(group_shape s, const float *tab, ez_tensor x, ez_tensor dy, long row, long n, float *s1, float *s2) {
	float b0[CHUNK], b1[CHUNK];
	long c = s.c, w = round_up(c, 16);
	memset(s1, 0, c * sizeof(float));
	memset(s2, 0, c * sizeof(float));
	for (long r = row; r < row + n; r++)
		for (long j = 0; j < c; j += CHUNK) {
			long m = min_l(CHUNK, c - j);
			const float *u = get(x, r * c + j, m, b0), *g = get(dy, r * c + j, m, b1);
			const float *mean = tab + j, *rstd = mean + w, *gamma = rstd + w, *beta = gamma + w;
			float *p = s1 + j, *q = s2 + j;
			if (s.silu) VECTOR for (long i = 0; i < m; i++) {
				float h = (u[i] - mean[i]) * rstd[i], v = g[i] * silu_d(h * gamma[i] + beta[i]);
				p[i] += v;
				q[i] += v * h;
			}
			else VECTOR for (long i = 0; i < m; i++) {
				float h = (u[i] - mean[i]) * rstd[i];
				p[i] += g[i];
				q[i] += g[i] * h;
			}
		}
}

// The sums of group_tile for every tile: part[b, tile, 2, c].
static void group_parts(group_shape s, const float *mem, ez_tensor x, ez_tensor dy, float *part) {
	long c = s.c, tiles = (s.rows + TILE_ROWS - 1) / TILE_ROWS, width = round_up(c, 16) * TABLES;
#pragma omp parallel for schedule(static) if (s.batch * s.rows * c > PARALLEL)
	for (long k = 0; k < s.batch * tiles; k++) {
		long b = k / tiles, r0 = k % tiles * TILE_ROWS;
		group_tile(s, mem + b * width, x, dy, b * s.rows + r0, min_l(s.rows - r0, TILE_ROWS), part + k * 2 * c, part + k * 2 * c + c);
	}
}

// dx = rstd·(gγ - mean(gγ) - x̂·mean(gγ·x̂)), means over the group. t: dx, x, stats, gamma, beta, dy.
static int group_grad_input(ez_args *a) {
	ez_tensor dx = a->t[0], x = a->t[1], dy = a->t[5];
	group_shape s = group_dims(a);
	long c = s.c, per = c / s.groups, w = round_up(c, 16), width = w * TABLES, tiles = (s.rows + TILE_ROWS - 1) / TILE_ROWS;
	float *mem = group_memory(s, s.batch * tiles * 2 * c + 4 * c + 16);
	if (!mem) return EZ_NOMEM;
	float *part = mem + s.batch * width;
	double *sum = (double *)(part + round_up(s.batch * tiles * 2 * c, 2));
	for (long b = 0; b < s.batch; b++) group_fill(mem + b * width, s, b, (float *)a->t[2].p, a->t[3], a->t[4]);
	group_parts(s, mem, x, dy, part);
	for (long b = 0; b < s.batch; b++) {
		float *gamma = mem + b * width + 2 * w, *s1 = gamma + 2 * w, *s2 = s1 + w;
		sum_tiles(part + b * tiles * 2 * c, tiles, 2 * c, sum);
		for (long g = 0; g < s.groups; g++) {
			double p = 0, q = 0, count = (double)per * s.rows;
			for (long j = g * per; j < (g + 1) * per; j++) p += sum[j] * gamma[j], q += sum[c + j] * gamma[j];
			for (long j = g * per; j < (g + 1) * per; j++) s1[j] = (float)(p / count), s2[j] = (float)(q / count);
		}
	}
#pragma omp parallel for schedule(static) if (s.batch * s.rows * c > PARALLEL)
	for (long r = 0; r < s.batch * s.rows; r++) {
		float b0[CHUNK], b1[CHUNK], b2[CHUNK];
		for (long j = 0; j < c; j += CHUNK) {
			long n = min_l(CHUNK, c - j);
			const float *u = get(x, r * c + j, n, b0), *g = get(dy, r * c + j, n, b1);
			const float *mean = mem + r / s.rows * width + j, *rstd = mean + w, *gamma = rstd + w, *beta = gamma + w, *s1 = beta + w, *s2 = s1 + w;
			float *d = room(dx, r * c + j, b2);
			if (s.silu) VECTOR for (long i = 0; i < n; i++) {
				float h = (u[i] - mean[i]) * rstd[i], v = g[i] * silu_d(h * gamma[i] + beta[i]);
				d[i] = rstd[i] * (v * gamma[i] - s1[i] - h * s2[i]);
			}
			else VECTOR for (long i = 0; i < n; i++) {
				float h = (u[i] - mean[i]) * rstd[i];
				d[i] = rstd[i] * (g[i] * gamma[i] - s1[i] - h * s2[i]);
			}
			put(dx, r * c + j, n, d);
		}
	}
	return EZ_OK;
}

// t: dgamma, x, stats, gamma, beta, dy, dbeta.
static int group_grad_params(ez_args *a) {
	group_shape s = group_dims(a);
	long c = s.c, width = round_up(c, 16) * TABLES, tiles = (s.rows + TILE_ROWS - 1) / TILE_ROWS;
	float *mem = group_memory(s, s.batch * tiles * 2 * c + 4 * c + 16);
	if (!mem) return EZ_NOMEM;
	float *part = mem + s.batch * width;
	double *sum = (double *)(part + round_up(s.batch * tiles * 2 * c, 2));
	for (long b = 0; b < s.batch; b++) group_fill(mem + b * width, s, b, (float *)a->t[2].p, a->t[3], a->t[4]);
	group_parts(s, mem, a->t[1], a->t[5], part);
	sum_tiles(part, s.batch * tiles, 2 * c, sum);
	store_doubles(a->t[6], 0, sum, c);
	store_doubles(a->t[0], 0, sum + c, c);
	return EZ_OK;
}
