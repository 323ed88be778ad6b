package local

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/method"
	"easel/engine/model"
	"easel/engine/sample"
)

// Sample implements engine.Engine.
func (l *local) Sample(ctx context.Context, req engine.SampleRequest, sink engine.Sink) (pictures []engine.Picture, err error) {
	err = l.do(ctx, func() error {
		pictures, err = l.sample(ctx, req, sink)
		return err
	})
	return pictures, err
}

func (l *local) sample(ctx context.Context, req engine.SampleRequest, sink engine.Sink) ([]engine.Picture, error) {
	if !strings.EqualFold(filepath.Ext(req.Out), ".png") {
		return nil, engine.Errorf("render", req.Out, engine.BadInput, "pictures are written as PNG: give a name that ends in .png")
	}
	if req.Seed > math.MaxInt64 {
		return nil, engine.Errorf("render", "", engine.BadInput, "the seed must be below 2^63")
	}
	p, err := l.open(req.Model, req.DType, model.Options{VAE: req.VAE, Prediction: req.Prediction})
	if err != nil {
		return nil, err
	}
	defer p.close()
	if err := p.follow(engine.Plan{Weights: p.exact.String()}, false); err != nil {
		return nil, err
	}
	p.rest()
	adapters, err := p.apply(req.Tuned)
	if err != nil {
		return nil, err
	}
	p.completeSample(&req)
	r := p.renderer(adapters)
	defer r.Close()
	q := sample.Request{Prompts: []string{req.Prompt}, Negative: req.Negative, Sampler: req.Sampler, Steps: req.Steps,
		Guidance: req.Guidance, Seeds: []uint64{req.Seed}, Width: req.Width, Height: req.Height}
	if err := r.Prepare(q); err != nil {
		return nil, err
	}
	rendered, err := r.Render(ctx, q, func(step int) {
		sink(engine.Event{Kind: engine.KindSampling, Sampling: &engine.SamplingEvent{Picture: 1, Pictures: 1, Step: step, Steps: req.Steps}})
	})
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(req.Out), 0o755); err != nil {
		return nil, engine.Errorf("write picture", req.Out, engine.BadInput, "%w", err)
	}
	if err := format.WritePNG(req.Out, rendered[0], describeSample(req)); err != nil {
		return nil, err
	}
	return []engine.Picture{{Path: req.Out, Prompt: req.Prompt, Seed: req.Seed}}, nil
}

func (p *pipeline) apply(files []engine.TunedFile) (model.Adapters, error) {
	var adapters model.Adapters
	for _, f := range files {
		a, err := method.Apply(p.model, f.Path, f.Weight)
		if err != nil {
			return nil, err
		}
		adapters = append(adapters, a)
	}
	return adapters, nil
}

// completeSample fills in what the request leaves open.
func (p *pipeline) completeSample(req *engine.SampleRequest) {
	req.Sampler = cmp.Or(req.Sampler, gridSampler)
	req.Steps = cmp.Or(req.Steps, 20)
	set(&req.Guidance, 7.5, 4, p.small())
	req.Width = cmp.Or(req.Width, p.model.Resolution())
	req.Height = cmp.Or(req.Height, p.model.Resolution())
}

// describeSample is the picture's parameters text; LoRAs are named in the prompt, as A1111 does.
func describeSample(req engine.SampleRequest) string {
	prompt := req.Prompt
	for _, l := range req.Tuned {
		prompt += fmt.Sprintf(" <lora:%s:%g>", strings.TrimSuffix(filepath.Base(l.Path), filepath.Ext(l.Path)), l.Weight)
	}
	p := format.Parameters{Prompt: prompt, Negative: req.Negative, Steps: req.Steps, Sampler: samplerTitle(req.Sampler),
		CFGScale: req.Guidance, Seed: int64(req.Seed), Width: req.Width, Height: req.Height,
		Model: modelName(req.Model), Version: "Easel"}
	return p.String()
}

// modelName is a model's name without its folder and, for a file, without its ending.
func modelName(path string) string {
	base := filepath.Base(path)
	for _, ending := range []string{".safetensors", ".ckpt", ".pt"} {
		base = strings.TrimSuffix(base, ending)
	}
	return base
}
