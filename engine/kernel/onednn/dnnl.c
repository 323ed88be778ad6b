//go:build cgo && linux && amd64

// Primitives of oneDNN: creation, execution, packing of weights.
#include "dnnl_compat.h"
#include "ez.h"
#include <stdio.h>
#include <string.h>

static dnnl_engine_t engine;
static dnnl_stream_t stream;

struct ez_prim {
	dnnl_primitive_t prim;
	int arg[EZ_ARGS];
	dnnl_memory_t mem[EZ_ARGS], scratchpad;
	size_t scratch_size;
	md_t plain, want; // weights as files have them (compute type), as the primitive has them
	char impl[48];
};

#define TRY(call) \
	do { \
		dnnl_status_t status_ = (call); \
		if (status_ != dnnl_success) { \
			status = status_; \
			goto out; \
		} \
	} while (0)

int ez_dnnl_init(int isa) {
	static int cap; // in force: oneDNN takes one only once
	if (isa && isa != cap) {
		dnnl_status_t s = dnnl_set_max_cpu_isa((dnnl_cpu_isa_t)isa);
		if (s != dnnl_success) return s;
		cap = isa;
	}
	if (engine) return EZ_OK;
	dnnl_status_t s = dnnl_engine_create(&engine, dnnl_cpu, 0);
	return s ? (int)s : (int)dnnl_stream_create(&stream, engine, dnnl_stream_default_flags);
}

int ez_dnnl_isa(void) { return dnnl_get_effective_cpu_isa(); }

static dnnl_data_type_t data_type(long dt) { return dt == EZ_BF16 ? dnnl_bf16 : dt == EZ_F16 ? dnnl_f16 : dnnl_f32; }

// Binds an argument slot to the descriptor that the primitive chose.
static dnnl_status_t bind(ez_prim *p, int slot, int arg, md_view md) {
	p->arg[slot] = arg;
	return dnnl_memory_create(&p->mem[slot], md, engine, DNNL_MEMORY_NONE);
}

// Ends creation: the primitive itself, its scratchpad, its name.
static dnnl_status_t finish(ez_prim *p, dnnl_primitive_desc_t pd, dnnl_query_t weights) {
	dnnl_status_t status = dnnl_success;
	const char *impl = "";
	md_view scratch = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
	TRY(md_copy(&p->want, dnnl_primitive_desc_query_md(pd, weights, 0)));
	TRY(dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &impl));
	snprintf(p->impl, sizeof p->impl, "%s", impl);
	if (scratch && (p->scratch_size = dnnl_memory_desc_get_size(scratch)) > 0)
		TRY(dnnl_memory_create(&p->scratchpad, scratch, engine, DNNL_MEMORY_NONE));
	TRY(dnnl_primitive_create(&p->prim, pd));
out:
	return status;
}

// Attributes: the scratchpad is ours; then alpha, a bias that comes after alpha, and the addend.
static dnnl_status_t attributes(dnnl_primitive_attr_t *attr, float alpha, md_t late_bias, int add, md_t add_md) {
	dnnl_status_t status = dnnl_success;
	dnnl_post_ops_t po = NULL;
	TRY(dnnl_primitive_attr_create(attr));
	TRY(dnnl_primitive_attr_set_scratchpad_mode(*attr, dnnl_scratchpad_mode_user));
	TRY(dnnl_post_ops_create(&po));
	if (alpha != 1) TRY(append_scale(*attr, po, alpha));
	if (add == EZ_ADD_IN_PLACE) TRY(append_sum(po));
	if (add == EZ_ADD_OTHER) TRY(dnnl_post_ops_append_binary(po, dnnl_binary_add, add_md));
	if (late_bias) TRY(dnnl_post_ops_append_binary(po, dnnl_binary_add, late_bias));
	TRY(dnnl_primitive_attr_set_post_ops(*attr, po));
out:
	if (po) dnnl_post_ops_destroy(po);
	return status;
}

// The index of a post-op's argument, which tells where its tensor is bound.
static int post_op_arg(int index) { return DNNL_ARG_ATTR_MULTIPLE_POST_OP(index) | DNNL_ARG_SRC_1; }

