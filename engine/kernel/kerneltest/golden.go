package kerneltest

import (
	"testing"

	"easel/engine/internal/golden"
	"easel/engine/kernel"
)

// goldenCase is one case of primitives.safetensors: named inputs, the output y, and the gradients d<input>.
type goldenCase struct {
	t    *testing.T
	b    kernel.Backend
	f    *golden.File
	name string
}

// in returns an input as it is stored, picture returns an NCHW one channels-last.
func (c goldenCase) in(name string) *kernel.Tensor { return c.f.Tensor(c.name + "/in/" + name) }

func (c goldenCase) picture(name string) *kernel.Tensor { return permute(c.in(name), 0, 2, 3, 1) }

// shapeOf makes a result of the shape of another tensor.
func shapeOf(t *kernel.Tensor) *kernel.Tensor { return kernel.New(kernel.F32, t.Shape...) }

func (c goldenCase) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c goldenCase) check(name string, got *kernel.Tensor) {
	c.t.Helper()
	c.f.Check(c.t, c.name, c.name+"/"+name, got.F32())
}

// checkPicture compares a channels-last result with an NCHW tensor.
func (c goldenCase) checkPicture(name string, got *kernel.Tensor) {
	c.t.Helper()
	c.check(name, permute(got, 0, 3, 1, 2))
}

// permute returns the 4-D tensor whose dimension i is t's dimension order[i].
func permute(t *kernel.Tensor, order ...int) *kernel.Tensor {
	s := t.Shape
	steps := [4]int{s[1] * s[2] * s[3], s[2] * s[3], s[3], 1}
	p := kernel.New(kernel.F32, s[order[0]], s[order[1]], s[order[2]], s[order[3]])
	to, from := p.F32(), t.F32()
	for i := range to {
		at, rest := 0, i
		for d := 3; d >= 0; d-- {
			at += rest % p.Shape[d] * steps[order[d]]
			rest /= p.Shape[d]
		}
		to[i] = from[at]
	}
	return p
}

// goldenCases maps case names to what runs them. What the file does not say (strides, groups, heads) is in
// golden/README.md and the names.
var goldenCases = map[string]func(goldenCase){
	"conv2d_3x3_s1p1":          conv(kernel.Conv{Stride: 1, Top: 1, Left: 1, Bottom: 1, Right: 1}),
	"conv2d_3x3_s2p1":          conv(kernel.Conv{Stride: 2, Top: 1, Left: 1, Bottom: 1, Right: 1}),
	"conv2d_1x1":               conv(kernel.Conv{Stride: 1}),
	"conv2d_3x3_1px":           conv(kernel.Conv{Stride: 1, Top: 1, Left: 1, Bottom: 1, Right: 1}),
	"conv2d_16x16_s16":         conv(kernel.Conv{Stride: 16}),
	"conv2d_3x3_s2_pad0101":    conv(kernel.Conv{Stride: 2, Bottom: 1, Right: 1}),
	"linear":                   linear,
	"linear_nobias":            linear,
	"groupnorm_eps1e-5":        groupNorm(4, 1e-5, false),
	"groupnorm_eps1e-6":        groupNorm(4, 1e-6, false),
	"groupnorm_small_variance": groupNorm(2, 1e-6, false),
	"groupnorm_silu":           groupNorm(3, 1e-5, true),
	"layernorm":                layerNorm,
	"silu":                     activate(kernel.SiLU),
	"gelu_erf":                 activate(kernel.GELU),
	"gelu_tanh":                activate(kernel.GELUTanh),
	"quick_gelu":               activate(kernel.QuickGELU),
	"hardswish":                activate(kernel.HardSwish),
	"geglu":                    geglu,
	"softmax_last":             softmax,
	"attention_self":           attention(8, false),
	"attention_causal77":       attention(3, true),
	"attention_cross77":        attention(2, false),
	"attention_cross154":       attention(1, false),
	"upsample_nearest2x":       upsample,
	"upsample_nearest_size":    upsample,
	"concat_channels":          concat,
	"embedding":                embedding,
	"mse":                      mse,
	"timestep_embedding_16":    timestep,
	"timestep_embedding_320":   timestep,
}

