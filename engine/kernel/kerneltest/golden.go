package kerneltest

import (
	"encoding/json"
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

// goldenCases maps case names to what runs them.
var goldenCases = map[string]func(goldenCase){
	"conv2d_3x3_s1p1":          conv(kernel.Conv{Stride: 1, Top: 1, Left: 1, Bottom: 1, Right: 1}),
	"conv2d_3x3_s2p1":          conv(kernel.Conv{Stride: 2, Top: 1, Left: 1, Bottom: 1, Right: 1}),
	"conv2d_1x1":               conv(kernel.Conv{Stride: 1}),
	"conv2d_3x3_1px":           conv(kernel.Conv{Stride: 1, Top: 1, Left: 1, Bottom: 1, Right: 1}),
	"conv2d_16x16_s16":         conv(kernel.Conv{Stride: 16}),
	"conv2d_3x3_s2_pad0101":    conv(kernel.Conv{Stride: 2, Bottom: 1, Right: 1}),
	"linear":                   linear,
	"linear_nobias":            linear,
	"groupnorm_eps1e-5":        groupNorm(settings{Groups: 4, Eps: 1e-5}, false),
	"groupnorm_eps1e-6":        groupNorm(settings{Groups: 4, Eps: 1e-6}, false),
	"groupnorm_small_variance": groupNorm(settings{Groups: 2, Eps: 1e-6}, false),
	"groupnorm_silu":           groupNorm(settings{Groups: 3, Eps: 1e-5}, true),
	"layernorm":                layerNorm,
	"silu":                     activate(kernel.SiLU),
	"gelu_erf":                 activate(kernel.GELU),
	"gelu_tanh":                activate(kernel.GELUTanh),
	"quick_gelu":               activate(kernel.QuickGELU),
	"hardswish":                activate(kernel.HardSwish),
	"geglu":                    geglu,
	"softmax_last":             softmax,
	"attention_self":           attention(settings{Heads: 8}, false),
	"attention_causal77":       attention(settings{Heads: 3}, true),
	"attention_cross77":        attention(settings{Heads: 2}, false),
	"attention_cross154":       attention(settings{Heads: 1}, false),
	"upsample_nearest2x":       upsample,
	"upsample_nearest_size":    upsample,
	"concat_channels":          concat,
	"embedding":                embedding,
	"mse":                      mse,
	"timestep_embedding_16":    timestep,
	"timestep_embedding_320":   timestep,
}

// settings are what a case's tensors do not show. The file's metadata may hold them under the case's name, as JSON;
// what it leaves out is as in golden/README.md and the names.
type settings struct {
	Stride  int
	Padding []int // top, left, bottom, right
	Groups  int
	Heads   int
	Eps     float32
}

// settings returns the case's own where the file has them, else the usual ones.
func (c goldenCase) settings(usual settings) settings {
	c.t.Helper()
	own := usual
	if text, ok := c.f.Meta()[c.name]; ok {
		if err := json.Unmarshal([]byte(text), &own); err != nil {
			c.t.Logf("metadata %q holds no settings: %v", text, err)
			return usual
		}
	}
	return own
}

// divides skips a case whose channels do not fall into so many groups or heads: its settings are not the usual ones.
func (c goldenCase) divides(parts, channels int) {
	c.t.Helper()
	if parts < 1 || channels%parts != 0 {
		c.t.Skipf("%d channels in %d parts: the file's metadata does not tell the right number", channels, parts)
	}
}

// Golden compares a backend with torch's own results of single operators, in float32: primitives.safetensors. It skips
// cases that it does not know, and fails where none is left.
func Golden(t *testing.T, b kernel.Backend) {
	f := golden.Open(t, "primitives.safetensors")
	ran := 0
	for _, name := range f.Cases() {
		t.Run(name, func(t *testing.T) {
			run, ok := goldenCases[name]
			if !ok {
				t.Skip("no operation known for this case")
			}
			run(goldenCase{t, b, f, name})
			ran++
		})
	}
	if ran == 0 {
		t.Error("no case was run")
	}
}

// conv returns the convolution of settings.
func (s settings) conv(c goldenCase) kernel.Conv {
	c.t.Helper()
	if s.Stride < 1 || len(s.Padding) != 4 {
		c.t.Fatalf("stride %d, padding %v; want at least 1, and top, left, bottom, right", s.Stride, s.Padding)
	}
	return kernel.Conv{Stride: s.Stride, Top: s.Padding[0], Left: s.Padding[1], Bottom: s.Padding[2], Right: s.Padding[3]}
}
