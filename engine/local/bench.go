package local

import (
	"context"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"easel/engine"
	"easel/engine/kernel"
	"easel/engine/model"
)

// benchParts are measured in this order.
var benchParts = []string{"step", "unet", "vae encode", "vae decode", "text", "picture"}

// Bench implements engine.Engine.
func (l *local) Bench(ctx context.Context, req engine.BenchRequest, sink engine.Sink) (rows []engine.BenchRow, err error) {
	err = l.do(ctx, func() error {
		rows, err = l.bench(ctx, req, sink)
		return err
	})
	return rows, err
}

func (l *local) bench(ctx context.Context, req engine.BenchRequest, sink engine.Sink) ([]engine.BenchRow, error) {
	var rows []engine.BenchRow
	report := func(row engine.BenchRow) {
		row.Device = l.device.Name + ", " + l.device.Backend
		rows = append(rows, row)
		sink(engine.Event{Kind: engine.KindBench, Bench: &row})
	}
	shapes, parts, dtypes, err := l.benchPlan(req)
	if err != nil {
		return nil, err
	}
	for _, dt := range dtypes {
		peak, err := l.roofline(ctx, l.computing(dt), report)
		if err != nil {
			return nil, err
		}
		for _, shape := range shapes {
			for _, part := range parts {
				row, err := l.benchPart(ctx, req, shape, part, dt)
				if err != nil {
					return nil, err
				}
				row.RooflinePercent = 100 * row.GFLOPS / peak
				report(row)
			}
		}
	}
	return rows, nil
}

// benchPlan says what a request asks to measure. Without a shape it is the built-in model: the full size takes minutes.
func (l *local) benchPlan(req engine.BenchRequest) (shapes, parts []string, dtypes []kernel.DType, err error) {
	bad := func(format string, args ...any) error {
		return engine.Errorf("bench", "", engine.BadInput, format, args...)
	}
	if req.Runs < 0 {
		return nil, nil, nil, bad("runs cannot be negative")
	}
	switch req.Shape {
	case "":
		shapes = []string{"builtin"}
	case "builtin", "sd15":
		shapes = []string{req.Shape}
	default:
		return nil, nil, nil, bad("shape cannot be %q; choose builtin or sd15", req.Shape)
	}
	switch req.Part {
	case "":
		parts = benchParts
	case "vae":
		parts = []string{"vae encode", "vae decode"}
	case "step", "unet", "text", "picture":
		parts = []string{req.Part}
	default:
		return nil, nil, nil, bad("part cannot be %q; choose step, unet, vae, text or picture", req.Part)
	}
	if req.File != "" && (!isStorage(req.File) || req.Shape != "sd15") {
		return nil, nil, nil, bad("file cannot be %q; choose f32, f16 or bf16, and the shape sd15", req.File)
	}
	switch req.DType {
	case "f32":
		dtypes = []kernel.DType{kernel.F32}
	case "bf16":
		dtypes = []kernel.DType{kernel.BF16}
	case "", "auto":
		dtypes = []kernel.DType{kernel.F32}
		if l.device.BF16 {
			dtypes = append(dtypes, kernel.BF16)
		}
	default:
		return nil, nil, nil, bad("dtype cannot be %q; choose auto, f32 or bf16", req.DType)
	}
	return shapes, parts, dtypes, nil
}

// benchPart measures one part, with everything it needs built before and freed after.
func (l *local) benchPart(ctx context.Context, req engine.BenchRequest, shape, part string, dt kernel.DType) (engine.BenchRow, error) {
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent)) // as in a run
	release()
	memory := watchMemory()
	defer memory() // ends it on every way out
	p, err := l.benchModel(shape, req.File, dt)
	if err != nil {
		return engine.BenchRow{}, err
	}
	defer p.close()
	w, err := newWorkload(p, req, part)
	if err != nil {
		return engine.BenchRow{}, err
	}
	defer w.close()
	seconds, err := w.measure(ctx, req.Runs)
	row := engine.BenchRow{Shape: shape, Part: part, Method: w.method, DType: dt.String(), Res: w.res, Batch: w.batch,
		Seconds: seconds, GFLOPS: w.flops() / seconds / 1e9, PeakBytes: memory(), Plan: w.plan, Predicted: w.predicted}
	if w.profile != nil && (req.Profile || shape == "sd15") {
		row.Profile = w.profile()
	}
	return row, err
}

// benchModel opens what is measured; the full size's weights are as a file of that type has them, or as dt.
func (l *local) benchModel(shape, file string, dt kernel.DType) (*pipeline, error) {
	computing := l.computing(dt).String()
	if shape == "builtin" {
		return l.open(shape, computing, model.Options{})
	}
	stored, ok := storageTypes[file]
	if !ok {
		stored = dt
	}
	return l.pipeline(shape, model.SD15(stored), computing)
}

// computing is the type that a measurement of dt computes in: where the processor does not multiply bfloat16, that is how
// weights are stored, and float32 computes.
func (l *local) computing(dt kernel.DType) kernel.DType {
	if dt == kernel.BF16 && !l.device.BF16 {
		return kernel.F32
	}
	return dt
}

// release gives back what earlier parts held, so that each part's memory is its own.
func release() {
	for range 2 { // the first collection runs finalizers, the second frees what they held
		runtime.GC()
	}
	debug.FreeOSMemory()
}

// watchMemory samples the resident memory every 20 ms until the returned function is called, which gives the peak.
func watchMemory() func() int64 {
	stop, peak := make(chan struct{}), make(chan int64)
	go func() {
		most := resident()
		for tick := time.NewTicker(20 * time.Millisecond); ; {
			select {
			case <-tick.C:
				most = max(most, resident())
			case <-stop:
				tick.Stop()
				peak <- max(most, resident())
				return
			}
		}
	}()
	return sync.OnceValue(func() int64 {
		close(stop)
		return <-peak
	})
}

// median times f runs times (5 where that is 0), fewer when that takes over half a minute.
func median(runs int, f func() error) (float64, error) {
	if runs == 0 {
		runs = 5
	}
	var times []float64
	for begun := time.Now(); len(times) < runs && (len(times) < 3 || time.Since(begun) < 30*time.Second); {
		start := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		times = append(times, time.Since(start).Seconds())
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}