// Golden compares a backend with torch's own results of single operators, in float32: primitives.safetensors.
func Golden(t *testing.T, b kernel.Backend) {
	f := golden.Open(t, "primitives.safetensors")
	for _, name := range f.Cases() {
		t.Run(name, func(t *testing.T) {
			run, ok := goldenCases[name]
			if !ok {
				t.Fatal("no operation known for this case")
			}
			run(goldenCase{t, b, f, name})
		})
	}
}

func conv(g kernel.Conv) func(goldenCase) {
	return func(c goldenCase) {
		x, w, bias, dy := c.picture("x"), c.in("weight"), c.in("bias"), c.picture("dy")
		y, dx, dw, dbias := shapeOf(dy), shapeOf(x), shapeOf(w), shapeOf(bias)
		c.must(c.b.Conv2D(y, x, w, bias, nil, g))
		c.must(c.b.Conv2DGradInput(dx, dy, w, g))
		c.must(c.b.Conv2DGradWeight(dw, x, dy, g))
		c.must(c.b.SumRows(dbias, dy))
		c.checkPicture("y", y)
		c.checkPicture("dx", dx)
		c.check("dweight", dw)
		c.check("dbias", dbias)
	}
}

func linear(c goldenCase) {
	x, w, dy := c.in("x"), c.in("weight"), c.in("dy")
	var bias *kernel.Tensor
	if c.f.Has(c.name + "/in/bias") {
		bias = c.in("bias")
		dbias := shapeOf(bias)
		c.must(c.b.SumRows(dbias, dy))
		c.check("dbias", dbias)
	}
	y, dx, dw := shapeOf(dy), shapeOf(x), shapeOf(w)
	c.must(c.b.Linear(y, x, w, bias, nil, 1))
	c.must(c.b.LinearGradInput(dx, dy, w, nil, 1))
	c.must(c.b.LinearGradWeight(dw, x, dy, 1))
	c.check("y", y)
	c.check("dx", dx)
	c.check("dweight", dw)
}

func groupNorm(groups int, eps float32, silu bool) func(goldenCase) {
	return func(c goldenCase) {
		x, gamma, beta, dy := c.picture("x"), c.in("weight"), c.in("bias"), c.picture("dy")
		stats := kernel.New(kernel.F32, x.Shape[0], groups, 2)
		y, dx, dgamma, dbeta := shapeOf(x), shapeOf(x), shapeOf(gamma), shapeOf(beta)
		c.must(c.b.GroupNormStats(stats, x, groups, eps))
		c.must(c.b.GroupNorm(y, x, stats, gamma, beta, groups, silu))
		c.must(c.b.GroupNormGradInput(dx, x, stats, gamma, beta, dy, groups, silu))
		c.must(c.b.GroupNormGradParams(dgamma, dbeta, x, stats, gamma, beta, dy, groups, silu))
		c.checkPicture("y", y)
		c.checkPicture("dx", dx)
		c.check("dweight", dgamma)
		c.check("dbias", dbeta)
	}
}

func layerNorm(c goldenCase) {
	const eps = 1e-5
	x, gamma, beta, dy := c.in("x"), c.in("weight"), c.in("bias"), c.in("dy")
	y, dx, dgamma, dbeta := shapeOf(x), shapeOf(x), shapeOf(gamma), shapeOf(beta)
	c.must(c.b.LayerNorm(y, x, gamma, beta, eps))
	c.must(c.b.LayerNormGradInput(dx, x, gamma, dy, eps))
	c.must(c.b.LayerNormGradParams(dgamma, dbeta, x, dy, eps))
	c.check("y", y)
	c.check("dx", dx)
	c.check("dweight", dgamma)
	c.check("dbias", dbeta)
}

