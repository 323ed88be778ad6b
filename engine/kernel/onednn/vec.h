// What all kernels share: vector width, exponentials that the compiler vectorises, conversion of storage types.
// Included by simd_*.c after the instruction set has been chosen.
#include "ez.h"
#include <immintrin.h>
#include <math.h>
#include <omp.h>
#include <string.h>

#if defined(__AVX512F__)
#define LANES 16
#define MR 8 // rows of a register tile: MR * 3 sums of LANES floats fit the registers
#elif defined(__AVX2__)
#define LANES 8
#define MR 4
#else
#define LANES 4
#define MR 4
#endif

#define CHUNK 2048L       // elements converted at a time; three such rows stay in the first-level cache
#define PARALLEL 16384L   // below so many elements a second thread costs more than it brings
#define VECTOR _Pragma("GCC ivdep")

typedef float vf __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int vi __attribute__((vector_size(4 * LANES)));
typedef uint16_t vh __attribute__((vector_size(2 * LANES), aligned(2), may_alias));

static inline long min_l(long a, long b) { return a < b ? a : b; }
static inline long max_l(long a, long b) { return a > b ? a : b; }
static inline long round_up(long n, long to) { return (n + to - 1) / to * to; }

static inline float bits_float(uint32_t u) { float f; memcpy(&f, &u, 4); return f; }
static inline uint32_t float_bits(float f) { uint32_t u; memcpy(&u, &f, 4); return u; }

// root is √x; GCC vectorises no sqrtf, which may set errno, whatever the pragma says.
static inline vf root(vf x) {
#if defined(__AVX512F__)
	return (vf)_mm512_sqrt_ps((__m512)x);
#elif defined(__AVX2__)
	return (vf)_mm256_sqrt_ps((__m256)x);
#else
	return (vf)_mm_sqrt_ps((__m128)x);
#endif
}

// The larger of each two; b where one is NaN.
static inline vf larger(vf a, vf b) {
#if defined(__AVX512F__)
	return (vf)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined(__AVX2__)
	return (vf)_mm256_max_ps((__m256)a, (__m256)b);
#else
	return (vf)_mm_max_ps((__m128)a, (__m128)b);
#endif
}

// exp to about 1 ulp for results that are normal numbers: 2^n * e^r, |r| <= ln2/2, Cephes' polynomial.
static inline float exp_f(float x) {
	x = x < -103.0f ? -103.0f : x; // NaN fails both and stays
	x = x > 89.0f ? 89.0f : x;
	float n = (x * 1.44269504088896341f + 12582912.0f) - 12582912.0f; // round to nearest
	float r = x - n * 0.693359375f;
	r = r - n * -2.12194440e-4f;
	float p = 1.9875691500e-4f;
	p = p * r + 1.3981999507e-3f;
	p = p * r + 8.3334519073e-3f;
	p = p * r + 4.1665795894e-2f;
	p = p * r + 1.6666665459e-1f;
	p = p * r + 5.0000001201e-1f;
	p = p * (r * r) + r + 1.0f;
	int k = (int)n, half = k >> 1; // two factors, because 2^128 is no float
	return p * bits_float((uint32_t)(half + 127) << 23) * bits_float((uint32_t)(k - half + 127) << 23);
}

// 2^r for r from -1/2 to 1/2, of floats or vectors: a minimax polynomial.
#define EXP2_POLYNOMIAL(r) ((((((1.534581778e-4f * r + 1.339993350e-3f) * r + 9.618488958e-3f) * r + 5.550328771e-2f) * r + \
	2.402264689e-1f) * r + 6.931472057e-1f) * r + 1.0f)

// 2^x for x from 0 down, where it is never less than 2^-126, to about 1 ulp: a power of two by its exponent, times the
// polynomial. Adding 1.5·2^23 rounds to an integer, which then lies in the lowest bits. Those of a NaN that arithmetic makes
// are 0, so that it stays one.
static inline float exp2_f(float x) {
	x = x < -126.0f ? -126.0f : x; // not so NaN
	float n = x + 12582912.0f, r = x - (n - 12582912.0f);
	return bits_float(float_bits(EXP2_POLYNOMIAL(r)) + (float_bits(n) << 23));
}

// exp2_f of a vector.
static inline vf exp2_v(vf x) {
	x = larger((vf){0} - 126.0f, x);
	vf n = x + 12582912.0f, r = x - (n - 12582912.0f);
	return (vf)((vi)EXP2_POLYNOMIAL(r) + ((vi)n << 23));
}

static inline float sigmoid_f(float x) { return 1.0f / (1.0f + exp_f(-x)); }

static inline uint16_t to_bf16(float f) {
	uint32_t u = float_bits(f);
	uint32_t rounded = (u + 0x7fff + ((u >> 16) & 1)) >> 16;
	uint32_t nan = (u >> 16) | 0x40;
	return (uint16_t)((u & 0x7fffffff) > 0x7f800000 ? nan : rounded);
}

