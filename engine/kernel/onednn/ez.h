// The C side of package onednn: types shared by Go, the fused kernels (k_*.h) and the oneDNN calls (dnnl.c).
#ifndef EZ_H
#define EZ_H
#include <stddef.h>
#include <stdint.h>

// Storage types, numbered as kernel.DType.
enum { EZ_F32, EZ_BF16, EZ_F16, EZ_I32 };

// Status codes, numbered as dnnl_status_t.
enum { EZ_OK, EZ_NOMEM, EZ_INVALID, EZ_UNIMPLEMENTED };

// A tensor's memory; p is 0 for an absent tensor. An integer, because cgo forbids Go pointers inside structs: the Go
// side keeps the tensors alive during the call, and Go's heap does not move.
typedef struct {
	uintptr_t p;
	long dt;
} ez_tensor;

// Arguments of a fused kernel; each kernel's comment says which it reads.
typedef struct {
	ez_tensor t[10];
	long n[16];
	float f[8];
	double sum; // result of sum_squares
} ez_args;

// Every fused kernel, in k_*.h.
#define EZ_KERNELS(X) \
	X(convert) X(add) X(mul) X(scale) X(add_channels) X(col_sums) \
	X(activate) X(activate_grad) X(geglu) X(geglu_grad) \
	X(group_stats) X(group_norm) X(group_grad_input) X(group_grad_params) \
	X(layer_norm) X(layer_grad_input) X(layer_grad_params) X(softmax) X(softmax_grad) \
	X(attention) X(attention_grad) X(product) X(few_rows) X(winograd) X(winograd_grad) \
	X(concat) X(slice_channels) X(upsample) X(upsample_grad) X(embed) X(embed_grad) \
	X(loss) X(loss_grad) X(adam) X(adam8) X(sum_squares)

#define EZ_ENUM(name) EZ_K_##name,
enum { EZ_KERNELS(EZ_ENUM) EZ_KERNEL_COUNT };

typedef int (*ez_kernel)(ez_args *);

// runtime.c
void ez_init(int threads, int level);           // level 0 baseline, 1 AVX2, 2 AVX-512, 3 with bfloat16; less where the machine has less
int ez_call(int kernel, ez_args *a);            // runs a fused kernel
void *ez_scratch(int slot, size_t bytes);       // growable buffer, 64-byte aligned; NULL when there is no memory
void *ez_alloc(size_t bytes);                   // 64-byte aligned, huge pages where large; for free()
void ez_free_scratch(void);
void ez_enter(void);                            // prepares the calling thread's OpenMP team
unsigned ez_flush_denormals(void);              // returns the former control word for ez_restore
void ez_restore(unsigned mxcsr);

// Scratch slots. Conversions of a primitive's operands live beside its own scratchpad.
enum { EZ_SLOT_WORK, EZ_SLOT_SRC, EZ_SLOT_WEIGHTS, EZ_SLOT_DST, EZ_SLOT_ADD, EZ_SLOT_BIAS, EZ_SLOT_PLAIN, EZ_SLOTS };

// dnnl.c
typedef struct ez_prim ez_prim;
enum { EZ_ARG_SRC, EZ_ARG_WEIGHTS, EZ_ARG_BIAS, EZ_ARG_DST, EZ_ARG_ADD, EZ_ARGS };
enum { EZ_ADD_NONE, EZ_ADD_IN_PLACE, EZ_ADD_OTHER };
enum { EZ_FORWARD, EZ_GRAD_INPUT, EZ_GRAD_WEIGHT };

// A matrix product dst[m,n] = alpha * src[m,k] * weights[k,n] + bias[n] + add[m,n].
typedef struct {
	long m, k, n;
	long src_t, weights_t;     // stored transposed
	long packed;               // weights in whatever layout the primitive wants
	long dt, dst_dt, add_dt;   // compute type of src and weights; types of dst and add
	long bias, add;            // bias present (F32); an EZ_ADD_ constant
	float alpha;
} ez_matmul;

// A convolution in one of its three directions, NHWC activations, OIHW weights.
typedef struct {
	long b, h, w, i, oh, ow, o, kh, kw;
	long stride, top, left, bottom, right;
	long direction; // EZ_FORWARD...
	long dt, dst_dt, add_dt;
	long bias, add;
} ez_conv;

int ez_dnnl_init(int isa); // isa 0: no cap, else a dnnl_cpu_isa_t
int ez_dnnl_isa(void);
int ez_matmul_new(const ez_matmul *m, ez_prim **out);
int ez_conv_new(const ez_conv *c, ez_prim **out);
int ez_run(ez_prim *p, const uintptr_t args[EZ_ARGS]);
void ez_prim_free(ez_prim *p);
const char *ez_prim_impl(const ez_prim *p);
// A primitive's weights: the size wanted, whether plain memory serves as it is, and the reorder from and to plain
// memory (of the compute type; F32 for a weight gradient).
size_t ez_weights_size(const ez_prim *p);
int ez_weights_plain(const ez_prim *p);
int ez_weights_pack(ez_prim *p, uintptr_t plain, uintptr_t packed);
int ez_weights_unpack(ez_prim *p, uintptr_t packed, uintptr_t plain);

// A packed weight: memory in the layout that some primitive wanted, which it may outlive.
typedef struct ez_packed ez_packed;
ez_packed *ez_packed_new(const ez_prim *p); // NULL when there is no memory
uintptr_t ez_packed_memory(const ez_packed *w);
int ez_packed_serves(const ez_packed *w, const ez_prim *p); // whether p wants the same layout and contents
void ez_packed_free(ez_packed *w);

#endif
