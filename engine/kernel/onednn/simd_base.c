//go:build cgo && linux && amd64

// The fused kernels, compiled for the x86-64 baseline, SSE2.
#include "simd.h"
const ez_kernel ez_kernels_base[EZ_KERNEL_COUNT] = {EZ_KERNELS(EZ_ENTRY)};
