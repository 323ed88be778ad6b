// Regression losses, as kernel.LossKind. d = pred - target; c is the sample's Huber parameter.

enum { MSE, HUBER, SMOOTH_L1 };

// A chunk that lies within one sample: its weights (w0 constant, or w per element).
typedef struct {
	const float *p, *t, *w;
	float w0, c;
	long n;
} loss_chunk;

static loss_chunk loss_get(const ez_args *a, long sample, long off, long n, float *b0, float *b1, float *b2) {
	ez_tensor w = a->t[3], c = a->t[4];
	loss_chunk k = {get(a->t[1], off, n, b0), get(a->t[2], off, n, b1), NULL, 1, 0, n};
	if (w.p && a->n[3]) k.w = get(w, off, n, b2);
	else if (w.p) widen(&k.w0, at(w, sample), w.dt, 1);
	if (c.p) widen(&k.c, at(c, sample), c.dt, 1);
	return k;
}

static inline float loss_value(long kind, float d, float c) {
	if (kind == MSE) return d * d;
	float q = 2 * d * d / (sqrtf(d * d + c * c) + c); // 2(√(d²+c²) - c) without cancellation
	return kind == HUBER ? c * q : q;
}

static inline float loss_slope(long kind, float d, float c) {
	if (kind == MSE) return 2 * d;
	float q = 2 * d / sqrtf(d * d + c * c);
	return kind == HUBER ? c * q : q;
}

#define SAMPLE_CHUNKS(a) \
	long batch = (a)->n[0], per = (a)->n[1], kind = (a)->n[2], chunks = (per + CHUNK - 1) / CHUNK;

// t: out, pred, target, weight, c. n: batch, elements of a sample, kind, whether weight has pred's shape.
static int loss(ez_args *a) {
	SAMPLE_CHUNKS(a)
	double *part = ez_scratch(EZ_SLOT_WORK, batch * chunks * sizeof(double)), sum = 0;
	if (!part) return EZ_NOMEM;
#pragma omp parallel for schedule(static) if (batch * per > PARALLEL)
	for (long k = 0; k < batch * chunks; k++) {
		float b0[CHUNK], b1[CHUNK], b2[CHUNK];
		long j = k % chunks * CHUNK;
		loss_chunk l = loss_get(a, k / chunks, k / chunks * per + j, min_l(CHUNK, per - j), b0, b1, b2);
		double s = 0;
#pragma omp simd reduction(+ : s)
		for (long i = 0; i < l.n; i++) s += (double)loss_value(kind, l.p[i] - l.t[i], l.c) * (l.w ? l.w[i] : l.w0);
		part[k] = s;
	}
	for (long k = 0; k < batch * chunks; k++) sum += part[k];
	*(float *)a->t[0].p = (float)(sum / ((double)batch * per));
	return EZ_OK;
}

// t: dpred, pred, target, weight, c. n: as loss.
static int loss_grad(ez_args *a) {
	SAMPLE_CHUNKS(a)
	float inv = (float)(1 / ((double)batch * per));
#pragma omp parallel for schedule(static) if (batch * per > PARALLEL)
	for (long k = 0; k < batch * chunks; k++) {
		float b0[CHUNK], b1[CHUNK], b2[CHUNK], b3[CHUNK];
		long j = k % chunks * CHUNK, off = k / chunks * per + j;
		loss_chunk l = loss_get(a, k / chunks, off, min_l(CHUNK, per - j), b0, b1, b2);
		float *d = room(a->t[0], off, b3);
		VECTOR for (long i = 0; i < l.n; i++) d[i] = loss_slope(kind, l.p[i] - l.t[i], l.c) * (l.w ? l.w[i] : l.w0) * inv;
		put(a->t[0], off, l.n, d);
	}
	return EZ_OK;
}
