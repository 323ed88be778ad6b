// The AdamW step with moments in 8 bits: kernel.Adam8, whose ref this equals bit for bit.

#define BLOCK 256L // kernel.AdamBlock

// A bucket is the numbers whose upper 16 bits are the same: at most one edge of a map, the largest number that becomes some
// magnitude, lies within. From 2^-23, below which all is 0, to 1.
#define BUCKET_LOW ((127 - 23) << 7)
#define BUCKETS ((23 << 7) + 1)

// The tables of a kernel.Code8, as adam.go lays them out.
typedef struct {
	float value[256];        // of codes
	int32_t bucket[BUCKETS]; // the magnitude of its least number, and in the lower 16 bits those of its edge; all set without one
} code8;

typedef uint8_t vcode __attribute__((vector_size(LANES), aligned(1), may_alias));

// apart keeps a product from being rounded only with the sum that it goes into, as ref does not do so.
static inline vf apart(vf product) {
	__asm__("" : "+x"(product));
	return product;
}

static inline vi look_up(const void *table, vi at) {
#if defined(__AVX512F__)
	return (vi)_mm512_i32gather_epi32((__m512i)at, table, 4);
#elif defined(__AVX2__)
	return (vi)_mm256_i32gather_epi32(table, (__m256i)at, 4);
#else
	vi v;
	for (int i = 0; i < LANES; i++) v[i] = ((const int32_t *)table)[at[i]];
	return v;
#endif
}

static inline vi where(vi mask, vi then, vi otherwise) { return (mask & then) | (~mask & otherwise); }

static inline vi between(vi x, int low, int high) {
	vi l = x * 0 + low, h = x * 0 + high;
	x = where(x < l, l, x);
	return where(x > h, h, x);
}

// widened is a vector of codes; GCC's own conversion takes them one by one.
static inline vi widened(const uint8_t *codes) {
#if defined(__AVX512F__)
	return (vi)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)codes));
#elif defined(__AVX2__)
	return (vi)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)codes));
#else
	return __builtin_convertvector(*(const vcode *)codes, vi);
#endif
}

static inline vf decoded(const code8 *c, const uint8_t *codes) { return (vf)look_up(c->value, widened(codes)); }

// magnitude is the place of |x| among a map's magnitudes.
static inline vi magnitude(const code8 *c, vf x) {
	vi size = (vi)x & 0x7fffffff;
	vi bucket = look_up(c->bucket, between((size >> 16) - BUCKET_LOW, 0, BUCKETS - 1));
	return (bucket >> 16) - ((size & 0xffff) > (bucket & 0xffff)); // true is -1
}

static inline void encode_signed(uint8_t *codes, const code8 *c, vf x, float inverse) {
	vi j = magnitude(c, x * inverse);
	vi code = where(x < 0.0f, 127 - between(j, 1, 127), 127 + j); // a negative number keeps its sign, and there is no -1
	*(vcode *)codes = __builtin_convertvector(code, vcode);
}

static inline void encode_unsigned(uint8_t *codes, const code8 *c, vf x, float inverse) {
	*(vcode *)codes = __builtin_convertvector(magnitude(c, x * inverse), vcode);
}

// largest is the largest magnitude of a block; found among whole numbers, whose order is that of floats without sign.
static inline float largest(const float *x) {
	int32_t most = 0;
	for (long i = 0; i < BLOCK; i++) {
		int32_t size = (int32_t)(float_bits(x[i]) & 0x7fffffff);
		most = size > most ? size : most;
	}
	return bits_float((uint32_t)most);
}

static inline float inverse(float scale) { return scale == 0 ? 0 : 1 / scale; }

// adam8_block makes the step of a whole block, of which only the first n numbers count.
static void adam8_block(ez_args *a, float *p, const float *g, uint8_t *mc, uint8_t *vc, long block, long n) {
	const code8 *m_map = (const code8 *)a->t[6].p, *v_map = (const code8 *)a->t[7].p;
	float *m_scale = (float *)a->t[4].p + block, *v_scale = (float *)a->t[5].p + block;
	float keep = a->f[0], b1 = a->f[1], b2 = a->f[2], eps = a->f[3], rate = a->f[4], correct = a->f[5], s = a->f[6];
	float m_keep = b1 * *m_scale, v_keep = b2 * *v_scale, m_add = 1 - b1, v_add = 1 - b2;
	float m[BLOCK], v[BLOCK];
	for (long i = 0; i < BLOCK; i += LANES) {
		vf d = *(const vf *)(g + i) * s;
		vf first = apart(decoded(m_map, mc + i) * m_keep) + apart(d * m_add);
		vf second = apart(decoded(v_map, vc + i) * v_keep) + apart(d * v_add * d);
		vf way = first * rate / (apart(root(second) * correct) + eps);
		*(vf *)(p + i) = apart(*(vf *)(p + i) * keep) - way;
		*(vf *)(m + i) = first;
		*(vf *)(v + i) = second;
	}
	memset(m + n, 0, 4 * (BLOCK - n));
	memset(v + n, 0, 4 * (BLOCK - n));
	*m_scale = largest(m);
	*v_scale = largest(v);
	float m_inverse = inverse(*m_scale), v_inverse = inverse(*v_scale);
	for (long i = 0; i < BLOCK; i += LANES) {
		encode_signed(mc + i, m_map, *(vf *)(m + i), m_inverse);
		encode_unsigned(vc + i, v_map, *(vf *)(v + i), v_inverse);
	}
}

// t: p, g, codes of m and v, scales of m and v, the code8s of m and v. n: elements, key of the random bits. f: as adam.
static int adam8(ez_args *a) {
	long total = a->n[0];
#pragma omp parallel for schedule(static) if (total > PARALLEL)
	for (long off = 0; off < total; off += BLOCK) {
		long n = min_l(total - off, BLOCK);
		const float *g = (const float *)a->t[1].p + off;
		uint8_t *m = (uint8_t *)a->t[2].p + off, *v = (uint8_t *)a->t[3].p + off;
		if (n == BLOCK) {
			float buf[BLOCK];
			float *p = room_for(a->t[0], off, n, buf);
			adam8_block(a, p, g, m, v, off / BLOCK, n);
			put_random(a->t[0], off, n, p, (uint64_t)a->n[1]);
			continue;
		}
		float buf[BLOCK], whole_p[BLOCK] = {0}, whole_g[BLOCK] = {0};
		uint8_t whole_m[BLOCK] = {0}, whole_v[BLOCK] = {0};
		memcpy(whole_p, get(a->t[0], off, n, buf), 4 * n);
		memcpy(whole_g, g, 4 * n);
		memcpy(whole_m, m, n);
		memcpy(whole_v, v, n);
		adam8_block(a, whole_p, whole_g, whole_m, whole_v, off / BLOCK, n);
		if (a->t[0].dt == EZ_F32) memcpy(at(a->t[0], off), whole_p, 4 * n);
		put_random(a->t[0], off, n, whole_p, (uint64_t)a->n[1]);
		memcpy(m, whole_m, n);
		memcpy(v, whole_v, n);
	}
	return EZ_OK;
}