int ez_matmul_new(const ez_matmul *m, ez_prim **out) {
	dnnl_status_t status = dnnl_success;
	md_t src = NULL, weights = NULL, bias = NULL, dst = NULL, add = NULL;
	dnnl_primitive_attr_t attr = NULL;
	dnnl_primitive_desc_t pd = NULL;
	ez_prim *p = calloc(1, sizeof *p);
	if (!p) return EZ_NOMEM;
	ez_enter(); // a primitive is made for the team of its maker
	const dnnl_dims_t sd = {m->m, m->k}, wd = {m->k, m->n}, bd = {1, m->n}, dd = {m->m, m->n};
	const dnnl_dims_t ss = {m->src_t ? 1 : m->k, m->src_t ? m->m : 1}, ws = {m->weights_t ? 1 : m->n, m->weights_t ? m->k : 1};
	int late = m->bias && m->alpha != 1;
	TRY(md_strided(&src, 2, sd, data_type(m->dt), ss));
	TRY(md_strided(&p->plain, 2, wd, data_type(m->dt), ws));
	if (m->packed) TRY(md_tagged(&weights, 2, wd, data_type(m->dt), dnnl_format_tag_any));
	else TRY(md_copy(&weights, p->plain));
	TRY(md_tagged(&dst, 2, dd, data_type(m->dst_dt), dnnl_ab));
	if (m->bias) TRY(md_tagged(&bias, 2, bd, dnnl_f32, dnnl_ab));
	if (m->add == EZ_ADD_OTHER) TRY(md_tagged(&add, 2, dd, data_type(m->add_dt), dnnl_ab));
	TRY(attributes(&attr, m->alpha, late ? bias : NULL, (int)m->add, add));
	TRY(matmul_pd(&pd, engine, src, weights, late ? NULL : bias, dst, attr));
	TRY(bind(p, EZ_ARG_SRC, DNNL_ARG_SRC, src));
	TRY(bind(p, EZ_ARG_WEIGHTS, DNNL_ARG_WEIGHTS, dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0)));
	TRY(bind(p, EZ_ARG_DST, DNNL_ARG_DST, dst));
	int first = DNNL_VERSION_MAJOR >= 3 && m->alpha != 1; // alpha is a post-op there
	if (add) TRY(bind(p, EZ_ARG_ADD, post_op_arg(first), add));
	if (bias) TRY(bind(p, EZ_ARG_BIAS, late ? post_op_arg(first + (m->add != EZ_ADD_NONE)) : DNNL_ARG_BIAS, bias));
	TRY(finish(p, pd, dnnl_query_weights_md));
out:
	md_free(src), md_free(weights), md_free(bias), md_free(dst), md_free(add);
	if (attr) dnnl_primitive_attr_destroy(attr);
	if (pd) dnnl_primitive_desc_destroy(pd);
	if (status) ez_prim_free(p);
	else *out = p;
	return status;
}

