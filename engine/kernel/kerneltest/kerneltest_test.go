package kerneltest

import (
	"testing"

	"easel/engine/kernel"
	"easel/engine/kernel/ref"
)

// The backends below are ref with a mistake that real ones have had.
type (
	swappedPadding struct{ backend } // takes the left and upper padding for all four
	forgottenAdd   struct{ backend }
	ignoresCausal  struct{ backend }
	detachedStats  struct{ backend } // GroupNorm's gradient without the statistics
	stalePack      struct {          // keeps the first values of every weight
		backend
		packed map[*tensor]*tensor
	}
	overwritesInput struct{ backend }
	leavesUnwritten struct{ backend }
	sloppyGELU      struct{ backend }
)

func (b swappedPadding) Conv2D(y, x, w, bias, add *tensor, c kernel.Conv) error {
	c.Top, c.Left, c.Bottom, c.Right = c.Bottom, c.Right, c.Top, c.Left
	return b.backend.Conv2D(y, x, w, bias, add, c)
}

func (b forgottenAdd) Linear(y, x, w, bias, _ *tensor, alpha float32) error {
	return b.backend.Linear(y, x, w, bias, nil, alpha)
}

func (b ignoresCausal) Attention(o, lse, q, k, v *tensor, heads int, _ bool) error {
	return b.backend.Attention(o, lse, q, k, v, heads, false)
}

func (b detachedStats) GroupNormGradInput(dx, x, stats, gamma, _, dy *tensor, groups int, _ bool) error {
	xs, sv, gv, dv := x.Floats(), stats.F32(), gamma.Floats(), dy.Floats()
	c, size := len(gv), len(xs)/x.Shape[0]
	for i := range xs {
		g := i/size*groups + i%c/(c/groups)
		xs[i] = dv[i] * gv[i%c] * sv[2*g+1]
	}
	dx.WriteF32(xs)
	return nil
}

func (b stalePack) Linear(y, x, w, bias, add *tensor, alpha float32) error {
	if b.packed[w] == nil {
		b.packed[w] = w.Clone()
	}
	return b.backend.Linear(y, x, b.packed[w], bias, add, alpha)
}

func (b overwritesInput) Softmax(y, x *tensor) error {
	err := b.backend.Softmax(y, x)
	clear(x.Data)
	return err
}

func (b leavesUnwritten) EmbeddingGrad(dtable, ids, dy *tensor, first int) error {
	all := dtable.Clone()
	if err := b.backend.EmbeddingGrad(all, ids, dy, first); err != nil {
		return err
	}
	c := dy.Channels()
	for _, id := range ids.I32() {
		if at := int(id) - first; at >= 0 && at < dtable.Rows() {
			copy(dtable.F32()[at*c:][:c], all.F32()[at*c:])
		}
	}
	return nil
}

func (b sloppyGELU) Activate(y, x *tensor, f kernel.Activation) error {
	if f == kernel.GELU {
		f = kernel.GELUTanh
	}
	return b.backend.Activate(y, x, f)
}

// fails tells whether b gets a call wrong.
func fails(b backend) bool {
	oracle := ref.New()
	for _, family := range families {
		for _, m := range mixtures {
			for _, c := range family.calls(m) {
				if c.check(b, oracle) != nil {
					return true
				}
			}
		}
	}
	return false
}

func TestMistakesAreFound(t *testing.T) {
	r := ref.New()
	for name, b := range map[string]backend{
		"swapped padding":  swappedPadding{r},
		"forgotten add":    forgottenAdd{r},
		"ignores causal":   ignoresCausal{r},
		"detached stats":   detachedStats{r},
		"stale pack":       stalePack{r, map[*tensor]*tensor{}},
		"overwrites input": overwritesInput{r},
		"leaves unwritten": leavesUnwritten{r},
		"sloppy GELU":      sloppyGELU{r},
	} {
		if !fails(b) {
			t.Errorf("%s: nothing was found", name)
		}
	}
}

// bfloatOperands is a correct backend that computes products in bfloat16 as soon as one tensor is bfloat16.
type bfloatOperands struct{ backend }

// rounded returns the float32 tensors among ts in bfloat16 where one tensor of the call is.
func rounded(result *tensor, ts ...*tensor) []*tensor {
	mixed := result.DType == kernel.BF16
	for _, t := range ts {
		mixed = mixed || t.DType == kernel.BF16
	}
	for i, t := range ts {
		if mixed {
			ts[i] = t.Convert(kernel.BF16)
		}
	}
	return ts
}

func (b bfloatOperands) Conv2D(y, x, w, bias, add *tensor, c kernel.Conv) error {
	p := rounded(y, x, w)
	return b.backend.Conv2D(y, p[0], p[1], bias, add, c)
}

func (b bfloatOperands) Conv2DGradInput(dx, dy, w *tensor, c kernel.Conv) error {
	p := rounded(dx, dy, w)
	return b.backend.Conv2DGradInput(dx, p[0], p[1], c)
}

func (b bfloatOperands) Linear(y, x, w, bias, add *tensor, alpha float32) error {
	p := rounded(y, x, w)
	return b.backend.Linear(y, p[0], p[1], bias, add, alpha)
}

func (b bfloatOperands) LinearGradInput(dx, dy, w, add *tensor, alpha float32) error {
	p := rounded(dx, dy, w)
	return b.backend.LinearGradInput(dx, p[0], p[1], add, alpha)
}

func (b bfloatOperands) Attention(o, lse, q, k, v *tensor, heads int, causal bool) error {
	p := rounded(o, q, k, v)
	return b.backend.Attention(o, lse, p[0], p[1], p[2], heads, causal)
}

func (b bfloatOperands) AttentionGrad(dq, dk, dv, q, k, v, o, lse, do *tensor, heads int, causal bool) error {
	p := rounded(dq, q, k, v, do)
	return b.backend.AttentionGrad(dq, dk, dv, p[0], p[1], p[2], o, lse, p[3], heads, causal)
}

func TestBfloat16OperandsAreAllowed(t *testing.T) {
	Run(t, bfloatOperands{ref.New()}, Options{})
}

func TestOptionsLeaveTypesOut(t *testing.T) {
	opt := Options{Types: []kernel.DType{kernel.F32, kernel.F16}}
	for _, m := range mixtures {
		if want := m.x != kernel.BF16 && m.y != kernel.BF16 && m.w != kernel.BF16; opt.computes(m) != want {
			t.Errorf("%v: computed %v", m, !want)
		}
	}
}
