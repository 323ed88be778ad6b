package main

import (
	"context"
	"encoding/json"
	"fmt"

	"easel/engine"
)

// merge is `easel merge`.
func (p *program) merge(ctx context.Context, args []string) error {
	var req engine.MergeRequest
	var threads int
	var asJSON bool
	fs := p.flags("merge")
	fs.StringVar(&req.Model, "model", "builtin", "`model` to add to: builtin, a folder in diffusers form, or a checkpoint in one file")
	fs.Var(&tunedList{&req.LoRAs}, "lora", "LoRA `FILE:WEIGHT` to add to the model's weights, weight 1 where left out; may be repeated")
	fs.StringVar(&req.Out, "out", "", "`where` to write the merged model, in the form of --model: a new folder, or a new file that ends in .safetensors")
	fs.StringVar(&req.DType, "dtype", "", "number `type` to store the model in: f16, f32, bf16; empty keeps that of each tensor")
	fs.IntVar(&threads, "threads", 0, "`threads` that compute; 0 is one a core")
	fs.BoolVar(&asJSON, "json", false, "print one JSON object")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	switch {
	case len(req.LoRAs) == 0:
		return usagef("--lora is missing; `easel merge -h` explains the flags")
	case req.Out == "":
		return usagef("--out is missing; `easel merge -h` explains the flags")
	}
	return p.withEngine(power{threads: threads}, func(eng engine.Engine) error {
		result, err := eng.Merge(ctx, req)
		if err != nil {
			return err
		}
		if asJSON {
			return json.NewEncoder(p.out).Encode(result)
		}
		fmt.Fprintf(p.out, "%-12s%s\n", "model", result.Path)
		fmt.Fprintf(p.out, "%-12s%s of %s tensors\n", "changed", grouped(int64(result.Changed)), grouped(int64(result.Tensors)))
		fmt.Fprintf(p.out, "%-12s%s\n", "size", byteSize(result.Size))
		return nil
	})
}
