package optim_test

import (
	"math"
	"slices"
	"testing"

	"easel/engine/internal/rng"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"
	"easel/engine/optim"
)

// dynamicMap is bitsandbytes' create_dynamic_map(signed), by its description: for the powers of ten from -6 to 0, 2^i (or
// 2^(i+1) unsigned) middles of equal parts of [0.1, 1] times the power; and 0 and 1.
func dynamicMap(signed bool) []float64 {
	values := []float64{0, 1}
	for i, n := 0, 1; i < 7; i, n = i+1, 2*n {
		parts := n
		if !signed {
			parts = 2 * n
		}
		for k := range parts {
			low, high := 0.1+0.9*float64(k)/float64(parts), 0.1+0.9*float64(k+1)/float64(parts)
			v := (low + high) / 2 / math.Pow10(6-i)
			values = append(values, v)
			if signed {
				values = append(values, -v)
			}
		}
	}
	slices.Sort(values)
	return values
}

// quantised is x after storing: the nearest number of the map, scaled by the largest of the block.
func quantised(x, numbers []float64, keepSign bool) {
	for block := range slices.Chunk(x, 256) {
		most := 0.0
		for _, v := range block {
			most = max(most, math.Abs(v))
		}
		if most == 0 {
			continue
		}
		for i, v := range block {
			best := 0
			for k, n := range numbers {
				if math.Abs(n-v/most) < math.Abs(numbers[best]-v/most) {
					best = k
				}
			}
			if keepSign && v < 0 && numbers[best] == 0 {
				best--
			}
			block[i] = numbers[best] * most
		}
	}
}

// TestEightBitMoments compares with AdamW's formula on moments that are stored in codes found by trying all.
func TestEightBitMoments(t *testing.T) {
	const n, rate, beta1, beta2, decay = 4400, 0.01, 0.9, 0.999, 0.01 // ends within a block
	if m := dynamicMap(true); len(m) != 256 || m[128] != 5.5e-7 || m[254] != 0.99296875 {
		t.Fatalf("the signed map has %d numbers, the least above 0 is %g, the second largest %g", len(m), m[128], m[254])
	}
	signed, unsigned := dynamicMap(true), dynamicMap(false)
	o := mustNew(t, "adamw8bit", nil)
	p := optim.Param{Name: "a", Value: kernel.New(kernel.F32, n), Grad: kernel.New(kernel.F32, n), Rate: 1}
	rng.Normal(p.Value.F32(), 1, 0, rng.Init)
	want, m, v := make([]float64, n), make([]float64, n), make([]float64, n)
	for i, x := range p.Value.F32() {
		want[i] = float64(x)
	}
	for step := 1; step <= 8; step++ {
		rng.Normal(p.Grad.F32(), 2, step, rng.Noise)
		for i := range p.Grad.F32() {
			p.Grad.F32()[i] *= float32(math.Exp(float64(i%23) - 15)) // blocks hold numbers of very different size
		}
		for i, g32 := range p.Grad.F32() {
			g := float64(g32)
			m[i], v[i] = beta1*m[i]+(1-beta1)*g, beta2*v[i]+(1-beta2)*g*g
			update := m[i] / (1 - math.Pow(beta1, float64(step))) / (math.Sqrt(v[i]/(1-math.Pow(beta2, float64(step)))) + 1e-8)
			want[i] = want[i]*(1-rate*decay) - rate*update
		}
		quantised(m, signed, true)
		quantised(v, unsigned, false)
		if err := o.Step(ref.New(), []optim.Param{p}, rate, 1); err != nil {
			t.Fatal(err)
		}
	}
	off := 0
	for i, got := range p.Value.F32() {
		if math.Abs(float64(got)-want[i]) > 1e-4*rate+1e-6*math.Abs(want[i]) {
			off++
		}
	}
	if off > n/1000 { // a number halfway between two of the map goes the other way in float32
		t.Errorf("%d of %d values are off", off, n)
	}
	bytes := 0
	for _, s := range o.State() {
		bytes += len(s.Tensor.Data)
	}
	if bytes > 2*n+2*n/256*4+1024 {
		t.Errorf("the state takes %d bytes for %d numbers", bytes, n)
	}
}

// TestEightBitComesWhereAdamWComes: the error of 8 bits is small beside the way.
func TestEightBitComesWhereAdamWComes(t *testing.T) {
	exact, coded := smallProblem(), smallProblem()
	start := values(exact)
	steps(t, mustNew(t, "adamw", nil), exact, 0, 40)
	steps(t, mustNew(t, "adamw8bit", nil), coded, 0, 40)
	a, b := values(exact), values(coded)
	if !slices.Equal(a[0], b[0]) || slices.Equal(a[2], b[2]) {
		t.Error("small parameters should be exact, and large ones not")
	}
	var off, moved float64
	for i := range a[2] {
		d, m := float64(a[2][i]-b[2][i]), float64(a[2][i]-start[2][i])
		off, moved = off+d*d, moved+m*m
	}
	if off > 0.05*0.05*moved {
		t.Errorf("off by %.3f of the way", math.Sqrt(off/moved))
	}
}
