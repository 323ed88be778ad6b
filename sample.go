package main

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"easel/engine"
)

// sample is `easel sample`.
func (p *program) sample(ctx context.Context, args []string) error {
	var req engine.SampleRequest
	var threads int
	var asJSON bool
	fs := p.flags("sample")
	fs.StringVar(&req.Model, "model", "builtin", modelHelp)
	modelFlags(fs, &req.VAE, &req.Prediction)
	for _, kind := range []string{"lora", "embedding", "hypernetwork"} {
		fs.Var(&tunedList{&req.Tuned}, kind, "tuned `FILE:WEIGHT` to add to the model, of whatever kind; weight 1 where left out; may be repeated")
	}
	fs.StringVar(&req.Prompt, "prompt", "", "`text` to render")
	fs.StringVar(&req.Negative, "negative", "", "`text` to keep away from")
	fs.StringVar(&req.Sampler, "sampler", "", "`sampler`: ddim, euler, euler_karras, euler_a, dpmpp_2m, dpmpp_2m_karras; empty takes the model's own")
	fs.IntVar(&req.Steps, "steps", 0, "sampling `steps`; 0 takes the model's own")
	fs.Float64Var(&req.Guidance, "guidance", 0, "guidance `scale`; 1 is off, 0 takes the model's own")
	fs.Uint64Var(&req.Seed, "seed", 0, "`number` that fixes the noise")
	fs.IntVar(&req.Width, "width", 0, "`pixels`; 0 takes the model's own")
	fs.IntVar(&req.Height, "height", 0, "`pixels`; 0 takes the model's own")
	fs.StringVar(&req.Out, "out", "", "PNG `file` to write")
	fs.StringVar(&req.DType, "dtype", "auto", "`type` to compute in: auto, f32, bf16")
	fs.IntVar(&threads, "threads", 0, "`threads` that compute; 0 is one for each physical core")
	fs.BoolVar(&asJSON, "json", false, "print the engine's events, one JSON object a line")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	if req.Out == "" {
		return usagef("--out is missing; `easel sample -h` explains the flags")
	}
	return p.withEngine(power{threads: threads}, func(eng engine.Engine) error {
		sink, finish := p.sink(asJSON)
		pictures, err := eng.Sample(ctx, req, sink)
		finish()
		if asJSON {
			return err
		}
		for _, picture := range pictures {
			fmt.Fprintf(p.out, "%-12s%s (seed %d)\n", "picture", picture.Path, picture.Seed)
		}
		return err
	})
}

// tunedList is a repeatable flag such as --lora FILE:WEIGHT.
type tunedList struct{ list *[]engine.TunedFile }

func (l *tunedList) String() string { return "" }

// Set splits off the weight at the last colon, if what follows is a number: a path may hold colons.
func (l *tunedList) Set(text string) error {
	file := engine.TunedFile{Path: text, Weight: 1}
	if i := strings.LastIndexByte(text, ':'); i >= 0 {
		if weight, err := strconv.ParseFloat(text[i+1:], 64); err == nil {
			if math.IsNaN(weight) || math.IsInf(weight, 0) {
				return fmt.Errorf("the weight must be a finite number")
			}
			file = engine.TunedFile{Path: text[:i], Weight: weight}
		}
	}
	if file.Path == "" {
		return fmt.Errorf("name a file, as --lora zorbit.safetensors:0.8")
	}
	*l.list = append(*l.list, file)
	return nil
}
