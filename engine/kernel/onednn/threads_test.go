//go:build cgo && linux && amd64

package onednn_test

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"

	"easel/engine"
	"easel/engine/kernel"
	"easel/engine/kernel/kerneltest"
	"easel/engine/kernel/onednn"
)

// team starts a backend of so many threads.
func team(t *testing.T, threads int) kernel.Backend {
	t.Helper()
	b, err := onednn.New(onednn.Options{Threads: threads})
	must(t, err)
	t.Cleanup(func() { b.Close() })
	return b
}

// teams are sizes of a team: one, an odd number, more than there are processors.
func teams() []int { return []int{1, 3, min(16, 4*runtime.NumCPU())} }

func TestConformanceWhateverTheTeam(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	for _, n := range teams() {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			kerneltest.Run(t, team(t, n), kerneltest.Options{Types: []kernel.DType{kernel.BF16}}) // whose rows need room for each thread
		})
	}
}

func TestThreads(t *testing.T) {
	for _, n := range teams() {
		if got := kernel.Threads(team(t, n)); got != n {
			t.Errorf("a team of %d, want %d", got, n)
		}
	}
	for _, n := range []int{-1, 4*runtime.NumCPU() + 1} {
		if _, err := onednn.New(onednn.Options{Threads: n}); engine.KindOf(err) != engine.BadInput {
			t.Errorf("%d threads: %v, want bad input", n, err)
		}
	}
}

// TestDefaultThreads: no more than Go uses, which knows a container's quota, nor than OpenMP's variable says.
func TestDefaultThreads(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	t.Setenv("OMP_NUM_THREADS", "")
	free := kernel.Threads(team(t, 0))
	if free < 1 || free > runtime.GOMAXPROCS(0) {
		t.Errorf("%d threads, Go uses %d", free, runtime.GOMAXPROCS(0))
	}
	for text, want := range map[string]int{"1": 1, " 1 ,4": 1, "1000": free, "0": free, "many": free} {
		t.Setenv("OMP_NUM_THREADS", text)
		if got := kernel.Threads(team(t, 0)); got != want {
			t.Errorf("OMP_NUM_THREADS %q: %d threads, want %d", text, got, want)
		}
	}
	t.Setenv("OMP_NUM_THREADS", "")
	runtime.GOMAXPROCS(1)
	if got := kernel.Threads(team(t, 0)); got != 1 {
		t.Errorf("%d threads where Go uses 1", got)
	}
}

// TestSumsDoNotDependOnTheTeam: sums over rows and over all elements are cut into tiles of their own (k_reduce.h).
// oneDNN's products and the gradient of attention make no such promise.
func TestSumsDoNotDependOnTheTeam(t *testing.T) {
	const batch, side, c, groups = 2, 40, 48, 8
	var alone [][]byte
	for _, n := range teams() {
		b := team(t, n)
		x, dy := noise(kernel.BF16, batch, side, side, c), noise(kernel.F32, batch, side, side, c)
		gamma, beta := noise(kernel.F32, c), noise(kernel.F32, c)
		f := func(shape ...int) *kernel.Tensor { return kernel.New(kernel.F32, shape...) }
		r := []*kernel.Tensor{f(c), f(batch, c), f(batch, groups, 2), f(c), f(c), f(c), f(c), f(1), f(x.Shape...)}
		must(t, b.SumRows(r[0], x))
		must(t, b.SumPixels(r[1], x))
		must(t, b.GroupNormStats(r[2], x, groups, 1e-5))
		must(t, b.GroupNormGradParams(r[3], r[4], x, r[2], gamma, beta, dy, groups, true))
		must(t, b.LayerNormGradParams(r[5], r[6], x, dy, 1e-5))
		must(t, b.Loss(r[7], x, dy, nil, nil, kernel.MSE))
		must(t, b.GroupNormGradInput(r[8], x, r[2], gamma, beta, dy, groups, true))
		squares, err := b.SumSquares(x)
		must(t, err)
		got := [][]byte{fmt.Append(nil, squares)}
		for _, v := range r {
			got = append(got, v.Data)
		}
		if alone == nil {
			alone = got
		}
		for i := range got {
			if !bytes.Equal(got[i], alone[i]) {
				t.Errorf("result %d of %d threads is not that of one", i, n)
			}
		}
	}
}