static inline float f16_float(uint16_t h) {
	uint32_t sign = (uint32_t)(h & 0x8000) << 16, exp = (h >> 10) & 0x1f, man = h & 0x3ff;
	if (exp == 0x1f) return bits_float(sign | 0x7f800000 | man << 13);
	if (exp) return bits_float(sign | (exp + 112) << 23 | man << 13);
	float v = (float)man * (1.0f / (1 << 24));
	return sign ? -v : v;
}

static inline uint16_t to_f16(float f) {
	uint32_t b = float_bits(f);
	uint16_t sign = (b >> 16) & 0x8000;
	b &= 0x7fffffff;
	if (b > 0x7f800000) return sign | 0x7e00;
	if (b >= 0x477ff000) return sign | 0x7c00;
	if (b < 0x38800000) return sign | (uint16_t)lrintf(bits_float(b) * (1 << 24));
	b += 0xfff + ((b >> 13) & 1);
	return sign | (uint16_t)((b - (112u << 23)) >> 13);
}

static void widen(float *restrict d, const void *src, long dt, long n) {
	const uint16_t *restrict s = src;
	switch (dt) {
	case EZ_F32: memcpy(d, src, 4 * n); break;
	case EZ_BF16:
		for (long i = 0; i < n; i++) d[i] = bits_float((uint32_t)s[i] << 16);
		break;
	case EZ_F16: {
		long i = 0;
#ifdef __F16C__
		for (; i + 8 <= n; i += 8) _mm256_storeu_ps(d + i, _mm256_cvtph_ps(_mm_loadu_si128((const void *)(s + i))));
#endif
		for (; i < n; i++) d[i] = f16_float(s[i]);
		break;
	}
	case EZ_I32:
		for (long i = 0; i < n; i++) d[i] = (float)((const int32_t *)src)[i];
		break;
	}
}

static void narrow(void *dst, long dt, const float *restrict s, long n) {
	uint16_t *restrict d = dst;
	switch (dt) {
	case EZ_F32: memcpy(dst, s, 4 * n); break;
	case EZ_BF16: {
		long i = 0;
#ifdef __AVX512BF16__
		for (; i + 16 <= n; i += 16) _mm256_storeu_si256((void *)(d + i), (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(s + i)));
#endif
		for (; i < n; i++) d[i] = to_bf16(s[i]);
		break;
	}
	case EZ_F16: {
		long i = 0;
#ifdef __F16C__
		for (; i + 8 <= n; i += 8) _mm_storeu_si128((void *)(d + i), _mm256_cvtps_ph(_mm256_loadu_ps(s + i), _MM_FROUND_TO_NEAREST_INT));
#endif
		for (; i < n; i++) d[i] = to_f16(s[i]);
		break;
	}
	case EZ_I32:
		for (long i = 0; i < n; i++) ((int32_t *)dst)[i] = (int32_t)s[i];
		break;
	}
}

static inline long size_of(long dt) { return dt == EZ_BF16 || dt == EZ_F16 ? 2 : 4; }
static inline char *at(ez_tensor t, long off) { return (char *)t.p + off * size_of(t.dt); }

// get returns n elements from off as floats: in place for F32, else widened into buf.
static inline const float *get(ez_tensor t, long off, long n, float *buf) {
	if (t.dt == EZ_F32) return (const float *)t.p + off;
	widen(buf, at(t, off), t.dt, n);
	return buf;
}

// room returns where to compute the elements from off; put stores them there.
static inline float *room(ez_tensor t, long off, float *buf) { return t.dt == EZ_F32 ? (float *)t.p + off : buf; }
static inline void put(ez_tensor t, long off, long n, const float *from) {
	if (t.dt != EZ_F32) narrow(at(t, off), t.dt, from, n);
}

// A vector of the elements from off on, and storing one.
static inline vf load_v(ez_tensor t, long off) {
	if (t.dt == EZ_F32) return *(const vf *)((float *)t.p + off);
	if (t.dt == EZ_BF16) return (vf)(__builtin_convertvector(*(const vh *)at(t, off), vi) << 16);
	vf v = {0};
	widen((float *)&v, at(t, off), t.dt, LANES);
	return v;
}

static inline void store_v(ez_tensor t, long off, vf v) {
	if (t.dt == EZ_F32) *(vf *)((float *)t.p + off) = v;
#ifdef __AVX512BF16__
	else if (t.dt == EZ_BF16) _mm256_storeu_si256((void *)at(t, off), (__m256i)_mm512_cvtneps_pbh((__m512)v));
#endif
	else narrow(at(t, off), t.dt, (const float *)&v, LANES);
}
