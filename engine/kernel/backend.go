// Package kernel defines tensors and the operations that a backend computes on them.
//
// kernel/ref is the oracle: pure Go, short, float64 accumulation. Every other backend is tested against it.
package kernel

// Conv describes a two-dimensional convolution. Weights are [out, in, kh, kw].
type Conv struct {
	Stride                   int
	Top, Left, Bottom, Right int // zero padding in pixels
}

// OutSize is the [height, width] of a convolution's output for an input of h x w and a kernel of kh x kw.
func (c Conv) OutSize(h, w, kh, kw int) (int, int) {
	return (h+c.Top+c.Bottom-kh)/c.Stride + 1, (w+c.Left+c.Right-kw)/c.Stride + 1
}

// Activation names an elementwise function.
type Activation uint8

// The elementwise functions of the SD and BLIP families, then those that A1111's hypernetworks have beside.
const (
	SiLU      Activation = iota // x·sigmoid(x)
	GELU                        // x·Φ(x), exact (erf)
	GELUTanh                    // the tanh approximation of GELU
	QuickGELU                   // x·sigmoid(1.702·x), CLIP's
	HardSwish                   // x·min(max(x+3,0),6)/6
	ReLU                        // max(x,0)
	LeakyReLU                   // x, for negative x 0.01·x
	ELU                         // x, for negative x exp(x)-1
	Tanh
	Sigmoid
	Softsign // x/(1+|x|)
	Mish     // x·tanh(ln(1+exp(x)))
)

// LossKind names a regression loss; spec/training.md §5.3.
type LossKind uint8

// The losses. d = prediction - target; c is the per-sample Huber parameter.
const (
	MSE      LossKind = iota // d²
	Huber                    // 2c(√(d²+c²) - c)
	SmoothL1                 // 2(√(d²+c²) - c)
)

