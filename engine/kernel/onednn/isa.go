//go:build cgo && linux && amd64

package onednn

/*
#include "ez.h"
#include <dnnl.h>
*/
import "C"

// isas are the instruction sets by name, oneDNN's number, and the level of our own kernels; best last.
var isas = []struct {
	name  string
	dnnl  int
	level int
}{
	{"sse41", C.dnnl_cpu_isa_sse41, 0},
	{"avx2", C.dnnl_cpu_isa_avx2, 1},
	{"avx512_core", C.dnnl_cpu_isa_avx512_core, 2},
	{"avx512_core_vnni", C.dnnl_cpu_isa_avx512_core_vnni, 2},
	{"avx512_core_bf16", C.dnnl_cpu_isa_avx512_core_bf16, 3},
	{"avx512_core_amx", C.dnnl_cpu_isa_avx512_core_amx, 3},
}

// capOf finds an instruction set by name; "" is no cap.
func capOf(name string) (dnnl, level int, ok bool) {
	if name == "" {
		return 0, 3, true
	}
	for _, s := range isas {
		if s.name == name {
			return s.dnnl, s.level, true
		}
	}
	return 0, 0, false
}

// ISA names the best instruction set that oneDNN uses on this machine under the cap in force, as "avx512_core_bf16".
func ISA() string {
	have, name := int(C.ez_dnnl_isa()), "baseline"
	for _, s := range isas {
		if have&s.dnnl == s.dnnl {
			name = s.name
		}
	}
	return name
}

// HasBF16 says whether the machine multiplies bfloat16 in hardware (avx512_bf16 or AMX). Where it does not, BF16 is a
// storage type only.
func HasBF16() bool {
	return int(C.ez_dnnl_isa())&C.dnnl_cpu_isa_avx512_core_bf16 == C.dnnl_cpu_isa_avx512_core_bf16
}
