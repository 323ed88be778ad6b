package main

import (
	"flag"

	"easel/engine"
)

// priorFlags defines the flags of prior preservation; one of them switches it on.
func priorFlags(fs *flag.FlagSet, prior *engine.Prior) {
	fs.Float64Var(&prior.Weight, "prior-weight", prior.Weight, "`weight` of class pictures, trained beside the subject's so that the class is not forgotten; 0 is off, or 1 where another flag asks for them")
	fs.IntVar(&prior.Count, "class-count", prior.Count, "`number` of class pictures; 0 is as many as suit, or all of --class-images")
	fs.StringVar(&prior.Prompt, "class-prompt", prior.Prompt, "`prompt` that shows the class; empty is \"a photo of a {class}\"")
	fs.StringVar(&prior.Images, "class-images", prior.Images, "`folder` with class pictures; empty lets the model render them")
}