// A Backend computes. Every method writes its first argument (a suffix "s" means several results come first);
// results never alias inputs except where a method says so. Activations are channels-last with any number of
// leading dimensions; floating tensors may be F32 or BF16 in any mixture where not said otherwise, statistics,
// losses, parameters' gradients and optimizer state are F32. Weights may be F32, BF16 or F16; a backend may keep a
// form of its own of a Frozen weight. All calls come from one OS thread. Errors mean misuse or missing memory.
type Backend interface {
	// Name is "ref" or "onednn", with the instruction set where there are several.
	Name() string
	// Close frees what the backend holds. Tensors stay valid.
	Close() error

	// Conv2D: y[b,oh,ow,o] = x[b,h,w,i] * w[o,i,kh,kw] + bias[o] + add. bias and add may be nil; add has y's shape
	// and may be y itself.
	Conv2D(y, x, w, bias, add *Tensor, c Conv) error
	// Conv2DGradInput: dx[b,h,w,i] from dy[b,oh,ow,o].
	Conv2DGradInput(dx, dy, w *Tensor, c Conv) error
	// Conv2DGradWeight: dw[o,i,kh,kw] (F32) from x and dy.
	Conv2DGradWeight(dw, x, dy *Tensor, c Conv) error

	// Linear: y[...,o] = alpha · x[...,i]·wᵀ + bias + add, w [o,i] (or [o,i,1,1]); bias and add may be nil, add may be y.
	Linear(y, x, w, bias, add *Tensor, alpha float32) error
	// LinearGradInput: dx[...,i] = alpha · dy[...,o]·w + add; add may be nil or dx.
	LinearGradInput(dx, dy, w, add *Tensor, alpha float32) error
	// LinearGradWeight: dw[o,i] = alpha · dyᵀ·x (F32).
	LinearGradWeight(dw, x, dy *Tensor, alpha float32) error
	// SumRows: out[c] = Σ over rows of x[...,c] (F32): the gradient of a bias.
	SumRows(out, x *Tensor) error

	// Attention: softmax(q·kᵀ·scale)·v for each of heads; q,o [b,tq,heads·d], k,v [b,tk,heads·d]; lse[b,heads,tq]
	// (F32) receives log Σ exp of each score row for the backward pass. scale is d^-0.5. causal hides k after q.
	Attention(o, lse, q, k, v *Tensor, heads int, causal bool) error
	// AttentionGrad: the gradients of Attention, given its output o and lse.
	AttentionGrad(dq, dk, dv, q, k, v, o, lse, do *Tensor, heads int, causal bool) error

	// GroupNormStats: stats[b,groups,2] (F32) = mean and 1/√(variance+eps) of x[b,...,c] over each group of c/groups channels.
	GroupNormStats(stats, x *Tensor, groups int, eps float32) error
	// GroupNorm: y = f((x-mean)·rstd·gamma + beta), f = SiLU where silu is set, else identity.
	GroupNorm(y, x, stats, gamma, beta *Tensor, groups int, silu bool) error
	// GroupNormGradInput: dx, through the statistics as well.
	GroupNormGradInput(dx, x, stats, gamma, beta, dy *Tensor, groups int, silu bool) error
	// GroupNormGradParams: dgamma[c], dbeta[c] (F32).
	GroupNormGradParams(dgamma, dbeta, x, stats, gamma, beta, dy *Tensor, groups int, silu bool) error

	// LayerNorm: over the last dimension.
	LayerNorm(y, x, gamma, beta *Tensor, eps float32) error
	// LayerNormGradInput: dx; mean and variance are found again from x.
	LayerNormGradInput(dx, x, gamma, dy *Tensor, eps float32) error
	// LayerNormGradParams: dgamma[c], dbeta[c] (F32).
	LayerNormGradParams(dgamma, dbeta, x, dy *Tensor, eps float32) error

	// Activate: y = f(x). y may be x.
	Activate(y, x *Tensor, f Activation) error
	// ActivateGrad: dx = f'(x)·dy. dx may be dy.
	ActivateGrad(dx, x, dy *Tensor, f Activation) error
	// GEGLU: y[...,c] = x[...,:c] · GELU(x[...,c:]).
	GEGLU(y, x *Tensor) error
	// GEGLUGrad: dx[...,2c].
	GEGLUGrad(dx, x, dy *Tensor) error

	// Add: y = a + s·b; y may be a or b. Shapes are equal.
	Add(y, a, b *Tensor, s float32) error
	// AddChannels: y[b,...,c] = x[b,...,c] + t[b,c] (a time embedding) or + t[c] (a bias). y may be x.
	AddChannels(y, x, t *Tensor) error
	// SumPixels: out[b,c] (F32 or BF16) = Σ over the middle dimensions of x[b,...,c]: the gradient of AddChannels' t.
	SumPixels(out, x *Tensor) error
	// Mul: y = a·b elementwise; y may be a or b.
	Mul(y, a, b *Tensor) error
	// Scale: y = s·x; y may be x.
	Scale(y, x *Tensor, s float32) error
	// Convert: y = x in another storage type.
	Convert(y, x *Tensor) error
	// Softmax: over the last dimension.
	Softmax(y, x *Tensor) error
	// SoftmaxGrad: dx from y and dy.
	SoftmaxGrad(dx, y, dy *Tensor) error

	// Concat: y[...,c1+c2] = a[...,c1] beside b[...,c2].
	Concat(y, a, b *Tensor) error
	// SliceChannels: y = x[..., from : from+y's channels].
	SliceChannels(y, x *Tensor, from int) error
	// UpsampleNearest: y[b,oh,ow,c] from x[b,h,w,c]; source row = ⌊row·h/oh⌋ as torch's nearest. For an odd oh = 2h-1
	// this equals doubling and dropping the last row.
	UpsampleNearest(y, x *Tensor) error
	// UpsampleNearestGrad: dx, the sum of dy over each source pixel's copies.
	UpsampleNearestGrad(dx, dy *Tensor) error

	// TimestepEmbedding: y[b,dim] = [cos(t·f_i), sin(t·f_i)], f_i = exp(-ln(10000)·i/(dim/2)), from t[b] (F32);
	// computed in float64. diffusers get_timestep_embedding, flip_sin_to_cos, shift 0.
	TimestepEmbedding(y, t *Tensor) error
	// Embedding: y[...,c] = table[ids[...]-first], ids I32; zeros where the table has no such row, so that the sum over
	// tables whose rows follow each other is one look-up.
	Embedding(y, ids, table *Tensor, first int) error
	// EmbeddingGrad: dtable (F32) = Σ of dy's rows by id-first; rows without an id 0, ids without a row nowhere.
	EmbeddingGrad(dtable, ids, dy *Tensor, first int) error

	// Loss: out (F32, one element) = mean over all elements of weight·loss(pred - target). weight is nil, [b], or
	// of pred's shape. c [b] is the Huber parameter, nil for MSE.
	Loss(out, pred, target, weight, c *Tensor, kind LossKind) error
	// LossGrad: dpred (F32 or BF16), of Loss.
	LossGrad(dpred, pred, target, weight, c *Tensor, kind LossKind) error

	// Adam: one AdamW step in place (decoupled weight decay); p, g, m, v of one shape, p F32, or BF16, which is rounded
	// stochastically (RoundBF16), the others F32.
	Adam(p, g, m, v *Tensor, h AdamStep) error
	// Adam8: Adam with the moments in 8 bits. Codes m of SignedCode8 and v of UnsignedCode8 are I32, four codes in each,
	// AdamBlocks(len)·AdamBlock codes; the numbers are these times mScale, vScale (F32) of their block. A number becomes
	// the nearest code, the lower of two magnitudes equally near; a negative m not 0. All in float32, each operation
	// rounded, so that backends agree bit for bit (denormals may count as 0).
	Adam8(p, g, m, v, mScale, vScale *Tensor, h AdamStep) error
	// SumSquares: Σ x², accumulated in float64.
	SumSquares(x *Tensor) (float64, error)
}
