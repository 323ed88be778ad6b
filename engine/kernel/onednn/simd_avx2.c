//go:build cgo && linux && amd64

// The fused kernels, compiled for AVX2 with FMA (Haswell, Zen).
#pragma GCC target("avx2,fma,f16c,bmi,bmi2,lzcnt")
#include "simd.h"
const ez_kernel ez_kernels_avx2[EZ_KERNEL_COUNT] = {EZ_KERNELS(EZ_ENTRY)};
