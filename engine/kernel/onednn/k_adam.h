// One AdamW step (Loshchilov and Hutter, arXiv 1711.05101), as torch.optim.AdamW computes it.

// t: p, g, m, v. n: elements. f: 1-rate·decay, beta1, beta2, eps, rate/(1-beta1^t), 1/√(1-beta2^t), gradient scale.
static int adam(ez_args *a) {
	float *p = (float *)a->t[0].p, *m = (float *)a->t[2].p, *v = (float *)a->t[3].p;
	const float *g = (float *)a->t[1].p;
	long total = a->n[0];
	float keep = a->f[0], b1 = a->f[1], b2 = a->f[2], eps = a->f[3], rate = a->f[4], correct = a->f[5], s = a->f[6];
#pragma omp parallel for schedule(static) if (total > PARALLEL)
	for (long off = 0; off < total; off += CHUNK) {
		long end = min_l(total, off + CHUNK);
		VECTOR for (long i = off; i < end; i++) {
			float d = g[i] * s;
			float mi = m[i] + (d - m[i]) * (1 - b1);
			float vi = v[i] * b2 + d * d * (1 - b2);
			m[i] = mi;
			v[i] = vi;
			p[i] = p[i] * keep - rate * mi / (sqrtf(vi) * correct + eps);
		}
	}
	return EZ_OK;
}
