package rng_test

import (
	"math"
	"math/bits"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine/internal/rng"
)

// The check values are those of the golden README, hypernetwork kind B.
func TestMixAndNormalPairMatchTheDefinition(t *testing.T) {
	if got := rng.Mix(0); got != 0xe220a8397b1dcdaf {
		t.Errorf("Mix(0) = %#x", got)
	}
	key := rng.Mix(42 + 0x9E3779B97F4A7C15)
	a, b := rng.NormalPair(key, 0)
	c, _ := rng.NormalPair(key, 1)
	want := []float64{-1.5319228021413154, -0.06500554869154923, -0.7543292213371021}
	for i, got := range []float64{a, b, c} {
		if math.Abs(got-want[i]) > 1e-12 {
			t.Errorf("value %d: got %v, want %v", i, got, want[i])
		}
	}
}

func TestNormalMoments(t *testing.T) {
	const n = 200_000
	for _, step := range []int{0, 1, 999} {
		x := make([]float32, n)
		rng.Normal(x, 7, step, rng.Noise)
		var m1, m2, m3, m4 float64
		for _, v := range x {
			f := float64(v)
			m1, m2, m3, m4 = m1+f/n, m2+f*f/n, m3+f*f*f/n, m4+f*f*f*f/n
		}
		// Five standard errors of each moment's estimate.
		root := 5 / math.Sqrt(n)
		for _, c := range []struct {
			name             string
			got, want, bound float64
		}{{"mean", m1, 0, root}, {"variance", m2, 1, root * math.Sqrt2}, {"third", m3, 0, root * math.Sqrt(15)}, {"fourth", m4, 3, root * math.Sqrt(96)}} {
			if math.Abs(c.got-c.want) > c.bound {
				t.Errorf("step %d: %s moment %v, want %v within %v", step, c.name, c.got, c.want, c.bound)
			}
		}
	}
}

func TestNormalIsAPrefixOfALongerOne(t *testing.T) {
	long, short := make([]float32, 8), make([]float32, 5)
	rng.Normal(long, 1, 2, rng.Latent)
	rng.Normal(short, 1, 2, rng.Latent)
	if diff := cmp.Diff(long[:5], short); diff != "" {
		t.Error(diff)
	}
}

// Streams that differ in one coordinate only must be uncorrelated, also when one is shifted against the other.
func TestStreamsAreIndependent(t *testing.T) {
	const n = 50_000
	draw := func(seed uint64, step int, p rng.Purpose) []float32 {
		x := make([]float32, n)
		rng.Normal(x, seed, step, p)
		return x
	}
	base := draw(3, 10, rng.Noise)
	others := map[string][]float32{
		"next seed":       draw(4, 10, rng.Noise),
		"next step":       draw(3, 11, rng.Noise),
		"previous step":   draw(3, 9, rng.Noise),
		"timestep":        draw(3, 10, rng.Timestep),
		"shuffle":         draw(3, 10, rng.Shuffle),
		"latent":          draw(3, 10, rng.Latent),
		"init":            draw(3, 10, rng.Init),
		"dropout":         draw(3, 10, rng.Dropout),
		"sampler":         draw(3, 10, rng.Sampler),
		"seed, step swap": draw(10, 3, rng.Noise),
	}
	for name, other := range others {
		for _, shift := range []int{0, 1, 2, 17} {
			var sum float64
			for i := shift; i < n; i++ {
				sum += float64(base[i]) * float64(other[i-shift])
			}
			if r := sum / n; math.Abs(r) > 5/math.Sqrt(n) {
				t.Errorf("%s, shift %d: correlation %v", name, shift, r)
			}
		}
	}
}

func TestUint64IsAFunctionOfItsArguments(t *testing.T) {
	seen := map[uint64]bool{}
	for seed := range uint64(4) {
		for step := range 8 {
			for p := rng.Noise; p <= rng.Sampler; p++ {
				for i := range uint64(8) {
					v := rng.Uint64(seed, step, p, i)
					if v != rng.Uint64(seed, step, p, i) {
						t.Fatal("two calls differ")
					}
					if seen[v] {
						t.Fatalf("value %#x came twice", v)
					}
					seen[v] = true
				}
			}
		}
	}
}

func TestIntnAndFloat64AreUniform(t *testing.T) {
	const n, draws = 10, 100_000
	var ints, floats [n]int
	for i := range uint64(draws) {
		ints[rng.Intn(n, 5, 1, rng.Timestep, i)]++
		floats[int(n*rng.Float64(5, 1, rng.Dropout, i))]++
	}
	for _, counts := range [][n]int{ints, floats} {
		chi := 0.0
		for _, c := range counts {
			d := float64(c) - draws/n
			chi += d * d / (draws / n)
		}
		if chi > 33.7 { // 9 degrees of freedom, probability 1e-4
			t.Errorf("counts %v: chi-squared %v", counts, chi)
		}
	}
}

func TestPerm(t *testing.T) {
	for _, n := range []int{-1, 0, 1, 2, 100} {
		got := rng.Perm(n, 1, 2, rng.Shuffle)
		sorted := slices.Sorted(slices.Values(got))
		for i, v := range sorted {
			if i != v {
				t.Fatalf("n %d: %v is no permutation", n, got)
			}
		}
		if len(got) != max(n, 0) {
			t.Fatalf("n %d: length %d", n, len(got))
		}
	}
	// All six orders of three things come equally often.
	counts := map[[3]int]int{}
	for step := range 6000 {
		p := rng.Perm(3, 9, step, rng.Shuffle)
		counts[[3]int(p)]++
	}
	for order, c := range counts {
		if len(counts) != 6 || math.Abs(float64(c)-1000) > 150 {
			t.Errorf("order %v came %d times of 6000, %d orders", order, c, len(counts))
		}
	}
}

func TestBitsDoNotDependOnWhereTheyBegin(t *testing.T) {
	all, ones := make([]uint16, 4001), 0
	rng.Bits(all, 3, 5, rng.Rounding, 8)
	for from := 0; from < len(all); from += 1004 {
		some := make([]uint16, min(1004, len(all)-from))
		rng.Bits(some, 3, 5, rng.Rounding, uint64(8+from))
		if diff := cmp.Diff(all[from:from+len(some)], some); diff != "" {
			t.Fatalf("from %d: %s", from, diff)
		}
	}
	for _, v := range all {
		ones += bits.OnesCount16(v)
	}
	if n := float64(16 * len(all)); math.Abs(float64(ones)-n/2) > 5*math.Sqrt(n)/2 {
		t.Errorf("%d of %g bits are set", ones, n)
	}
}
