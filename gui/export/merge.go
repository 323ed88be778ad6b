package export

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/picker"
	"easel/gui/post"
	"easel/gui/project"
	"easel/gui/speech"
	"easel/gui/widgets"
)

// merge writes a model that has a LoRA in its weights, for programs that load no LoRA.
type merge struct {
	object  fyne.CanvasObject
	eng     engine.Engine
	project *project.Project
	post    post.Func
	window  fyne.Window
	picker  *picker.Picker
	run     engine.Run

	lora, out  *widgets.Entry
	weight     *widget.Slider
	weightText *widget.Label
	start      *widgets.Steady
	progress   *widget.ProgressBar
	said       *widget.Label
	cancel     context.CancelFunc // of the merge in progress; nil where there is none
}

func newMerge(eng engine.Engine, p *project.Project, run post.Func, window fyne.Window) *merge {
	m := &merge{eng: eng, project: p, post: run, window: window, lora: widgets.NewEntry(false), out: widgets.NewEntry(false), weight: widget.NewSlider(-1, 2),
		weightText: widget.NewLabel(""), progress: widget.NewProgressBar(), said: widgets.Wrapped("")}
	m.picker = picker.New(window, run)
	m.weight.Step = 0.05
	m.weight.OnChanged = func(v float64) { m.weightText.SetText(fmt.Sprintf("%.2f", v)) }
	m.weight.SetValue(1)
	m.start = widgets.NewSteady(lang.L("Merge"), fynetheme.DocumentSaveIcon(), m.press)
	m.progress.Hide()
	m.said.Hide()
	pick := widgets.NewSteady(lang.L("Choose"), fynetheme.FolderOpenIcon(), m.pick)
	cell := func(name string, o fyne.CanvasObject) fyne.CanvasObject {
		return container.NewVBox(widgets.Caption(name), o)
	}
	m.object = container.NewVBox(
		widgets.Wrapped(lang.L("A LoRA can be added to the weights of the base model for good. The result is a whole model, as large as the base model.")),
		container.NewGridWithColumns(2,
			cell(lang.L("LoRA file"), container.NewBorder(nil, nil, nil, pick, m.lora)),
			cell(lang.L("Its weight"), container.NewBorder(nil, nil, nil, m.weightText, m.weight))),
		cell(lang.L("Write the model to"), m.out),
		container.NewHBox(m.start), m.progress, m.said)
	return m
}

// open begins with what a run exported.
func (m *merge) open(run engine.Run) {
	if run.Export != m.run.Export || m.lora.Text == "" {
		m.take(run.Job.Model, run.Export)
	}
	m.run = run
	m.refresh()
}

// take fills in a file, and a name for what becomes of it: a folder where the model is one.
func (m *merge) take(model, lora string) {
	stem := func(path string) string { return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)) }
	name := stem(model) + "-" + stem(lora)
	if stat, err := os.Stat(model); err == nil && !stat.IsDir() {
		name += ".safetensors"
	}
	m.lora.SetText(lora)
	m.out.SetText(filepath.Join(m.project.Dir(), name))
}

func (m *merge) pick() {
	m.picker.Ask(picker.Question{Title: lang.L("LoRA file"), Kind: lang.L("LoRA files"), Extensions: []string{".safetensors", ".pt", ".ckpt", ".bin"}},
		func(paths []string) { m.take(m.run.Job.Model, paths[0]) })
}

// refresh lets merge what the engine can merge now: it does one thing at a time.
func (m *merge) refresh() {
	m.start.SetText(lang.L("Merge"))
	switch {
	case m.cancel != nil:
		m.start.SetText(lang.L("Stop"))
		m.start.Enable()
	case m.project.State().Busy():
		m.start.SetText(lang.L("Merge when training has ended"))
		m.start.Disable()
	default:
		m.start.Enable()
	}
}

// press merges, or stops it. A file that is there already is replaced only after a question.
func (m *merge) press() {
	if m.cancel != nil {
		m.cancel()
		return
	}
	r := engine.MergeRequest{Model: m.run.Job.Model, Out: strings.TrimSpace(m.out.Text),
		LoRAs: []engine.TunedFile{{Path: strings.TrimSpace(m.lora.Text), Weight: math.Round(100*m.weight.Value) / 100}}}
	if !filepath.IsAbs(r.Out) {
		r.Out = filepath.Join(m.project.Dir(), r.Out)
	}
	if stat, err := os.Stat(r.Out); err != nil || stat.IsDir() { // the engine refuses what it must not replace
		m.begin(r)
		return
	}
	ask := dialog.NewConfirm(lang.L("Replace the file?"), fmt.Sprintf(lang.L("%s is there already. What it holds will be gone."), r.Out), func(yes bool) {
		if r.Replace = yes; yes {
			m.begin(r)
		}
	}, m.window)
	ask.SetConfirmText(lang.L("Replace"))
	ask.SetDismissText(lang.L("Keep it"))
	ask.Show()
}

// begin merges. The engine answers on a goroutine of its own.
func (m *merge) begin(r engine.MergeRequest) {
	ctx, cancel := context.WithCancel(context.Background())
	m.cancel = cancel
	m.said.Hide()
	m.progress.SetValue(0)
	m.progress.Show()
	m.refresh()
	shares := post.NewBatch(m.post, 300*time.Millisecond, func(done []float64) { m.progress.SetValue(done[len(done)-1]) })
	r.Progress = func(done, all int) { shares.Put(float64(done) / float64(max(all, 1))) }
	go func() { // off Fyne's goroutine until post
		defer cancel()
		result, err := m.eng.Merge(ctx, r)
		m.post(func() { m.merged(result, err) })
	}()
}

func (m *merge) merged(result engine.MergeResult, err error) {
	m.cancel = nil
	m.progress.Hide()
	m.refresh()
	switch {
	case engine.KindOf(err) == engine.Cancelled:
		m.say(lang.L("Stopped. Nothing was written."), widget.MediumImportance)
	case err != nil:
		m.say(speech.Error(err), widget.DangerImportance)
	default:
		m.say(fmt.Sprintf(lang.L("%s is written: %.1f MB, %d of %d tensors changed."), result.Path, float64(result.Size)/1e6, result.Changed, result.Tensors), widget.SuccessImportance)
	}
}

func (m *merge) say(text string, importance widget.Importance) {
	m.said.Importance = importance
	m.said.SetText(text)
	m.said.Show()
}

func (m *merge) stop() {
	if m.cancel != nil {
		m.cancel()
	}
}
