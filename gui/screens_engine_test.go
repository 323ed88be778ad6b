package gui

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"easel/engine"
)

// studio is a fakeEngine for pictures of the window: it tells of a run that was made once, of the built-in model with the
// sample zorbit, and of what that model's methods cost.
type studio struct {
	*fakeEngine
	made string // the folder with what that run made: testdata/run
}

// The run that was made: its prompts, and its weight change at every hundredth step.
var (
	madePrompts = []string{"a photo of a zorbit monster toy", "a photo of a zorbit monster toy on a red background",
		"a photo of a zorbit monster toy on a yellow background", "a photo of a zorbit monster toy on a brown table, green wall",
		"a red apple on a white background", "a cat on a green background"}
	madeChanges = []float64{0, 0.0538, 0.0872, 0.0989, 0.1006}
)

const (
	madeSteps = 400
	madePause = 260 // the step that the run in progress has come to
	madeRate  = 0.0015
)

func (studio) Device() engine.Device {
	return engine.Device{Name: "AMD Ryzen 7 5800X 8-Core Processor", Backend: "onednn (avx2)", Threads: 8, Memory: 34e9}
}

func (studio) Methods() []engine.MethodInfo {
	return []engine.MethodInfo{
		{Name: "dreambooth", Title: "DreamBooth", Element: engine.Weights,
			Updates: "the UNet's own weights, or a part of them, and the text encoder's where asked",
			Good:    "has the most room to learn a subject's looks, and gives a whole model",
			Harm:    "forgets what the model knew unless the prior is preserved; needs the most memory and time, and writes the largest file"},
		{Name: "hypernetwork", Title: "Hypernetwork", Element: engine.Generator,
			Updates: "a second network that outputs the inserted layers, or changes what keys and values are made of; the model stays frozen",
			Good:    "learns a subject with the fewest trained numbers beside an embedding's",
			Harm:    "at too high a rate all prompts lose their shapes"},
		{Name: "lora", Title: "LoRA", Element: engine.InsertedLayers,
			Updates: "small low-rank layers inserted beside the model's own, which stay frozen",
			Good:    "learns most subjects and styles well, in a small file that can be combined with others",
			Harm:    "at too many steps it holds pictures fast instead of the subject",
			Settings: []engine.Setting{
				{Name: "rank", Default: "16", Help: "inner width of the inserted layers, 1 to 512"},
				{Name: "alpha", Help: "strength: layers count alpha/rank; empty means rank"},
				{Name: "targets", Default: "auto", Choices: []string{"auto", "attention", "attention+ff", "all"},
					Help: "layers that get one: attention, attention with feed-forward and projections, or all with convolutions; auto is all for models below 256 px, else attention+ff"},
				{Name: "text-encoder", Default: "auto", Choices: []string{"auto", "off", "on"},
					Help: "train layers in the text encoder too; auto does for models below 256 px"},
				{Name: "dora", Default: "off", Choices: []string{"off", "on"},
					Help: "train the size of each output beside its direction (DoRA); more time for a step, and fewer programs read the file"},
			},
			Files: []engine.FileForm{
				{Name: "kohya", Ending: ".safetensors", Title: "LoRA for A1111, ComfyUI and diffusers"},
				{Name: "diffusers", Ending: ".safetensors", Title: "LoRA in the names of diffusers and PEFT, which few others read"},
			}},
		{Name: "pivotal", Title: "LoRA with a new word", Element: engine.InsertedLayers,
			Updates: "the vectors of a new word in the prompt, and small layers inserted beside the model's own",
			Good:    "the word carries part of the likeness, so that a small LoRA is enough and its strength can be turned down",
			Harm:    "two files must be kept together; without its word the LoRA is half of what was trained"},
		{Name: "textual-inversion", Title: "Textual Inversion", Element: engine.WordEmbedding,
			Updates: "the vectors of a new word in the prompt; the model itself stays as it is",
			Good:    "teaches a word that other prompts never notice, in a file of a few kilobytes",
			Harm:    "can only call what the model is able to draw already: the likeness is the loosest of all methods"},
	}
}

func (studio) Costs(context.Context, string) ([]engine.MethodCost, error) {
	return []engine.MethodCost{
		{Method: "dreambooth", Parameters: 31_780_008, Peak: 749_515_040, FileBytes: 71_356_774},
		{Method: "hypernetwork", Parameters: 343_072, Peak: 307_118_638, FileBytes: 686_144},
		{Method: "lora", Parameters: 1_065_728, Peak: 352_807_838, FileBytes: 2_131_456},
		{Method: "pivotal", Parameters: 983_168, Peak: 343_043_860, FileBytes: 1_965_568},
		{Method: "textual-inversion", Parameters: 1536, Peak: 260_556_924, FileBytes: 6144},
	}, nil
}

