//go:build cgo && linux && amd64

// The fused kernels, compiled for AVX-512 with products of bfloat16 (Zen 4, Cooper Lake, Sapphire Rapids).
#pragma GCC target("avx512bf16,avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx2,fma,f16c,bmi,bmi2,lzcnt,prefer-vector-width=512")
#define DOT // products of bfloat16 pairs in hardware
#include "simd.h"
const ez_kernel ez_kernels_bf16[EZ_KERNEL_COUNT] = {EZ_KERNELS(EZ_ENTRY)};
