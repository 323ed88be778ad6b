// All fused kernels. Each simd_*.c includes this once under its own instruction set; everything is static.
// Plain maths flags without giving up NaN and infinity; cgo allows no such -f flags on the command line.
#pragma GCC optimize("O3", "no-math-errno", "no-trapping-math")
#include "vec.h"
#include "k_elementwise.h"
#include "k_activation.h"
#include "k_reduce.h"
#include "k_groupnorm.h"
#include "k_layernorm.h"
#include "k_softmax.h"
#include "k_gemm.h"
#include "k_product.h"
#include "k_few.h"
#include "k_attention.h"
#include "k_attention_grad.h"
#include "k_winograd.h"
#include "k_winograd_grad.h"
#include "k_resample.h"
#include "k_embed.h"
#include "k_loss.h"
#include "k_round.h"
#include "k_adam.h"
#include "k_adam8.h"

#define EZ_ENTRY(name) [EZ_K_##name] = name,
