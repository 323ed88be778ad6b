// Package onednn is Easel's CPU backend: fused C kernels of our own, compiled for several instruction sets and chosen at
// run time, and oneDNN for weight gradients and, on processors with AMX, products of bfloat16.
//
// It needs cgo, x86-64 Linux and oneDNN 2.6 or 3.x; elsewhere Available is false and New returns an error.
package onednn

// Options choose threads and instruction set. The zero value is right for every program; tests set the rest.
type Options struct {
	// Threads of the OpenMP team, at most four for each processor. 0 means one for each physical core this process may
	// use, but no more than its share of a container (GOMAXPROCS) or the environment's OMP_NUM_THREADS.
	Threads int

	// ISA caps the instruction set of oneDNN and of our kernels: "sse41", "avx2", "avx512_core", "avx512_core_vnni",
	// "avx512_core_bf16", "avx512_core_amx"; "" means the machine's best. oneDNN accepts a cap only before its first
	// primitive, once in a process.
	ISA string

	// Cache is a folder that keeps which algorithm was measured to be the faster for each shape of convolution: measured
	// once on a machine, when the shape is first used. "" measures nothing and decides by a rule.
	Cache string

	// Convolution fixes the algorithm of those convolutions that allow a choice: "direct" or "winograd".
	Convolution string
}
