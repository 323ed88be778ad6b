package method

import (
	"math"
	"path/filepath"
	"strings"

	"easel/engine/format"
)

// LoRAMeta is what kohya's trainer would write about the run.
func (a About) LoRAMeta() format.LoRAMeta {
	base := format.BaseSD1
	switch {
	case a.SD2 && a.VPredicted:
		base = format.BaseSD2V
	case a.SD2:
		base = format.BaseSD2
	case a.VPredicted:
		base = format.BaseSD1V
	}
	tags := map[string]int{}
	for _, c := range a.Captions {
		for _, tag := range strings.Split(c, ",") {
			if tag = strings.ToLower(strings.TrimSpace(tag)); tag != "" {
				tags[tag]++
			}
		}
	}
	words := strings.TrimSpace(a.Job.Word + " " + a.Job.Class)
	return format.LoRAMeta{
		Base: base, BaseModel: filepath.Base(a.Job.Model), OutputName: a.Name, Comment: "made with Easel",
		LearningRate: a.Job.Rate, UNetRate: a.Job.Rate, Optimizer: a.Job.Optimizer, Schedule: a.Job.Schedule, Precision: "no",
		Steps: a.Steps, MaxSteps: a.Job.Steps, BatchSize: a.Job.Batch, Seed: int64(a.Job.Seed & math.MaxInt64), ClipSkip: 1,
		Width: a.Width, Height: a.Height, Images: a.Images, Started: a.Started, Finished: a.Finished,
		Datasets: []format.LoRADataset{{Name: "1_" + words, Repeats: 1, Images: a.Images, Tags: tags}},
		Buckets:  []format.LoRABucket{{Width: a.Width, Height: a.Height, Images: a.Images}},
		Trigger:  words,
	}
}
