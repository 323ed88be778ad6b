package main

import (
	"context"
	"encoding/json"
	"fmt"

	"easel/engine"
)

// bench is `easel bench`.
func (p *program) bench(ctx context.Context, args []string) error {
	var req engine.BenchRequest
	var threads int
	var asJSON bool
	fs := p.flags("bench")
	fs.StringVar(&req.Shape, "shape", "builtin", "`model` to measure: builtin, or sd15 (full size, random weights)")
	fs.StringVar(&req.Part, "part", "", "`part` to measure: step, unet, vae, text, picture; empty measures all")
	fs.StringVar(&req.Method, "method", "lora", "fine-tuning `method` of the training step")
	fs.StringVar(&req.DType, "dtype", "auto", "`type` to compute in: auto, f32, bf16")
	fs.StringVar(&req.File, "file", "", "`type` of the numbers in the full size's file: f32, f16, bf16; empty is as --dtype")
	fs.IntVar(&req.Res, "res", 0, "side of the pictures in `pixels`; 0 takes the model's own")
	fs.IntVar(&req.Batch, "batch", 0, "`pictures` a step; 0 is the usual")
	fs.IntVar(&req.Rank, "rank", 0, "`rank` of the LoRA; 0 is the usual")
	fs.IntVar(&req.Runs, "runs", 0, "`times` each part is measured, of which the median counts; 0 is the usual")
	fs.Var((*byteCount)(&req.Memory), "memory", "most memory of a training step, as 2GB or 800MB; by default what the machine has free")
	fs.BoolVar(&req.Profile, "profile", false, "show each operator's share of the time; --shape sd15 does so anyway")
	fs.IntVar(&threads, "threads", 0, "`threads` that compute; 0 is one for each physical core")
	fs.BoolVar(&asJSON, "json", false, "print one JSON object a row")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	return p.withEngine(power{threads: threads}, func(eng engine.Engine) error {
		rows := &benchTable{p: p, json: asJSON}
		if !asJSON {
			device := eng.Device()
			fmt.Fprintf(p.out, "%s, %s, %d threads, %s of memory\n", device.Name, device.Backend, device.Threads, byteSize(device.Memory))
		}
		_, err := eng.Bench(ctx, req, rows.sink)
		return err
	})
}

// benchTable prints measurements as they come.
type benchTable struct {
	p      *program
	json   bool
	headed bool
}

func (t *benchTable) sink(e engine.Event) {
	switch {
	case t.json && e.Bench != nil:
		if err := json.NewEncoder(t.p.out).Encode(e.Bench); err != nil {
			t.p.warn(engine.WarningEvent{Text: err.Error()})
		}
	case e.Bench != nil:
		t.row(*e.Bench)
	case e.Warning != nil:
		t.p.warn(*e.Warning)
	}
}

func (t *benchTable) row(row engine.BenchRow) {
	if !t.headed {
		fmt.Fprintf(t.p.out, "%-16s %-8s %-5s %5s %5s %10s %9s %9s %9s %9s\n",
			"part", "shape", "type", "res", "batch", "seconds", "GFLOP/s", "roofline", "memory", "predicted")
		t.headed = true
	}
	fmt.Fprintf(t.p.out, "%-16s %-8s %-5s %5s %5s %10.4f %9.1f %7.1f %% %9s %9s\n", row.Part, row.Shape, row.DType,
		countOrDash(row.Res), countOrDash(row.Batch), row.Seconds, row.GFLOPS, row.RooflinePercent, byteSize(row.PeakBytes), sizeOrDash(row.Predicted))
	if row.Plan != nil {
		fmt.Fprintf(t.p.out, "    %s\n", row.Plan.Why)
	}
	for _, op := range row.Profile {
		fmt.Fprintf(t.p.out, "    %-28s %6d calls %10.4f s %5.1f %%\n", op.Op, op.Calls, op.Seconds, 100*op.Share)
	}
}

func sizeOrDash(n int64) string {
	if n == 0 {
		return "-"
	}
	return byteSize(n)
}

// countOrDash leaves out what a measurement of the machine itself does not have.
func countOrDash(n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}
