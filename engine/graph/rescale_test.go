package graph_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// evaluate runs a graph of constants.
func evaluate(t *testing.T, g *graph.Graph, out *graph.Node) []float32 {
	t.Helper()
	vm, err := graph.Compile(g, ref.New(), []*graph.Node{out}, graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	return vm.Value(out).Floats()
}

// TestRescaleIsTheFormula with all of its inputs and with each left out.
func TestRescaleIsTheFormula(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	x, scale, norm, about := random(r, 1, 2, 3, 5), random(r, 1, 5), random(r, 1, 5), random(r, 1, 5)
	for _, with := range [][2]bool{{true, true}, {true, false}, {false, true}, {false, false}} {
		g := graph.New()
		var n, a *graph.Node
		if with[0] {
			n = g.Constant("norm", norm)
		}
		if with[1] {
			a = g.Constant("about", about)
		}
		got := evaluate(t, g, g.Rescale(g.Constant("x", x), g.Constant("scale", scale), n, a))
		want := make([]float32, len(got))
		for i, v := range x.F32() {
			k, by, centre := i%5, scale.F32()[i%5], float32(0)
			if with[0] {
				by /= norm.F32()[k]
			}
			if with[1] {
				centre = about.F32()[k]
			}
			want[i] = by*(v-centre) + centre
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-5, 1e-6)); diff != "" {
			t.Errorf("norm and centre %v: %s", with, diff)
		}
	}
}

// TestRowNormsAreThoseOfTheSum, for a matrix and for a convolution.
func TestRowNormsAreThoseOfTheSum(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	const scale = 0.75
	for _, tail := range [][]int{{6}, {3, 3, 3}} {
		up := []int{4, 2}
		if len(tail) > 1 {
			up = append(up, 1, 1)
		}
		w, down, u := random(r, 1, append([]int{4}, tail...)...), random(r, 1, append([]int{2}, tail...)...), random(r, 1, up...)
		in := kernel.Len(tail)
		own, want := kernel.New(kernel.F32, 4), make([]float32, 4)
		for o := range 4 {
			var alone, sum float64
			for i := range in {
				v := float64(w.F32()[o*in+i])
				alone += v * v
				for k := range 2 {
					v += scale * float64(u.F32()[o*2+k]) * float64(down.F32()[k*in+i])
				}
				sum += v * v
			}
			own.F32()[o], want[o] = float32(math.Sqrt(alone)), float32(math.Sqrt(sum))
		}
		g := graph.New()
		got := evaluate(t, g, g.RowNorms(g.Constant("w", w), g.Constant("own", own), g.Constant("down", down), g.Constant("up", u), scale))
		if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-5, 0)); diff != "" {
			t.Errorf("%v: %s", tail, diff)
		}
	}
}

// nothing is a mask that leaves all.
type nothing struct{}

func (nothing) Draw([]float32, []int) bool { return false }

func TestDropoutWithoutAMaskIsNothing(t *testing.T) {
	g := graph.New()
	x := random(rand.New(rand.NewPCG(9, 9)), 1, 2, 3)
	if diff := cmp.Diff(x.Floats(), evaluate(t, g, g.Dropout(g.Constant("x", x), nothing{}))); diff != "" {
		t.Error(diff)
	}
}
