package kernel_test

import (
	"math"
	"testing"

	"easel/engine/kernel"
)

func TestEveryF16RoundTrips(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		f := kernel.F16ToF32(h)
		if exponent, fraction := h>>10&31, h&1023; exponent == 31 && fraction != 0 {
			if got := kernel.F32ToF16(f); f == f || got&0x7fff <= 0x7c00 || got&0x8000 != h&0x8000 {
				t.Errorf("NaN %#04x becomes %v, then %#04x", h, f, got)
			}
			continue
		}
		if got := kernel.F32ToF16(f); got != h {
			t.Errorf("%#04x becomes %v, then %#04x", h, f, got)
		}
		if want := f16Value(h); float64(f) != want || math.Signbit(float64(f)) != (h>>15 == 1) {
			t.Errorf("%#04x is %v, want %v", h, f, want)
		}
	}
}

// f16Value is IEEE 754's definition of a binary16 number.
func f16Value(h uint16) float64 {
	sign, exponent, fraction := 1-2*float64(h>>15), int(h>>10&31), float64(h&1023)/1024
	switch exponent {
	case 31:
		return math.Inf(int(sign))
	case 0:
		return sign * math.Ldexp(fraction, -14)
	}
	return sign * math.Ldexp(1+fraction, exponent-15)
}

// TestF16RoundsToNearestEven tries the middle between all neighbours, and the float32 values beside it.
func TestF16RoundsToNearestEven(t *testing.T) {
	for h := uint16(0); h < 0x7bff; h++ {
		middle := float32((f16Value(h) + f16Value(h+1)) / 2)
		even := h + h&1
		for _, c := range []struct {
			f    float32
			want uint16
		}{
			{middle, even},
			{math.Nextafter32(middle, 0), h},
			{math.Nextafter32(middle, math.MaxFloat32), h + 1},
		} {
			if got := kernel.F32ToF16(c.f); got != c.want {
				t.Fatalf("%v becomes %#04x, want %#04x", c.f, got, c.want)
			}
			if got := kernel.F32ToF16(-c.f); got != c.want|0x8000 {
				t.Fatalf("%v becomes %#04x, want %#04x", -c.f, got, c.want|0x8000)
			}
		}
	}
}

func TestF32ToF16AtTheEnds(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, c := range []struct {
		f    float32
		want uint16
	}{
		{0, 0}, {float32(math.Copysign(0, -1)), 0x8000},
		{65504, 0x7bff}, {65519.996, 0x7bff}, {65520, 0x7c00}, {math.MaxFloat32, 0x7c00}, {inf, 0x7c00}, {-inf, 0xfc00},
		{0x1p-24, 1}, {0x1p-25, 0}, {0x1.000002p-25, 1}, {0x1.8p-24, 2}, {0x1p-14, 0x0400}, {0x1.ff8p-15, 0x03ff}, {0x1.ffcp-15, 0x0400}, {0x1.ffbp-15, 0x03ff},
		{math.SmallestNonzeroFloat32, 0}, {-math.SmallestNonzeroFloat32, 0x8000},
	} {
		if got := kernel.F32ToF16(c.f); got != c.want {
			t.Errorf("%v becomes %#04x, want %#04x", c.f, got, c.want)
		}
	}
	for _, nan := range nans {
		if got := kernel.F16ToF32(kernel.F32ToF16(nan)); got == got {
			t.Errorf("NaN %#08x becomes %v", math.Float32bits(nan), got)
		}
	}
}

// nans are quiet and signalling, with payload bits high and low.
var nans = []float32{
	math.Float32frombits(0x7fc00000), math.Float32frombits(0xffc00000), math.Float32frombits(0x7f800001),
	math.Float32frombits(0xff800001), math.Float32frombits(0x7fffffff), math.Float32frombits(0x7fbfffff),
}

func TestEveryBF16RoundTrips(t *testing.T) {
	for i := range 1 << 16 {
		b := uint16(i)
		f := kernel.BF16ToF32(b)
		got := kernel.F32ToBF16(f)
		if f != f {
			if wide := kernel.BF16ToF32(got); wide == wide || got>>15 != b>>15 {
				t.Errorf("NaN %#04x becomes %#04x", b, got)
			}
		} else if got != b {
			t.Errorf("%#04x becomes %v, then %#04x", b, f, got)
		}
	}
}

func TestBF16RoundsToNearestEven(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, c := range []struct {
		f    float32
		want uint16
	}{
		{1, 0x3f80}, {-2, 0xc000},
		{0x1.01p0, 0x3f80}, {0x1.03p0, 0x3f82}, {-0x1.01p0, 0xbf80}, {-0x1.03p0, 0xbf82}, // ties
		{0x1.010002p0, 0x3f81}, {0x1.00fffep0, 0x3f80},
		{0x1.ffp0, 0x4000}, // a carry into the exponent
		{0, 0}, {float32(math.Copysign(0, -1)), 0x8000}, {inf, 0x7f80}, {-inf, 0xff80},
		{0x1.fep127, 0x7f7f}, {0x1.ff0000p127, 0x7f80}, {0x1.fefffep127, 0x7f7f}, {math.MaxFloat32, 0x7f80},
		{math.Float32frombits(0x00010000), 1}, {math.Float32frombits(0x00008000), 0}, // subnormal
		{math.Float32frombits(0x00018000), 2}, {math.Float32frombits(0x00008001), 1}, {math.SmallestNonzeroFloat32, 0},
	} {
		if got := kernel.F32ToBF16(c.f); got != c.want {
			t.Errorf("%x becomes %#04x, want %#04x", c.f, got, c.want)
		}
	}
	for _, nan := range nans {
		if got := kernel.BF16ToF32(kernel.F32ToBF16(nan)); got == got {
			t.Errorf("NaN %#08x becomes %v", math.Float32bits(nan), got)
		}
	}
}

// TestRoundBF16: over all random bits the mean is the number itself, and only its two neighbours occur.
func TestRoundBF16(t *testing.T) {
	for _, v := range []float32{1, 1.001, -1.0039062, 3.1415927e-5, -7e20, 1e-40, 0} {
		sum, low, high := 0.0, math.Inf(1), math.Inf(-1)
		for bits := range 1 << 16 {
			r := float64(kernel.BF16ToF32(kernel.RoundBF16(v, uint16(bits))))
			sum, low, high = sum+r, min(low, r), max(high, r)
		}
		unit := math.Abs(high - low)
		if mean := sum / (1 << 16); math.Abs(mean-float64(v)) > 1e-9*math.Abs(float64(v)) {
			t.Errorf("%g becomes %g on average", v, mean)
		}
		if low > float64(v) || high < float64(v) || unit > math.Abs(float64(v))/127 && v > 1e-30 {
			t.Errorf("%g becomes %g to %g", v, low, high)
		}
	}
	largest, inf := math.Float32frombits(0x7f7fffff), float32(math.Inf(1))
	if got := kernel.BF16ToF32(kernel.RoundBF16(largest, 0xffff)); got == inf {
		t.Error("the largest number became infinite")
	}
	if got := kernel.BF16ToF32(kernel.RoundBF16(inf, 0xffff)); got != inf {
		t.Errorf("infinity became %g", got)
	}
	if got := kernel.BF16ToF32(kernel.RoundBF16(float32(math.NaN()), 0)); got == got {
		t.Errorf("NaN became %g", got)
	}
}