func activate(f kernel.Activation) func(goldenCase) {
	return func(c goldenCase) {
		x, dy := c.in("x"), c.in("dy")
		y, dx := shapeOf(x), shapeOf(x)
		c.must(c.b.Activate(y, x, f))
		c.must(c.b.ActivateGrad(dx, x, dy, f))
		c.check("y", y)
		c.check("dx", dx)
	}
}

func geglu(c goldenCase) {
	x, dy := c.in("x"), c.in("dy")
	y, dx := shapeOf(dy), shapeOf(x)
	c.must(c.b.GEGLU(y, x))
	c.must(c.b.GEGLUGrad(dx, x, dy))
	c.check("y", y)
	c.check("dx", dx)
}

func softmax(c goldenCase) {
	x, dy := c.in("x"), c.in("dy")
	y, dx := shapeOf(x), shapeOf(x)
	c.must(c.b.Softmax(y, x))
	c.must(c.b.SoftmaxGrad(dx, y, dy))
	c.check("y", y)
	c.check("dx", dx)
}

func attention(heads int, causal bool) func(goldenCase) {
	return func(c goldenCase) {
		q, k, v, dy := c.in("q"), c.in("k"), c.in("v"), c.in("dy")
		o, dq, dk, dv := shapeOf(q), shapeOf(q), shapeOf(k), shapeOf(v)
		lse := kernel.New(kernel.F32, q.Shape[0], heads, q.Shape[1])
		c.must(c.b.Attention(o, lse, q, k, v, heads, causal))
		c.must(c.b.AttentionGrad(dq, dk, dv, q, k, v, o, lse, dy, heads, causal))
		c.check("y", o)
		c.check("dq", dq)
		c.check("dk", dk)
		c.check("dv", dv)
	}
}

func upsample(c goldenCase) {
	x, dy := c.picture("x"), c.picture("dy")
	y, dx := shapeOf(dy), shapeOf(x)
	c.must(c.b.UpsampleNearest(y, x))
	c.must(c.b.UpsampleNearestGrad(dx, dy))
	c.checkPicture("y", y)
	c.checkPicture("dx", dx)
}

func concat(c goldenCase) {
	a, b, dy := c.picture("a"), c.picture("b"), c.picture("dy")
	y, da, db := shapeOf(dy), shapeOf(a), shapeOf(b)
	c.must(c.b.Concat(y, a, b))
	c.must(c.b.SliceChannels(da, dy, 0))
	c.must(c.b.SliceChannels(db, dy, a.Channels()))
	c.checkPicture("y", y)
	c.checkPicture("da", da)
	c.checkPicture("db", db)
}

func embedding(c goldenCase) {
	table, dy := c.in("weight"), c.in("dy")
	ids := c.in("ids")
	indices := kernel.New(kernel.I32, ids.Shape...)
	indices.WriteF32(ids.F32())
	y, dtable := shapeOf(dy), shapeOf(table)
	c.must(c.b.Embedding(y, indices, table))
	c.must(c.b.EmbeddingGrad(dtable, indices, dy))
	c.check("y", y)
	c.check("dweight", dtable)
}

func mse(c goldenCase) {
	x, target, dy := c.in("x"), c.in("target"), c.in("dy")
	y, dx, dtarget := shapeOf(dy), shapeOf(x), shapeOf(target)
	c.must(c.b.Loss(y, x, target, nil, nil, kernel.MSE))
	c.must(c.b.LossGrad(dx, x, target, nil, nil, kernel.MSE))
	c.must(c.b.Scale(dx, dx, dy.F32()[0]))
	c.must(c.b.Scale(dtarget, dx, -1))
	c.check("y", y)
	c.check("dx", dx)
	c.check("dtarget", dtarget)
}

func timestep(c goldenCase) {
	y := shapeOf(c.f.Tensor(c.name + "/y"))
	c.must(c.b.TimestepEmbedding(y, c.in("t")))
	c.check("y", y)
}
