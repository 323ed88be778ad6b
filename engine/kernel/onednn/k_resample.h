// Moving rows: concatenation, slices, nearest-neighbour enlargement.

// n elements of x from xo to y from yo, converted where the types differ.
static void move(ez_tensor y, long yo, ez_tensor x, long xo, long n) {
	if (y.dt == x.dt) {
		memcpy(at(y, yo), at(x, xo), n * size_of(y.dt));
		return;
	}
	float buf[CHUNK];
	for (long j = 0; j < n; j += CHUNK) {
		long m = min_l(CHUNK, n - j);
		if (y.dt == EZ_F32) widen((float *)y.p + yo + j, at(x, xo + j), x.dt, m);
		else narrow(at(y, yo + j), y.dt, get(x, xo + j, m, buf), m);
	}
}

// t: y, a, b. n: rows, channels of a, of b.
static int concat(ez_args *a) {
	long rows = a->n[0], c1 = a->n[1], c2 = a->n[2];
#pragma omp parallel for schedule(static) if (rows * (c1 + c2) > PARALLEL)
	for (long r = 0; r < rows; r++) {
		move(a->t[0], r * (c1 + c2), a->t[1], r * c1, c1);
		move(a->t[0], r * (c1 + c2) + c1, a->t[2], r * c2, c2);
	}
	return EZ_OK;
}

// t: y, x. n: rows, channels of y, of x, first channel.
static int slice_channels(ez_args *a) {
	long rows = a->n[0], cy = a->n[1], cx = a->n[2], from = a->n[3];
#pragma omp parallel for schedule(static) if (rows * cy > PARALLEL)
	for (long r = 0; r < rows; r++) move(a->t[0], r * cy, a->t[1], r * cx + from, cy);
	return EZ_OK;
}

// t: y, x. n: batch, h, w, oh, ow, channels.
static int upsample(ez_args *a) {
	long batch = a->n[0], h = a->n[1], w = a->n[2], oh = a->n[3], ow = a->n[4], c = a->n[5];
#pragma omp parallel for schedule(static) if (batch * oh * ow * c > PARALLEL)
	for (long r = 0; r < batch * oh; r++) {
		long b = r / oh, sy = r % oh * h / oh;
		for (long x = 0; x < ow; x++) move(a->t[0], (r * ow + x) * c, a->t[1], ((b * h + sy) * w + x * w / ow) * c, c);
	}
	return EZ_OK;
}

// t: dx, dy. n: as upsample. Copies of source pixel i are ⌈i·o/s⌉ to ⌈(i+1)·o/s⌉-1.
static int upsample_grad(ez_args *a) {
	ez_tensor dx = a->t[0], dy = a->t[1];
	long batch = a->n[0], h = a->n[1], w = a->n[2], oh = a->n[3], ow = a->n[4], c = a->n[5];
#pragma omp parallel for schedule(static) if (batch * oh * ow * c > PARALLEL)
	for (long r = 0; r < batch * h; r++) {
		float b0[CHUNK], b1[CHUNK];
		long b = r / h, i = r % h, y0 = (i * oh + h - 1) / h, y1 = ((i + 1) * oh + h - 1) / h;
		for (long x = 0; x < w; x++) {
			long x0 = (x * ow + w - 1) / w, x1 = ((x + 1) * ow + w - 1) / w;
			for (long j = 0; j < c; j += CHUNK) {
				long n = min_l(CHUNK, c - j), off = (r * w + x) * c + j;
				float *d = room(dx, off, b0);
				memset(d, 0, n * sizeof(float));
				for (long yy = y0; yy < y1; yy++)
					for (long xx = x0; xx < x1; xx++) {
						const float *g = get(dy, ((b * oh + yy) * ow + xx) * c + j, n, b1);
						VECTOR for (long l = 0; l < n; l++) d[l] += g[l];
					}
				put(dx, off, n, d);
			}
		}
	}
	return EZ_OK;
}