int ez_conv_new(const ez_conv *c, ez_prim **out) {
	dnnl_status_t status = dnnl_success;
	md_t src = NULL, weights = NULL, bias = NULL, dst = NULL, add = NULL;
	dnnl_primitive_attr_t attr = NULL;
	dnnl_primitive_desc_t pd = NULL, hint = NULL;
	ez_prim *p = calloc(1, sizeof *p);
	if (!p) return EZ_NOMEM;
	ez_enter(); // a primitive is made for the team of its maker
	int dir = (int)c->direction;
	const dnnl_dims_t sd = {c->b, c->i, c->h, c->w}, wd = {c->o, c->i, c->kh, c->kw}, bd = {c->o}, dd = {c->b, c->o, c->oh, c->ow};
	const dnnl_dims_t stride = {c->stride, c->stride}, before = {c->top, c->left}, after = {c->bottom, c->right};
	dnnl_data_type_t dt = data_type(c->dt), result = data_type(c->dst_dt);
	dnnl_alg_kind_t alg = dnnl_convolution_direct;
	TRY(md_tagged(&src, 4, sd, dir == EZ_GRAD_INPUT ? result : dt, dnnl_nhwc));
	TRY(md_tagged(&dst, 4, dd, dir == EZ_FORWARD ? result : dt, dnnl_nhwc));
	TRY(md_tagged(&p->plain, 4, wd, dir == EZ_GRAD_WEIGHT ? dnnl_f32 : dt, dnnl_oihw));
	TRY(md_tagged(&weights, 4, wd, dir == EZ_GRAD_WEIGHT ? result : dt, dnnl_format_tag_any));
	if (c->bias) TRY(md_tagged(&bias, 1, bd, dnnl_f32, dnnl_a));
	if (c->add == EZ_ADD_OTHER) TRY(md_tagged(&add, 4, dd, data_type(c->add_dt), dnnl_nhwc));
	TRY(attributes(&attr, 1, NULL, (int)c->add, add));
	if (dir != EZ_FORWARD) {
		md_t s = NULL, w = NULL, d = NULL;
		status = md_tagged(&s, 4, sd, dt, dnnl_nhwc);
		if (!status) status = md_tagged(&w, 4, wd, dt, dnnl_format_tag_any);
		if (!status) status = md_tagged(&d, 4, dd, dt, dnnl_nhwc);
		if (!status) status = conv_pd(&hint, engine, EZ_FORWARD, alg, s, w, NULL, d, stride, before, after, NULL, NULL);
		md_free(s), md_free(w), md_free(d);
		if (status) goto out;
	}
	TRY(conv_pd(&pd, engine, dir, alg, src, weights, bias, dst, stride, before, after, hint, attr));
	dnnl_query_t wq = dir == EZ_GRAD_WEIGHT ? dnnl_query_diff_weights_md : dnnl_query_weights_md;
	TRY(bind(p, EZ_ARG_SRC, dir == EZ_GRAD_INPUT ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, src));
	TRY(bind(p, EZ_ARG_WEIGHTS, dir == EZ_GRAD_WEIGHT ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, dnnl_primitive_desc_query_md(pd, wq, 0)));
	TRY(bind(p, EZ_ARG_DST, dir == EZ_FORWARD ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, dst));
	if (bias) TRY(bind(p, EZ_ARG_BIAS, DNNL_ARG_BIAS, bias));
	if (add) TRY(bind(p, EZ_ARG_ADD, post_op_arg(0), add));
	TRY(finish(p, pd, wq));
out:
	md_free(src), md_free(weights), md_free(bias), md_free(dst), md_free(add);
	if (attr) dnnl_primitive_attr_destroy(attr);
	if (pd) dnnl_primitive_desc_destroy(pd);
	if (hint) dnnl_primitive_desc_destroy(hint);
	if (status) ez_prim_free(p);
	else *out = p;
	return status;
}

void ez_prim_free(ez_prim *p) {
	if (!p) return;
	for (int i = 0; i < EZ_ARGS; i++)
		if (p->mem[i]) dnnl_memory_destroy(p->mem[i]);
	if (p->scratchpad) dnnl_memory_destroy(p->scratchpad);
	if (p->prim) dnnl_primitive_destroy(p->prim);
	md_free(p->plain);
	md_free(p->want);
	free(p);
}

const char *ez_prim_impl(const ez_prim *p) { return p->impl; }

static dnnl_status_t execute(dnnl_primitive_t prim, int n, const dnnl_exec_arg_t *args) {
	ez_enter();
	unsigned csr = ez_flush_denormals();
	dnnl_status_t s = dnnl_primitive_execute(prim, stream, n, args);
	if (s == dnnl_success) s = dnnl_stream_wait(stream);
	ez_restore(csr);
	return s;
}

