//go:build cgo && linux && amd64

// The fused kernels, compiled for AVX-512 (Skylake-X, Ice Lake, Zen 4).
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx2,fma,f16c,bmi,bmi2,lzcnt,prefer-vector-width=512")
#include "simd.h"
const ez_kernel ez_kernels_avx512[EZ_KERNEL_COUNT] = {EZ_KERNELS(EZ_ENTRY)};
