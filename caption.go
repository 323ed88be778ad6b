package main

import (
	"context"
	"encoding/json"
	"fmt"

	"easel/engine"
)

// caption is `easel caption`.
func (p *program) caption(ctx context.Context, args []string) error {
	var req engine.CaptionRequest
	var use power
	var asJSON bool
	fs := p.flags("caption")
	fs.StringVar(&req.Model, "model", "", "`captioner`: a file or folder of BLIP or of a WD tagger (wd-vit-tagger-v3, with selected_tags.csv beside it), or builtin; empty takes one that A1111, ComfyUI or transformers left on this computer, or else the built-in one")
	fs.StringVar(&req.Mode, "mode", "fill", "`what` happens to captions that are there: fill leaves them, append adds to them, replace replaces them")
	fs.StringVar(&req.Word, "word", "", "new `word` of the subject, to put into the captions")
	fs.StringVar(&req.Class, "class", "", "`what` the subject is: dog, monster toy")
	fs.StringVar(&req.Prefix, "prefix", "", "`text` before each caption")
	fs.StringVar(&req.Suffix, "suffix", "", "`text` behind each caption")
	fs.StringVar(&req.Extension, "ext", ".txt", "`extension` of new caption files: .txt or .caption")
	fs.IntVar(&req.Beams, "beams", 0, "`texts` that the search follows at a time; 1 is fastest, 0 is the usual")
	fs.StringVar(&req.DType, "dtype", "auto", "number `type` to compute in: auto, f32, bf16")
	fs.BoolVar(&req.Undo, "undo", false, "take back what the newest run over the folder did, and nothing else")
	fs.IntVar(&use.threads, "threads", 0, "`threads` that compute; 0 is one a core")
	fs.BoolVar(&asJSON, "json", false, "print events as JSON, one a line")
	rest, err := parse(fs, args, 1, 1)
	if err != nil {
		return err
	}
	req.Images = rest[0]
	return p.withEngine(use, func(eng engine.Engine) error {
		sink, finish := p.sink(asJSON)
		result, err := eng.Caption(ctx, req, sink)
		finish()
		if asJSON && err == nil {
			return json.NewEncoder(p.out).Encode(result)
		}
		if !asJSON && (err == nil || result.Pictures > 0) {
			p.captioned(req, result)
		}
		if engine.KindOf(err) == engine.Cancelled && !asJSON {
			fmt.Fprintln(p.out, "the same command goes on from here")
		}
		return err
	})
}

// captioned sums up.
func (p *program) captioned(req engine.CaptionRequest, r engine.CaptionResult) {
	if req.Undo {
		fmt.Fprintf(p.out, "%-12s%d captions are as they were, %d were changed since and stay\n", "undone", r.Restored, r.Kept)
		return
	}
	fmt.Fprintf(p.out, "%-12s%d pictures: %d captions written, %d changed, %d kept\n", "captions", r.Pictures, r.Written, r.Changed, r.Kept)
	if r.Unsure > 0 {
		fmt.Fprintf(p.out, "%-12sthe captioner does not know what %d of them show; their caption is a plain one\n", "unsure", r.Unsure)
	}
	if r.Skipped > 0 {
		fmt.Fprintf(p.out, "%-12s%d files left out\n", "skipped", r.Skipped)
	}
	if r.Written+r.Changed > 0 {
		fmt.Fprintf(p.out, "%-12seasel caption --undo %s\n", "take back", shellQuote(req.Images))
	}
}
