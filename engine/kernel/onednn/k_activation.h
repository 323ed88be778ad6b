// Activations, their derivatives, and the gated GELU.

enum { SILU, GELU, GELU_TANH, QUICK_GELU, HARD_SWISH, RELU, LEAKY_RELU, ELU, TANH, SIGMOID, SOFTSIGN, MISH }; // as kernel.Activation

// The standard normal distribution at x and its density: Abramowitz and Stegun 26.2.17, which is good to 7.5e-8, to 2.4e-7 in floats.
typedef struct {
	float cdf, pdf;
} normal;

static inline normal normal_f(float x) {
	float z = x < 0.0f ? -x : x, pdf = 0.39894228040143268f * exp2_f(-0.72134752044448170f * x * x), t = 1.0f / (1.0f + 0.2316419f * z);
	float p = 1.330274429f;
	p = p * t - 1.821255978f;
	p = p * t + 1.781477937f;
	p = p * t - 0.356563782f;
	p = p * t + 0.319381530f;
	float tail = pdf * (p * t);
	return (normal){x > 0.0f ? 1.0f - tail : tail, pdf};
}

static inline float silu_f(float x) { return x / (1.0f + exp_f(-x)); }
static inline float silu_d(float x) { float s = sigmoid_f(x); return s * (1.0f + x * (1.0f - s)); }
static inline float gelu_f(float x) { return x * normal_f(x).cdf; }
static inline float gelu_d(float x) { normal n = normal_f(x); return n.cdf + x * n.pdf; }
// x·(1+tanh u)/2 = x·sigmoid(2u), u = √(2/π)(x + 0.044715x³)
static inline float gelu_tanh_u2(float x) { return 1.59576912160573071f * (x + 0.044715f * x * x * x); }
static inline float gelu_tanh_f(float x) { return x * sigmoid_f(gelu_tanh_u2(x)); }
static inline float gelu_tanh_d(float x) {
	float s = sigmoid_f(gelu_tanh_u2(x));
	return s + x * s * (1.0f - s) * 1.59576912160573071f * (1.0f + 0.134145f * x * x);
}
static inline float quick_gelu_f(float x) { return x * sigmoid_f(1.702f * x); }
static inline float quick_gelu_d(float x) { float s = sigmoid_f(1.702f * x); return s + 1.702f * x * s * (1.0f - s); }
static inline float hard_swish_f(float x) {
	float r = x + 3.0f;
	r = r < 0.0f ? 0.0f : r;
	r = r > 6.0f ? 6.0f : r;
	return x * r * (1.0f / 6.0f);
}
static inline float hard_swish_d(float x) { return x <= -3.0f ? 0.0f : x >= 3.0f ? 1.0f : x * (1.0f / 3.0f) + 0.5f; }

static inline float leaky_f(float x, float slope) { return x > 0.0f ? x : slope * x; }
static inline float leaky_d(float x, float slope) { return x > 0.0f ? 1.0f : slope; }
static inline float elu_f(float x) { return x > 0.0f ? x : exp_f(x) - 1.0f; }
static inline float elu_d(float x) { return exp_f(x > 0.0f ? 0.0f : x); }
static inline float tanh_f(float x) { return 2.0f * sigmoid_f(2.0f * x) - 1.0f; }
static inline float tanh_d(float x) { return 4.0f * sigmoid_f(2.0f * x) * sigmoid_f(-2.0f * x); }
static inline float sigmoid_d(float x) { return sigmoid_f(x) * sigmoid_f(-x); }
static inline float softsign_f(float x) { return x / (1.0f + (x < 0.0f ? -x : x)); }
static inline float softsign_d(float x) { float r = 1.0f / (1.0f + (x < 0.0f ? -x : x)); return r * r; }
// tanh(ln(1+e)) = e(e+2) / (e(e+2)+2), e = exp(x); from x = 20 on it is 1.
static inline float mish_t(float x) { float e = exp_f(x > 20.0f ? 20.0f : x), n = e * (e + 2.0f); return n / (n + 2.0f); }
static inline float mish_f(float x) { return x * mish_t(x); }
static inline float mish_d(float x) { float t = mish_t(x); return t + x * (1.0f - t * t) * sigmoid_f(x); }

#define EACH(expr) VECTOR for (long i = 0; i < n; i++) d[i] = (expr); break

