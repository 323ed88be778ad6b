package export

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/post"
	"easel/gui/project"
	"easel/gui/speech"
	"easel/gui/terms"
	"easel/gui/theme"
	"easel/gui/widgets"
)

// playground paints a prompt with the base model and with the trained file, from the same noise.
type playground struct {
	object  fyne.CanvasObject
	eng     engine.Engine
	project *project.Project
	post    post.Func
	run     engine.Run

	prompt, negative      *widgets.Entry
	steps, guidance, seed *widgets.Entry
	sampler               *widget.Select
	weight                *widget.Slider
	weightText            *widget.Label
	paint                 *widgets.Steady
	progress              *widget.ProgressBar
	problem               *widget.Label
	compare               *widgets.Compare
	cancel                context.CancelFunc // of the painting in progress; nil where there is none
}

// samplers by their names in a SampleRequest.
var samplers = []string{"dpmpp_2m", "dpmpp_2m_karras", "ddim", "euler", "euler_karras", "euler_a"}

const playgroundSide = 768 // pixels, at most

func newPlayground(eng engine.Engine, p *project.Project, run post.Func) *playground {
	g := &playground{eng: eng, project: p, post: run, prompt: widgets.NewEntry(false), negative: widgets.NewEntry(false), steps: widgets.NewEntry(false), guidance: widgets.NewEntry(false),
		seed: widgets.NewEntry(false), sampler: widget.NewSelect(samplers, nil), weight: widget.NewSlider(0, 1.5), weightText: widget.NewLabel(""),
		progress: widget.NewProgressBar(), problem: widgets.Wrapped(""), compare: widgets.NewCompare(lang.L("base model"), lang.L("yours"))}
	g.negative.SetPlaceHolder(lang.L("what should not be in it"))
	g.steps.SetText("20")
	g.seed.SetText("1")
	g.sampler.SetSelected(samplers[0])
	g.weight.Step = 0.05
	g.weight.OnChanged = func(v float64) { g.weightText.SetText(fmt.Sprintf("%.2f", v)) }
	g.weight.SetValue(1)
	g.paint = widgets.NewSteady(lang.L("Paint"), fynetheme.MediaPlayIcon(), g.press)
	g.paint.Importance = widget.HighImportance
	g.problem.Importance = widget.DangerImportance
	g.problem.Hide()
	g.progress.Hide()
	cell := func(name string, o fyne.CanvasObject) fyne.CanvasObject {
		return container.NewVBox(terms.Explain(widgets.Caption(name), name), o)
	}
	numbers := container.NewGridWithColumns(2, cell(lang.L("Sampler"), g.sampler), cell(lang.L("Steps"), g.steps),
		cell(lang.L("Guidance (CFG)"), g.guidance), cell(lang.L("Seed"), g.seed))
	controls := container.NewVBox(cell(lang.L("Prompt"), g.prompt), cell(lang.L("Negative prompt"), g.negative), numbers,
		cell(lang.L("Weight of your file"), container.NewBorder(nil, nil, nil, g.weightText, g.weight)), g.paint, g.progress, g.problem)
	none := widget.NewIcon(theme.ColoredIcon("pictures", fynetheme.ColorNameDisabled)) // below the pictures, until there are some
	picture := container.NewStack(widgets.Card(container.NewCenter(container.NewGridWrap(fyne.NewSquareSize(48), none))), g.compare)
	g.object = container.NewGridWithColumns(2, controls, container.NewPadded(picture))
	return g
}

// open begins with a run's subject.
func (g *playground) open(run engine.Run) {
	if run.Dir != g.run.Dir || g.prompt.Text == "" {
		g.prompt.SetText(strings.TrimSpace("a photo of a " + strings.TrimSpace(run.Job.Word+" "+run.Job.Class)))
		g.guidance.SetText(strconv.FormatFloat(run.Job.Guidance, 'g', -1, 64))
		g.compare.SetPictures(nil, nil)
	}
	g.run = run
	g.refresh()
}

