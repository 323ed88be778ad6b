// Stochastic rounding to bfloat16 with the bits of the Go package rng.

#define SPLITMIX_GAMMA 0x9E3779B97F4A7C15ull

// rng.Mix.
static inline uint64_t splitmix(uint64_t x) {
	x += SPLITMIX_GAMMA;
	x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9ull;
	x = (x ^ x >> 27) * 0x94D049BB133111EBull;
	return x ^ x >> 31;
}

// kernel.RoundBF16.
static inline uint16_t round_bf16(float f, uint16_t random) {
	const uint32_t exponent = 0x7f800000;
	uint32_t b = float_bits(f), up = b + random;
	uint32_t rounded = (up & exponent) == exponent ? b : up;
	uint32_t nan = (b & 0x7fffffff) > exponent ? 0x400000 : 0;
	return (uint16_t)(((b & exponent) == exponent ? b | nan : rounded) >> 16);
}

#define DRAWN 256L // values whose bits are drawn at a time

// round_random rounds n values, of which the first is number off of the stream; off is a multiple of 4.
static void round_random(uint16_t *restrict d, const float *restrict s, long n, uint64_t key, long off) {
	uint64_t words[DRAWN / 4];
	uint16_t bits[DRAWN];
	for (; n > 0; n -= DRAWN, d += DRAWN, s += DRAWN, off += DRAWN) {
		for (long i = 0; i < DRAWN / 4; i++) words[i] = splitmix(key + SPLITMIX_GAMMA * (uint64_t)(off / 4 + i + 1));
		memcpy(bits, words, sizeof bits);
		long end = min_l(n, DRAWN);
		for (long i = 0; i < end; i++) d[i] = round_bf16(s[i], bits[i]);
	}
}

// room_for returns the elements of an F32 or BF16 tensor from off on as floats to change in place: as they lie, or
// widened into buf.
static inline float *room_for(ez_tensor t, long off, long n, float *buf) {
	if (t.dt == EZ_F32) return (float *)t.p + off;
	const uint16_t *s = (const uint16_t *)at(t, off);
	for (long i = 0; i < n; i++) buf[i] = bits_float((uint32_t)s[i] << 16);
	return buf;
}

// put_random stores what room_for gave.
static inline void put_random(ez_tensor t, long off, long n, const float *from, uint64_t key) {
	if (t.dt != EZ_F32) round_random((uint16_t *)at(t, off), from, n, key, off);
}
