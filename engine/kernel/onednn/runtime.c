//go:build cgo && linux && amd64

// Choice of the instruction set, scratch memory, denormals, the thread team.
#define _GNU_SOURCE
#include "ez.h"
#include <omp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xmmintrin.h>

extern const ez_kernel ez_kernels_base[], ez_kernels_avx2[], ez_kernels_avx512[], ez_kernels_bf16[];
static const ez_kernel *const levels[] = {ez_kernels_base, ez_kernels_avx2, ez_kernels_avx512, ez_kernels_bf16};

static const ez_kernel *kernels = ez_kernels_base;
static int team_size, generation;
static __thread int prepared; // generation of this thread's team

static int cpu_level(void) {
	__builtin_cpu_init();
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 0;
	if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
		return 1;
	return __builtin_cpu_supports("avx512bf16") ? 3 : 2;
}

void ez_init(int threads, int level) {
	int have = cpu_level();
	if (level > have) level = have;
	kernels = levels[level];
	team_size = threads;
	generation++;
}

// Denormals: flush to zero (bit 15), read as zero (bit 6).
unsigned ez_flush_denormals(void) {
	unsigned old = _mm_getcsr();
	_mm_setcsr(old | 0x8040);
	return old;
}

void ez_restore(unsigned mxcsr) { _mm_setcsr(mxcsr); }

void ez_enter(void) {
	if (prepared == generation) return;
	prepared = generation;
	omp_set_dynamic(0);
	omp_set_num_threads(team_size);
	int caller = 0;
#pragma omp parallel firstprivate(caller)
	{
		if (omp_get_thread_num() != caller) ez_flush_denormals();
	}
}

int ez_call(int kernel, ez_args *a) {
	ez_enter();
	unsigned csr = ez_flush_denormals(); // Go code on this thread keeps its own rules
	int status = kernels[kernel](a);
	ez_restore(csr);
	return status;
}

#define HUGE_PAGE (2ul << 20)

void *ez_alloc(size_t bytes) {
	void *p = NULL;
	int large = bytes >= HUGE_PAGE;
	if (posix_memalign(&p, large ? HUGE_PAGE : 64, bytes ? bytes : 64)) return NULL;
	if (large) madvise(p, bytes, MADV_HUGEPAGE);
	return p;
}

static struct {
	void *p;
	size_t size;
} scratch[EZ_SLOTS];

void *ez_scratch(int slot, size_t bytes) {
	if (scratch[slot].p && scratch[slot].size >= bytes) return scratch[slot].p;
	size_t size = bytes + bytes / 8 + 4096;
	free(scratch[slot].p);
	scratch[slot].p = ez_alloc(size);
	scratch[slot].size = scratch[slot].p ? size : 0;
	return scratch[slot].p;
}

void ez_free_scratch(void) {
	for (int i = 0; i < EZ_SLOTS; i++) {
		free(scratch[i].p);
		scratch[i].p = NULL;
		scratch[i].size = 0;
	}
}
