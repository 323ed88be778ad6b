package export_test

import (
	"context"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/export"
	"easel/gui/guitest"
	"easel/gui/project"
	"easel/gui/theme"
	"easel/gui/widgets"
)

// fakeEngine paints one colour without a file and another with one.
type fakeEngine struct {
	engine.Engine
	t    *testing.T
	mu   sync.Mutex
	asks []engine.SampleRequest
	err  error

	merges []engine.MergeRequest
}

func (e *fakeEngine) Methods() []engine.MethodInfo {
	return []engine.MethodInfo{{Name: "lora", Element: engine.InsertedLayers}, {Name: "ti", Element: engine.WordEmbedding}, {Name: "db", Element: engine.Weights}}
}

func (e *fakeEngine) Sample(_ context.Context, r engine.SampleRequest, sink engine.Sink) ([]engine.Picture, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asks = append(e.asks, r)
	sink(engine.Event{Kind: engine.KindSampling, Sampling: &engine.SamplingEvent{Step: 10, Steps: 20}})
	c := color.NRGBA{200, 40, 40, 255}
	if len(r.Tuned) > 0 {
		c = color.NRGBA{40, 200, 40, 255}
	}
	if e.err == nil {
		guitest.Picture(e.t, filepath.Dir(r.Out), filepath.Base(r.Out), 64, c)
	}
	return nil, e.err
}

type page struct {
	t       *testing.T
	eng     *fakeEngine
	queue   guitest.Queue
	project *project.Project
	window  fyne.Window
	run     engine.Run
}

func newPage(t *testing.T, method, file string) *page {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.Theme{Variant: theme.Light})
	p := &page{t: t, eng: &fakeEngine{t: t}, queue: guitest.NewQueue(), project: project.New()}
	p.window = test.NewTempWindow(t, widget.NewLabel(""))
	e := export.New(p.eng, p.project, p.queue.Post, p.window)
	p.window.SetContent(e.Content())
	p.window.Resize(fyne.NewSize(1000, 700))
	dir := t.TempDir()
	job := engine.Job{Method: method, Model: "builtin", Word: "zorbit", Class: "toy", Guidance: 4}
	p.project.Open(dir, job, engine.Run{})
	guitest.WantText(t, p.window.Content(), "No file yet")
	trained, through := guitest.Picture(t, dir, "a.png", 64, color.NRGBA{200, 100, 60, 255}), guitest.Picture(t, dir, "b.png", 64, color.NRGBA{201, 101, 60, 255})
	p.run = engine.Run{Dir: filepath.Join(dir, "runs", "1"), Job: job, Done: true, Step: 400, Export: filepath.Join(dir, file)}
	p.run.Exported = engine.ExportEvent{Step: 400, Path: p.run.Export, Size: 3_200_000, Trained: trained, Through: through, Difference: 0.0012}
	p.project.SetRun(p.run)
	return p
}

func TestTheFileIsShownWithHowToUseIt(t *testing.T) {
	for _, c := range []struct {
		method, file string
		wants        []string
	}{
		{"lora", "zorbit.safetensors", []string{"models/Lora", "a photo of a zorbit toy <lora:zorbit:1>", "models/loras", "load_lora_weights"}},
		{"ti", "zorbit.safetensors", []string{"embeddings", "a photo of a embedding:zorbit toy", "load_textual_inversion", `token="zorbit"`}},
		{"db", "zorbit.safetensors", []string{"models/Stable-diffusion", "models/checkpoints", "from_single_file"}},
	} {
		t.Run(c.method, func(t *testing.T) {
			p := newPage(t, c.method, c.file)
			guitest.WantText(t, p.window.Content(), append(c.wants, "zorbit.safetensors", filepath.Dir(p.run.Export), "3.2 MB", "step 400", "0.12 %")...)
		})
	}
}

func TestTextsAreCopied(t *testing.T) {
	p := newPage(t, "lora", "zorbit.safetensors")
	guitest.Tap(t, p.window.Content(), "Copy path")
	if got := fyne.CurrentApp().Clipboard().Content(); got != p.run.Export {
		t.Errorf("copied %q", got)
	}
	guitest.Tap(t, p.window.Content(), "Copy")
	if got := fyne.CurrentApp().Clipboard().Content(); got != "a photo of a zorbit toy <lora:zorbit:1>" {
		t.Errorf("copied %q", got)
	}
}

func TestThePlaygroundPaintsWithAndWithoutTheFile(t *testing.T) {
	p := newPage(t, "lora", "zorbit.safetensors")
	guitest.Find[*widget.Slider](p.window.Content())[0].SetValue(0.7)
	guitest.Tap(t, p.window.Content(), "Paint")
	compare := guitest.Find[*widgets.Compare](p.window.Content())[0]
	p.queue.Until(t, "the pictures", func() bool { return compare.Shown() != nil })
	if len(p.eng.asks) != 2 || len(p.eng.asks[0].Tuned) != 0 || len(p.eng.asks[1].Tuned) != 1 {
		t.Fatalf("asked for %+v", p.eng.asks)
	}
	a, b := p.eng.asks[0], p.eng.asks[1]
	if b.Tuned[0] != (engine.TunedFile{Path: p.run.Export, Weight: 0.7}) || a.Seed != b.Seed || a.Prompt != "a photo of a zorbit toy" || a.Guidance != 4 || a.Steps != 20 {
		t.Errorf("asked for %+v and %+v", a, b)
	}
	shown := compare.Shown()
	if left, right := shown.RGBAAt(10, 380), shown.RGBAAt(750, 380); left.R < left.G || right.R > right.G {
		t.Errorf("left is %v, right %v", left, right)
	}
	for i, v := range []theme.Variant{theme.Light, theme.Dark} {
		fyne.CurrentApp().Settings().SetTheme(theme.Theme{Variant: v})
		for range 20 {
			select {
			case f := <-p.queue:
				f()
			case <-time.After(5 * time.Millisecond):
			}
		}
		guitest.Capture(t, p.window, fmt.Sprintf("export-%d", i))
	}
}

func TestMistakesInThePlaygroundAreSaid(t *testing.T) {
	p := newPage(t, "lora", "zorbit.safetensors")
	entries := guitest.Find[*widgets.Entry](p.window.Content())
	entries[2].SetText("many")
	guitest.Tap(t, p.window.Content(), "Paint")
	guitest.WantText(t, p.window.Content(), "steps must be a whole number")
	entries[2].SetText("5")
	p.eng.err = engine.Errorf("render", "", engine.BadFile, "the file is damaged")
	guitest.Tap(t, p.window.Content(), "Paint")
	p.queue.Until(t, "the error", func() bool { return strings.Contains(guitest.Text(p.window.Content()), "the file is damaged") })
	if entries, err := os.ReadDir(filepath.Join(p.project.Dir(), "playground")); err == nil && len(entries) > 0 {
		t.Errorf("a failed painting left %v", entries)
	}
}

func TestNothingIsPaintedWhileTraining(t *testing.T) {
	p := newPage(t, "lora", "zorbit.safetensors")
	p.project.SetState(project.Training)
	button := guitest.Button(t, p.window.Content(), "Paint when training has ended")
	if !button.(*widgets.Steady).Disabled() {
		t.Error("the button can be pressed")
	}
}