func (studio) Plan(_ context.Context, job engine.Job, _ bool, _ engine.Sink) (engine.Preview, error) {
	job.Steps, job.Rate, job.Prompts = madeSteps, madeRate, madePrompts
	return engine.Preview{
		Job: job, Pictures: 8, Parameters: 1_065_728, FileBytes: 2_131_456, SecondsPerStep: 0.34, Seconds: 136,
		Plan: engine.Plan{Peak: 352_131_990, Budget: 23_327_230_976, Why: "keeps everything in memory; takes about 0.35 GB of at most 23.33 GB"},
		Choices: []engine.Choice{
			{Name: "batch", Value: "4", Reason: "a small model leaves the kernels idle at one picture a step"},
			{Name: "goal", Value: "object", Reason: "as you set it"},
			{Name: "optimizer", Value: "adamw", Reason: "what the rate was tried with"},
			{Name: "preserve", Value: "2", Reason: "a small model forgets other prompts unless it is held to them"},
			{Name: "rate", Value: "0.0015", Reason: "the built-in model is small and takes large steps"},
			{Name: "schedule", Value: "cosine", Reason: "large steps at first, small ones at last"},
			{Name: "settings.rank", Value: "8", Reason: "layers are narrow in a small model"},
			{Name: "settings.targets", Value: "all", Reason: "a small model has its looks in its convolutions"},
			{Name: "settings.text-encoder", Value: "on", Reason: "a small model knows few words well"},
			{Name: "steps", Value: "400", Reason: "under three minutes on two cores"},
		},
	}, nil
}

func (studio) Models(_ context.Context, _ []string, found func(engine.FileInfo)) error {
	for _, m := range []engine.FileInfo{
		{Path: "/home/you/ComfyUI/models/checkpoints/v1-5-pruned-emaonly.safetensors", Kind: "checkpoint", Base: "SD 1.x", Size: 4_265_146_304},
		{Path: "/home/you/stable-diffusion-webui/models/Stable-diffusion/v2-1_768-ema-pruned.safetensors", Kind: "checkpoint", Base: "SD 2.x, v-prediction", Size: 5_214_865_159},
	} {
		found(m)
	}
	return nil
}

// losses of the run, of each step.
func (s studio) losses() (all []engine.StepLoss) {
	text, err := os.ReadFile(filepath.Join(s.made, "losses.txt"))
	if err != nil {
		panic(err)
	}
	for i, line := range strings.Fields(string(text)) {
		loss, err := strconv.ParseFloat(line, 64)
		if err != nil {
			panic(err)
		}
		all = append(all, engine.StepLoss{Step: i + 1, Loss: loss})
	}
	return all
}

func (s studio) row(step int) engine.GridRow {
	row := engine.GridRow{Step: step, WeightChange: madeChanges[step/100]}
	for i := range madePrompts {
		row.Pictures = append(row.Pictures, filepath.Join(s.made, strconv.Itoa(step), fmt.Sprintf("%02d.png", i+1)))
	}
	return row
}

// finished is the run as it lies in a project, done.
func (s studio) finished(project string) engine.Run {
	run := engine.Run{Dir: filepath.Join(project, "runs", "1"), Done: true, Step: madeSteps, Columns: madePrompts, Losses: s.losses(),
		Export: filepath.Join(project, "zorbit.safetensors"),
		Job: engine.Job{Method: "lora", Model: "builtin", Word: "zorbit", Class: "monster toy", Goal: "object", Steps: madeSteps, Guidance: 4, Out: project,
			Prompts: madePrompts}}
	for step := 0; step <= madeSteps; step += 100 {
		run.Rows = append(run.Rows, s.row(step))
	}
	last := run.Rows[len(run.Rows)-1].Pictures[0]
	run.Exported = engine.ExportEvent{Step: madeSteps, Path: run.Export, Size: 2_192_622, Trained: last, Through: last, Difference: 0.000015}
	return run
}

