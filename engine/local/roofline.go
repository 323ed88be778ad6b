package local

import (
	"context"

	"easel/engine"
	"easel/engine/graph"
	"easel/engine/kernel"
)

// roofline measures the machine's best: a large matmul and a large convolution of each kind that the models are made
// of. It reports a row for each and returns the higher speed, in 10⁹ operations a second.
func (l *local) roofline(ctx context.Context, dt kernel.DType, report func(engine.BenchRow)) (float64, error) {
	best := 0.0
	for _, c := range []struct {
		part  string
		flops float64
		run   func() error
	}{
		{"roofline matmul", 2 * 2048 * 1280 * 1280, l.largeMatmul(dt)},
		{"roofline conv", 2 * 64 * 64 * 320 * 320 * 9, l.largeConv(dt)},
	} {
		if err := ctx.Err(); err != nil {
			return 0, engine.Errorf("bench", "", engine.Cancelled, "%w", err)
		}
		seconds, err := median(9, c.run)
		if err != nil {
			return 0, err
		}
		speed := c.flops / seconds / 1e9
		best = max(best, speed)
		report(engine.BenchRow{Part: c.part, DType: dt.String(), Batch: 1, Seconds: seconds, GFLOPS: speed, RooflinePercent: 100, PeakBytes: resident()})
	}
	return best, nil
}

func (l *local) largeMatmul(dt kernel.DType) func() error {
	x, w, y := kernel.New(dt, 2048, 1280), kernel.New(dt, 1280, 1280), kernel.New(dt, 2048, 1280)
	w.Frozen = true
	return func() error { return l.backend.Linear(y, x, w, nil, nil, 1) }
}

func (l *local) largeConv(dt kernel.DType) func() error {
	x, w, y := kernel.New(dt, 1, 64, 64, 320), kernel.New(dt, 320, 320, 3, 3), kernel.New(dt, 1, 64, 64, 320)
	w.Frozen = true
	return func() error { return l.backend.Conv2D(y, x, w, nil, nil, graph.Same(3, 1)) }
}
