package export

import (
	"fmt"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2/lang"

	"easel/engine"
)

// usage says how a program uses a file.
type usage struct {
	program string
	folder  string // to put it in; empty where the path is given
	how     string
	paste   string // prompt or code
}

// usagesOf are the programs that read what a run exported.
func usagesOf(run engine.Run, element engine.Element) []usage {
	path := run.Export
	ending := filepath.Ext(path)
	name := strings.TrimSuffix(filepath.Base(path), ending)
	prompt := strings.TrimSpace("a photo of a " + strings.TrimSpace(run.Job.Word+" "+run.Job.Class))
	code := func(lines ...string) string {
		return "from diffusers import StableDiffusionPipeline\n" + strings.Join(lines, "\n") + fmt.Sprintf("\npipe(%q).images[0].save(\"picture.png\")", prompt)
	}
	base := "pipe = StableDiffusionPipeline.from_pretrained(\"...\") # the model that you trained on"
	switch {
	case element == engine.Weights:
		return []usage{
			{"A1111, Forge", "models/Stable-diffusion", lang.L("Choose it at the top left as the checkpoint."), prompt},
			{"ComfyUI", "models/checkpoints", lang.L("Choose it in the node Load Checkpoint."), prompt},
			{"diffusers", "", lang.L("Load the file itself."), code(fmt.Sprintf("pipe = StableDiffusionPipeline.from_single_file(%q)", path))},
		}
	case element == engine.WordEmbedding:
		return []usage{
			{"A1111, Forge", "embeddings", lang.L("The file's name in a prompt calls it."), strings.Replace(prompt, run.Job.Word, name, 1)},
			{"ComfyUI", "models/embeddings", lang.L("In a prompt, write embedding: before the name."), strings.Replace(prompt, run.Job.Word, "embedding:"+name, 1)},
			{"diffusers", "", lang.L("Load it beside the model."), code(base, fmt.Sprintf("pipe.load_textual_inversion(%q, token=%q)", path, run.Job.Word))},
		}
	case element == engine.Generator && ending == ".pt":
		return []usage{{"A1111, Forge", "models/hypernetworks", lang.L("The tag in the prompt switches it on; the number is its weight."), prompt + " <hypernet:" + name + ":1>"}}
	}
	return []usage{
		{"A1111, Forge", "models/Lora", lang.L("The tag in the prompt switches it on; the number is its weight. Try 0.7 where it is too strong."), prompt + " <lora:" + name + ":1>"},
		{"ComfyUI", "models/loras", lang.L("Put the node Load LoRA between Load Checkpoint and the sampler, with strength 1."), prompt},
		{"diffusers", "", lang.L("Load it beside the model."), code(base, fmt.Sprintf("pipe.load_lora_weights(%q)", path))},
	}
}