// compared is what each method made of the same pictures, as it was measured.
func (s studio) compared(project string) engine.Comparison {
	c := engine.Comparison{Request: engine.CompareRequest{Job: engine.Job{Word: "zorbit", Class: "monster toy", Out: filepath.Join(project, "compare")}},
		Page: filepath.Join(project, "compare", "compare.html"), Columns: madePrompts, Before: s.row(0).Pictures, ObeyedBefore: 0.95,
		Best: map[engine.Figure][]string{engine.FigureLikeness: {"pivotal"}, engine.FigureObeyed: {"pivotal"}, engine.FigureDrift: {"textual-inversion"},
			engine.FigureParameters: {"textual-inversion"}, engine.FigureFile: {"textual-inversion"}, engine.FigureSeconds: {"textual-inversion"},
			engine.FigureMemory: {"textual-inversion"}}}
	for i, m := range s.Methods() {
		costs, _ := s.Costs(context.Background(), "")
		pictures := s.row(madeSteps).Pictures
		if m.Name != "lora" {
			for k := range pictures {
				pictures[k] = filepath.Join(s.made, "compare", m.Name, filepath.Base(pictures[k]))
			}
		}
		c.Request.Methods = append(c.Request.Methods, m.Name)
		c.Rows = append(c.Rows, engine.Compared{Method: m.Name, Title: m.Title, Updates: m.Updates, Pictures: pictures,
			SecondsPerStep: []float64{0.392, 0.246, 0.351, 0.454, 0.220}[i], Obeyed: []float64{0.475, 0.332, 0.487, 0.792, 0.456}[i],
			Summary: engine.Summary{Steps: []int{300, 400, 400, 400, 400}[i], Seconds: []float64{118, 99, 140, 181, 88}[i],
				Parameters: costs[i].Parameters, FileBytes: costs[i].FileBytes, PeakMemory: []int64{1073e6, 384e6, 443e6, 434e6, 270e6}[i],
				LikenessBefore: 0.017, LikenessAfter: []float64{0.657, 0.535, 0.647, 0.813, 0.302}[i], LikenessOwn: 0.675,
				Drift: []float64{0.0919, 0.0614, 0.0458, 0.0783, 0}[i]}})
	}
	return c
}

// Train trains to madePause, and then waits for whom looks at a step, until it is cancelled: then it
// is done.
func (s studio) Train(ctx context.Context, job engine.Job, sink engine.Sink) (engine.Result, error) {
	smooth := 0.0
	sink(engine.Event{Kind: engine.KindGrid, Grid: &engine.GridEvent{Row: s.row(0), Columns: madePrompts}})
	for _, l := range s.losses()[:madePause] {
		if smooth += (l.Loss - smooth) / 20; l.Step == 1 {
			smooth = l.Loss
		}
		sink(engine.Event{Kind: engine.KindStep, Step: &engine.StepEvent{Step: l.Step, Steps: madeSteps, Loss: l.Loss, Smooth: smooth, Rate: 0.000415,
			SecondsPerStep: 0.343, SecondsLeft: 0.343 * float64(madeSteps-l.Step), Memory: 437_694_464}})
		if l.Step%100 == 0 {
			sink(engine.Event{Kind: engine.KindGrid, Grid: &engine.GridEvent{Row: s.row(l.Step), Columns: madePrompts}})
		}
	}
	for paused := false; ; {
		asked, pause, changed := job.Control.Take()
		if pause && !paused {
			sink(engine.Event{Kind: engine.KindPause, Pause: &engine.PauseEvent{Paused: true, Step: madePause}})
		}
		if paused = pause; asked.Look {
			sink(engine.Event{Kind: engine.KindView, View: s.view()})
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return engine.Result{Export: "zorbit.safetensors", Summary: engine.Summary{WeightChange: 0.1006}}, nil
		}
	}
}

// view is the step that the run in progress is at, from inside.
func (s studio) view() *engine.ViewEvent {
	at := func(name string) string { return filepath.Join(s.made, "view", name+".png") }
	return &engine.ViewEvent{Step: madePause + 1, Timestep: 472, Of: 1000, Caption: "a photo of a zorbit monster toy, close up, on a plain white background", Loss: 0.1841,
		Clean: at("clean"), Noised: at("noised"), Noise: at("noise"), Predicted: at("predicted"), Denoised: at("denoised"), Error: at("error")}
}

// Sample paints what the run painted: its first picture without a file, its last with one.
func (s studio) Sample(_ context.Context, req engine.SampleRequest, _ engine.Sink) ([]engine.Picture, error) {
	row := s.row(0)
	if len(req.Tuned) > 0 {
		row = s.row(madeSteps)
	}
	picture, err := os.ReadFile(row.Pictures[0])
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(req.Out), 0o777); err != nil {
		return nil, err
	}
	return []engine.Picture{{Path: req.Out, Prompt: req.Prompt}}, os.WriteFile(req.Out, picture, 0o666)
}
