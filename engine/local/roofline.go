package local

import (
	"context"
	"math"
	"time"

	"easel/engine"
	"easel/engine/graph"
	"easel/engine/internal/rng"
	"easel/engine/kernel"
)

// roofline measures the machine's best: large matmuls and convolutions of the kind that the models are made of. It
// reports the fastest of each and returns the higher speed, in 10⁹ operations a second.
func (l *local) roofline(ctx context.Context, dt kernel.DType, report func(engine.BenchRow)) (float64, error) {
	matmul := []kernelRun{l.largeMatmul(dt, 2048, 1280, 1280), l.largeMatmul(dt, 4096, 320, 1280), l.largeMatmul(dt, 1024, 2048, 2048)}
	conv := []kernelRun{l.largeConv(dt, 64, 320), l.largeConv(dt, 32, 640), l.largeConv(dt, 64, 128)}
	best := 0.0
	for _, c := range []struct {
		part string
		runs []kernelRun
	}{{"roofline matmul", matmul}, {"roofline conv", conv}} {
		row := engine.BenchRow{Part: c.part, DType: dt.String(), Batch: 1, RooflinePercent: 100}
		for _, r := range c.runs {
			if err := ctx.Err(); err != nil {
				return 0, engine.Errorf("bench", "", engine.Cancelled, "%w", err)
			}
			seconds, err := fastest(9, r.run)
			if err != nil {
				return 0, err
			}
			if speed := r.flops / seconds / 1e9; speed > row.GFLOPS {
				row.GFLOPS, row.Seconds = speed, seconds
			}
		}
		row.PeakBytes = resident()
		best = max(best, row.GFLOPS)
		report(row)
	}
	return best, nil
}

// kernelRun is one call of a kernel, ready to be timed.
type kernelRun struct {
	flops float64
	run   func() error
}

func (l *local) largeMatmul(dt kernel.DType, rows, in, out int) kernelRun {
	x, w, y := noise(dt, rows, in), noise(dt, out, in), kernel.New(dt, rows, out)
	w.Frozen = true
	return kernelRun{2 * float64(rows*in*out), func() error { return l.backend.Linear(y, x, w, nil, nil, 1) }}
}

func (l *local) largeConv(dt kernel.DType, side, channels int) kernelRun {
	x, w, y := noise(dt, 1, side, side, channels), noise(dt, channels, channels, 3, 3), kernel.New(dt, 1, side, side, channels)
	w.Frozen = true
	return kernelRun{2 * float64(side*side*9*channels*channels), func() error { return l.backend.Conv2D(y, x, w, nil, nil, graph.Same(3, 1)) }}
}

// noise is a tensor of normal numbers.
func noise(dt kernel.DType, shape ...int) *kernel.Tensor {
	v := make([]float32, kernel.Len(shape))
	rng.Normal(v, 1, 0, rng.Noise)
	return kernel.FromF32(v, shape...).Convert(dt)
}

// fastest times f, once to warm up and then runs times, and returns the shortest in seconds.
func fastest(runs int, f func() error) (float64, error) {
	if err := f(); err != nil {
		return 0, err
	}
	best := math.Inf(1)
	for range runs {
		start := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		best = min(best, time.Since(start).Seconds())
	}
	return best, nil
}
