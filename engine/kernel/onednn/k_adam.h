// One AdamW step (Loshchilov and Hutter, arXiv 1711.05101), as torch.optim.AdamW computes it.

// t: p, g, m, v. n: elements, key of the random bits. f: 1-rate·decay, beta1, beta2, eps, rate/(1-beta1^t),
// 1/√(1-beta2^t), gradient scale.
static int adam(ez_args *a) {
	float *m = (float *)a->t[2].p, *v = (float *)a->t[3].p;
	const float *g = (float *)a->t[1].p;
	long total = a->n[0];
	uint64_t key = (uint64_t)a->n[1];
	float keep = a->f[0], b1 = a->f[1], b2 = a->f[2], eps = a->f[3], rate = a->f[4], correct = a->f[5], s = a->f[6];
#pragma omp parallel for schedule(static) if (total > PARALLEL)
	for (long off = 0; off < total; off += CHUNK) {
		float buf[CHUNK], roots[CHUNK];
		long n = min_l(total - off, CHUNK);
		float *p = room_for(a->t[0], off, n, buf);
		VECTOR for (long j = 0; j < n; j++) {
			long i = off + j;
			float d = g[i] * s;
			m[i] += (d - m[i]) * (1 - b1);
			v[i] = roots[j] = v[i] * b2 + d * d * (1 - b2);
		}
		for (long j = 0; j < n; j += LANES) *(vf *)(roots + j) = root(*(vf *)(roots + j));
		VECTOR for (long j = 0; j < n; j++) p[j] = p[j] * keep - rate * m[off + j] / (roots[j] * correct + eps);
		put_random(a->t[0], off, n, p, key);
	}
	return EZ_OK;
}
