// What differs between oneDNN 2.x and 3.x: memory descriptors (a struct, an opaque handle), the creation of primitive
// descriptors (by way of operation descriptors, directly) and a few post-op arguments.
#include <dnnl.h>
#include <stdlib.h>

#if DNNL_VERSION_MAJOR >= 3

typedef dnnl_memory_desc_t md_t;
typedef const_dnnl_memory_desc_t md_view;

static inline dnnl_status_t md_strided(md_t *md, int n, const dnnl_dims_t dims, dnnl_data_type_t dt, const dnnl_dims_t strides) {
	return dnnl_memory_desc_create_with_strides(md, n, dims, dt, strides);
}
static inline dnnl_status_t md_tagged(md_t *md, int n, const dnnl_dims_t dims, dnnl_data_type_t dt, dnnl_format_tag_t tag) {
	return dnnl_memory_desc_create_with_tag(md, n, dims, dt, tag);
}
static inline dnnl_status_t md_copy(md_t *md, md_view from) { return dnnl_memory_desc_clone(md, from); }
static inline void md_free(md_t md) { if (md) dnnl_memory_desc_destroy(md); }
static inline dnnl_status_t append_sum(dnnl_post_ops_t po) { return dnnl_post_ops_append_sum(po, 1, 0, dnnl_data_type_undef); }
static inline dnnl_status_t append_scale(dnnl_primitive_attr_t attr, dnnl_post_ops_t po, float alpha) {
	(void)attr;
	return dnnl_post_ops_append_eltwise(po, dnnl_eltwise_linear, alpha, 0);
}
static inline dnnl_status_t memory_set(dnnl_memory_t m, void *p, dnnl_stream_t s) {
	(void)s;
	return dnnl_memory_set_data_handle(m, p);
}
static inline dnnl_status_t matmul_pd(dnnl_primitive_desc_t *pd, dnnl_engine_t e, md_t src, md_t w, md_t bias, md_t dst, const_dnnl_primitive_attr_t attr) {
	return dnnl_matmul_primitive_desc_create(pd, e, src, w, bias, dst, attr);
}
static inline dnnl_status_t conv_pd(dnnl_primitive_desc_t *pd, dnnl_engine_t e, int direction, dnnl_alg_kind_t alg, md_t src, md_t w, md_t bias, md_t dst,
	const dnnl_dims_t stride, const dnnl_dims_t before, const dnnl_dims_t after, const_dnnl_primitive_desc_t hint, const_dnnl_primitive_attr_t attr) {
	const dnnl_dims_t dilate = {0, 0};
	if (direction == 1) return dnnl_convolution_backward_data_primitive_desc_create(pd, e, alg, src, w, dst, stride, dilate, before, after, hint, attr);
	if (direction == 2) return dnnl_convolution_backward_weights_primitive_desc_create(pd, e, alg, src, w, NULL, dst, stride, dilate, before, after, hint, attr);
	return dnnl_convolution_forward_primitive_desc_create(pd, e, dnnl_forward_training, alg, src, w, bias, dst, stride, dilate, before, after, attr);
}

#else

typedef dnnl_memory_desc_t *md_t;
typedef const dnnl_memory_desc_t *md_view;

static inline dnnl_status_t md_strided(md_t *md, int n, const dnnl_dims_t dims, dnnl_data_type_t dt, const dnnl_dims_t strides) {
	*md = malloc(sizeof **md);
	return *md ? dnnl_memory_desc_init_by_strides(*md, n, dims, dt, strides) : dnnl_out_of_memory;
}
static inline dnnl_status_t md_tagged(md_t *md, int n, const dnnl_dims_t dims, dnnl_data_type_t dt, dnnl_format_tag_t tag) {
	*md = malloc(sizeof **md);
	return *md ? dnnl_memory_desc_init_by_tag(*md, n, dims, dt, tag) : dnnl_out_of_memory;
}
static inline dnnl_status_t md_copy(md_t *md, md_view from) {
	*md = malloc(sizeof **md);
	if (!*md) return dnnl_out_of_memory;
	**md = *from;
	return dnnl_success;
}
static inline void md_free(md_t md) { free(md); }
static inline dnnl_status_t append_sum(dnnl_post_ops_t po) { return dnnl_post_ops_append_sum(po, 1); }
static inline dnnl_status_t append_scale(dnnl_primitive_attr_t attr, dnnl_post_ops_t po, float alpha) {
	(void)po;
	return dnnl_primitive_attr_set_output_scales(attr, 1, 0, &alpha);
}
static inline dnnl_status_t memory_set(dnnl_memory_t m, void *p, dnnl_stream_t s) { return dnnl_memory_set_data_handle_v2(m, p, s); }
static inline dnnl_status_t matmul_pd(dnnl_primitive_desc_t *pd, dnnl_engine_t e, md_t src, md_t w, md_t bias, md_t dst, const_dnnl_primitive_attr_t attr) {
	dnnl_matmul_desc_t d;
	dnnl_status_t s = dnnl_matmul_desc_init(&d, src, w, bias, dst);
	return s ? s : dnnl_primitive_desc_create(pd, &d, attr, e, NULL);
}
static inline dnnl_status_t conv_pd(dnnl_primitive_desc_t *pd, dnnl_engine_t e, int direction, dnnl_alg_kind_t alg, md_t src, md_t w, md_t bias, md_t dst,
	const dnnl_dims_t stride, const dnnl_dims_t before, const dnnl_dims_t after, const_dnnl_primitive_desc_t hint, const_dnnl_primitive_attr_t attr) {
	dnnl_convolution_desc_t d;
	dnnl_status_t s;
	if (direction == 1) s = dnnl_convolution_backward_data_desc_init(&d, alg, src, w, dst, stride, before, after);
	else if (direction == 2) s = dnnl_convolution_backward_weights_desc_init(&d, alg, src, w, NULL, dst, stride, before, after);
	else s = dnnl_convolution_forward_desc_init(&d, dnnl_forward_training, alg, src, w, bias, dst, stride, before, after);
	return s ? s : dnnl_primitive_desc_create(pd, &d, attr, e, hint);
}

#endif