// refresh lets paint what the engine can paint now: it does one thing at a time.
func (g *playground) refresh() {
	switch {
	case g.cancel != nil:
		g.paint.SetText(lang.L("Stop"))
		g.paint.Enable()
	case g.project.State().Busy():
		g.paint.SetText(lang.L("Paint when training has ended"))
		g.paint.Disable()
	default:
		g.paint.SetText(lang.L("Paint"))
		g.paint.Enable()
	}
}

// press paints, or stops it.
func (g *playground) press() {
	if g.cancel != nil {
		g.stop()
		return
	}
	request, err := g.request()
	if err != nil {
		g.fail(err)
		return
	}
	g.start(request)
}

func (g *playground) stop() {
	if g.cancel != nil {
		g.cancel()
	}
}

// request reads the fields.
func (g *playground) request() (engine.SampleRequest, error) {
	job := g.run.Job
	r := engine.SampleRequest{Model: job.Model, VAE: job.VAE, Prediction: job.Prediction, Prompt: g.prompt.Text, Negative: g.negative.Text, Sampler: g.sampler.Selected, DType: job.DType}
	var err error
	if r.Steps, err = strconv.Atoi(strings.TrimSpace(g.steps.Text)); err != nil || r.Steps < 1 || r.Steps > 1000 {
		return r, errors.New(lang.L("steps must be a whole number from 1 to 1000"))
	}
	if r.Seed, err = strconv.ParseUint(strings.TrimSpace(g.seed.Text), 10, 63); err != nil {
		return r, errors.New(lang.L("the seed must be a whole number from 0"))
	}
	if r.Guidance, err = strconv.ParseFloat(strings.ReplaceAll(strings.TrimSpace(g.guidance.Text), ",", "."), 64); err != nil || r.Guidance < 0 {
		return r, errors.New(lang.L("guidance must be a number, as 7.5"))
	}
	return r, nil
}

// start paints both pictures. The engine answers on a goroutine of its own.
func (g *playground) start(request engine.SampleRequest) {
	ctx, cancel := context.WithCancel(context.Background())
	g.cancel = cancel
	g.problem.Hide()
	g.progress.SetValue(0)
	g.progress.Show()
	g.refresh()
	stem := filepath.Join(g.project.Dir(), "playground", time.Now().Format("2006-01-02T15-04-05.000"))
	tuned := request
	tuned.Tuned = []engine.TunedFile{{Path: g.run.Export, Weight: math.Round(100*g.weight.Value) / 100}}
	request.Out, tuned.Out = stem+"-base.png", stem+".png"
	shares := post.NewBatch(g.post, 300*time.Millisecond, func(done []float64) { g.progress.SetValue(done[len(done)-1]) })
	go func() { // off Fyne's goroutine until post
		defer cancel()
		var pictures [2]image.Image
		var err error
		for i, r := range []engine.SampleRequest{request, tuned} {
			_, err = g.eng.Sample(ctx, r, func(e engine.Event) {
				if e.Sampling != nil {
					shares.Put((float64(i) + float64(e.Sampling.Step)/float64(max(e.Sampling.Steps, 1))) / 2)
				}
			})
			if err != nil {
				break
			}
			if pictures[i], err = widgets.ReadPicture(r.Out, playgroundSide); err != nil {
				break
			}
		}
		g.post(func() { g.painted(pictures, err) })
	}()
}

func (g *playground) painted(pictures [2]image.Image, err error) {
	g.cancel = nil
	g.progress.Hide()
	g.refresh()
	switch {
	case engine.KindOf(err) == engine.Cancelled:
	case err != nil:
		g.fail(err)
	default:
		g.compare.SetPictures(pictures[0], pictures[1])
	}
}

func (g *playground) fail(err error) {
	g.problem.SetText(speech.Error(err))
	g.problem.Show()
}