int ez_run(ez_prim *p, const uintptr_t args[EZ_ARGS]) {
	dnnl_exec_arg_t a[EZ_ARGS + 1];
	int n = 0;
	for (int i = 0; i < EZ_ARGS; i++) {
		if (!p->mem[i]) continue;
		dnnl_status_t s = memory_set(p->mem[i], (void *)args[i], stream);
		if (s != dnnl_success) return s;
		a[n++] = (dnnl_exec_arg_t){p->arg[i], p->mem[i]};
	}
	if (p->scratchpad) {
		void *scratch = ez_scratch(EZ_SLOT_WORK, p->scratch_size);
		if (!scratch) return EZ_NOMEM;
		dnnl_status_t s = memory_set(p->scratchpad, scratch, stream);
		if (s != dnnl_success) return s;
		a[n++] = (dnnl_exec_arg_t){DNNL_ARG_SCRATCHPAD, p->scratchpad};
	}
	return execute(p->prim, n, a);
}

size_t ez_weights_size(const ez_prim *p) { return dnnl_memory_desc_get_size(p->want); }
int ez_weights_plain(const ez_prim *p) { return dnnl_memory_desc_equal(p->want, p->plain); }

// Copies between two layouts of one matrix.
static dnnl_status_t reorder(md_view from, uintptr_t src, md_view to, uintptr_t dst) {
	dnnl_status_t status = dnnl_success;
	dnnl_primitive_attr_t attr = NULL;
	dnnl_primitive_desc_t pd = NULL;
	dnnl_primitive_t prim = NULL;
	dnnl_memory_t a = NULL, b = NULL, work = NULL;
	TRY(dnnl_primitive_attr_create(&attr));
	TRY(dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user));
	TRY(dnnl_reorder_primitive_desc_create(&pd, from, engine, to, engine, attr));
	TRY(dnnl_primitive_create(&prim, pd));
	md_view scratch = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
	size_t size = scratch ? dnnl_memory_desc_get_size(scratch) : 0;
	TRY(dnnl_memory_create(&a, from, engine, (void *)src));
	TRY(dnnl_memory_create(&b, to, engine, (void *)dst));
	dnnl_exec_arg_t args[3] = {{DNNL_ARG_FROM, a}, {DNNL_ARG_TO, b}};
	if (size) {
		void *p = ez_scratch(EZ_SLOT_WORK, size);
		if (!p) TRY(dnnl_out_of_memory);
		TRY(dnnl_memory_create(&work, scratch, engine, p));
		args[2] = (dnnl_exec_arg_t){DNNL_ARG_SCRATCHPAD, work};
	}
	TRY(execute(prim, size ? 3 : 2, args));
out:
	if (a) dnnl_memory_destroy(a);
	if (b) dnnl_memory_destroy(b);
	if (work) dnnl_memory_destroy(work);
	if (prim) dnnl_primitive_destroy(prim);
	if (pd) dnnl_primitive_desc_destroy(pd);
	if (attr) dnnl_primitive_attr_destroy(attr);
	return status;
}

int ez_weights_pack(ez_prim *p, uintptr_t plain, uintptr_t packed) { return reorder(p->plain, plain, p->want, packed); }
int ez_weights_unpack(ez_prim *p, uintptr_t packed, uintptr_t plain) { return reorder(p->want, packed, p->plain, plain); }

struct ez_packed {
	void *memory;
	md_t plain, layout; // what it was filled from, what it holds
};

ez_packed *ez_packed_new(const ez_prim *p) {
	ez_packed *w = calloc(1, sizeof *w);
	if (!w) return NULL;
	if (!md_copy(&w->plain, p->plain) && !md_copy(&w->layout, p->want) && (w->memory = ez_alloc(ez_weights_size(p)))) return w;
	ez_packed_free(w);
	return NULL;
}

uintptr_t ez_packed_memory(const ez_packed *w) { return (uintptr_t)w->memory; }

// The plain layouts count too: a square matrix has one wanted layout forward and backward, but transposed contents.
int ez_packed_serves(const ez_packed *w, const ez_prim *p) {
	return dnnl_memory_desc_equal(w->layout, p->want) && dnnl_memory_desc_equal(w->plain, p->plain);
}

void ez_packed_free(ez_packed *w) {
	md_free(w->plain);
	md_free(w->layout);
	free(w->memory);
	free(w);
}