// y = f(x). t: y, x. n: elements, f.
static int activate(ez_args *a) {
	ez_tensor y = a->t[0], x = a->t[1];
	long total = a->n[0], f = a->n[1];
	CHUNKS(total) {
		float b0[CHUNK], b1[CHUNK];
		long n = min_l(CHUNK, total - off);
		const float *u = get(x, off, n, b0);
		float *d = room(y, off, b1);
		switch (f) {
		case SILU: EACH(silu_f(u[i]));
		case GELU: EACH(gelu_f(u[i]));
		case GELU_TANH: EACH(gelu_tanh_f(u[i]));
		case QUICK_GELU: EACH(quick_gelu_f(u[i]));
		case HARD_SWISH: EACH(hard_swish_f(u[i]));
		case RELU: EACH(leaky_f(u[i], 0.0f));
		case LEAKY_RELU: EACH(leaky_f(u[i], 0.01f));
		case ELU: EACH(elu_f(u[i]));
		case TANH: EACH(tanh_f(u[i]));
		case SIGMOID: EACH(sigmoid_f(u[i]));
		case SOFTSIGN: EACH(softsign_f(u[i]));
		case MISH: EACH(mish_f(u[i]));
		}
		put(y, off, n, d);
	}
	return EZ_OK;
}

// dx = f'(x)·dy. t: dx, x, dy. n: elements, f.
static int activate_grad(ez_args *a) {
	ez_tensor dx = a->t[0], x = a->t[1], dy = a->t[2];
	long total = a->n[0], f = a->n[1];
	CHUNKS(total) {
		float b0[CHUNK], b1[CHUNK], b2[CHUNK];
		long n = min_l(CHUNK, total - off);
		const float *u = get(x, off, n, b0), *g = get(dy, off, n, b1);
		float *d = room(dx, off, b2);
		switch (f) {
		case SILU: EACH(g[i] * silu_d(u[i]));
		case GELU: EACH(g[i] * gelu_d(u[i]));
		case GELU_TANH: EACH(g[i] * gelu_tanh_d(u[i]));
		case QUICK_GELU: EACH(g[i] * quick_gelu_d(u[i]));
		case HARD_SWISH: EACH(g[i] * hard_swish_d(u[i]));
		case RELU: EACH(g[i] * leaky_d(u[i], 0.0f));
		case LEAKY_RELU: EACH(g[i] * leaky_d(u[i], 0.01f));
		case ELU: EACH(g[i] * elu_d(u[i]));
		case TANH: EACH(g[i] * tanh_d(u[i]));
		case SIGMOID: EACH(g[i] * sigmoid_d(u[i]));
		case SOFTSIGN: EACH(g[i] * softsign_d(u[i]));
		case MISH: EACH(g[i] * mish_d(u[i]));
		}
		put(dx, off, n, d);
	}
	return EZ_OK;
}

// y[r,c] = x[r,c]·GELU(x[r,c+C]). t: y, x. n: rows, C.
static int geglu(ez_args *a) {
	ez_tensor y = a->t[0], x = a->t[1];
	long rows = a->n[0], c = a->n[1];
#pragma omp parallel for schedule(static) if (rows * c > PARALLEL / 4)
	for (long r = 0; r < rows; r++) {
		float b0[CHUNK], b1[CHUNK], b2[CHUNK];
		for (long j = 0; j < c; j += CHUNK) {
			long n = min_l(CHUNK, c - j);
			const float *u = get(x, r * 2 * c + j, n, b0), *g = get(x, r * 2 * c + c + j, n, b1);
			float *d = room(y, r * c + j, b2);
			VECTOR for (long i = 0; i < n; i++) d[i] = u[i] * gelu_f(g[i]);
			put(y, r * c + j, n, d);
		}
	}
	return EZ_OK;
}

// t: dx, x, dy. n: rows, C.
static int geglu_grad(ez_args *a) {
	ez_tensor dx = a->t[0], x = a->t[1], dy = a->t[2];
	long rows = a->n[0], c = a->n[1];
#pragma omp parallel for schedule(static) if (rows * c > PARALLEL / 4)
	for (long r = 0; r < rows; r++) {
		float b0[CHUNK], b1[CHUNK], b2[CHUNK], b3[CHUNK], b4[CHUNK];
		for (long j = 0; j < c; j += CHUNK) {
			long n = min_l(CHUNK, c - j), left = r * 2 * c + j, right = left + c;
			const float *u = get(x, left, n, b0), *v = get(x, right, n, b1), *g = get(dy, r * c + j, n, b2);
			float *du = room(dx, left, b3), *dv = room(dx, right, b4);
			VECTOR for (long i = 0; i < n; i++) {
				normal at = normal_f(v[i]);
				float gi = g[i], ui = u[i];
				du[i] = gi * (v[i] * at.cdf);
				dv[i] = gi * ui * (at.cdf + v[i] * at.pdf);
			}
			put(dx, left, n, du);
			put(dx, right, n, dv);
		}
	}
	return EZ_OK;
}
