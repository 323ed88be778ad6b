// Conversion, sums and products, element by element or channel by channel.

#define CHUNKS(total) \
	_Pragma("omp parallel for schedule(static) if ((total) > PARALLEL)") for (long off = 0; off < (total); off += CHUNK)

// t: y, x. n: elements.
static int convert(ez_args *a) {
	ez_tensor y = a->t[0], x = a->t[1];
	long total = a->n[0];
	CHUNKS(total) {
		float buf[CHUNK];
		long n = min_l(CHUNK, total - off);
		if (y.dt == EZ_F32) widen((float *)y.p + off, at(x, off), x.dt, n);
		else if (y.dt == x.dt) memcpy(at(y, off), at(x, off), n * size_of(y.dt));
		else narrow(at(y, off), y.dt, get(x, off, n, buf), n);
	}
	return EZ_OK;
}

// y = a + s*b. t: y, a, b. n: elements. f: s.
static int add(ez_args *a) {
	ez_tensor y = a->t[0], p = a->t[1], q = a->t[2];
	long total = a->n[0];
	float s = a->f[0];
	CHUNKS(total) {
		float b0[CHUNK], b1[CHUNK], b2[CHUNK];
		long n = min_l(CHUNK, total - off);
		const float *u = get(p, off, n, b0), *v = get(q, off, n, b1);
		float *d = room(y, off, b2);
		VECTOR for (long i = 0; i < n; i++) d[i] = u[i] + s * v[i];
		put(y, off, n, d);
	}
	return EZ_OK;
}

// y = a*b. t: y, a, b. n: elements.
static int mul(ez_args *a) {
	ez_tensor y = a->t[0], p = a->t[1], q = a->t[2];
	long total = a->n[0];
	CHUNKS(total) {
		float b0[CHUNK], b1[CHUNK], b2[CHUNK];
		long n = min_l(CHUNK, total - off);
		const float *u = get(p, off, n, b0), *v = get(q, off, n, b1);
		float *d = room(y, off, b2);
		VECTOR for (long i = 0; i < n; i++) d[i] = u[i] * v[i];
		put(y, off, n, d);
	}
	return EZ_OK;
}

// y = s*x. t: y, x. n: elements. f: s.
static int scale(ez_args *a) {
	ez_tensor y = a->t[0], x = a->t[1];
	long total = a->n[0];
	float s = a->f[0];
	CHUNKS(total) {
		float b0[CHUNK], b1[CHUNK];
		long n = min_l(CHUNK, total - off);
		const float *u = get(x, off, n, b0);
		float *d = room(y, off, b1);
		VECTOR for (long i = 0; i < n; i++) d[i] = s * u[i];
		put(y, off, n, d);
	}
	return EZ_OK;
}

// y[b,r,c] = x[b,r,c] + t[b,c]. t: y, x, t. n: batch, rows, channels.
static int add_channels(ez_args *a) {
	ez_tensor y = a->t[0], x = a->t[1], t = a->t[2];
	long batch = a->n[0], rows = a->n[1], c = a->n[2];
#pragma omp parallel for schedule(static) if (batch * rows * c > PARALLEL)
	for (long r = 0; r < batch * rows; r++) {
		float b0[CHUNK], b1[CHUNK], b2[CHUNK];
		for (long j = 0; j < c; j += CHUNK) {
			long n = min_l(CHUNK, c - j), off = r * c + j;
			const float *u = get(x, off, n, b0), *v = get(t, r / rows * c + j, n, b1);
			float *d = room(y, off, b2);
			VECTOR for (long i = 0; i < n; i++) d[i] = u[i] + v[i];
			put(y, off, n, d);
		}
	}
	return EZ_OK;
}
