package export_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/guitest"
	"easel/gui/project"
	"easel/gui/widgets"
)

func (e *fakeEngine) Merge(ctx context.Context, r engine.MergeRequest) (engine.MergeResult, error) {
	e.mu.Lock()
	e.merges = append(e.merges, r)
	err := e.err
	e.mu.Unlock()
	if r.Progress != nil {
		r.Progress(1, 4)
	}
	if strings.HasSuffix(r.Out, "slow") {
		<-ctx.Done()
		return engine.MergeResult{}, engine.Errorf("merge", "", engine.Cancelled, "stopped")
	}
	return engine.MergeResult{Path: r.Out, Tensors: 700, Changed: 190, Size: 4_200_000}, err
}

// outEntry is the field with the merged model's name.
func outEntry(t *testing.T, p *page) *widgets.Entry {
	t.Helper()
	for _, e := range guitest.Find[*widgets.Entry](p.window.Content()) {
		if strings.HasPrefix(e.Text, filepath.Join(p.project.Dir(), "builtin-zorbit")) {
			return e
		}
	}
	t.Fatal("there is no name for the merged model")
	return nil
}

func (p *page) says(text string) func() bool {
	return func() bool { return strings.Contains(guitest.Text(p.window.Content()), text) }
}

func TestALoRAIsMerged(t *testing.T) {
	p := newPage(t, "lora", "zorbit.safetensors")
	sliders := guitest.Find[*widget.Slider](p.window.Content())
	sliders[len(sliders)-1].SetValue(0.8)
	guitest.Tap(t, p.window.Content(), "Merge")
	p.queue.Until(t, "the model", p.says("190 of 700 tensors changed"))
	want := engine.TunedFile{Path: p.run.Export, Weight: 0.8}
	if r := p.eng.merges[0]; r.Model != "builtin" || r.LoRAs[0] != want || r.Replace || r.Out != filepath.Join(p.project.Dir(), "builtin-zorbit") {
		t.Errorf("asked for %+v", r)
	}
}

func TestAFileIsReplacedOnlyWhenAsked(t *testing.T) {
	p := newPage(t, "lora", "zorbit.safetensors")
	out := outEntry(t, p)
	out.SetText(filepath.Join(p.project.Dir(), "there.safetensors"))
	if err := os.WriteFile(out.Text, []byte("a model"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, answer := range []string{"Keep it", "Replace"} {
		guitest.Tap(t, p.window.Content(), "Merge")
		guitest.Tap(t, p.window.Canvas().Overlays().Top(), answer)
		if answer == "Keep it" && len(p.eng.merges) != 0 {
			t.Error("it is merged although the file shall be kept")
		}
	}
	p.queue.Until(t, "the model", p.says("is written"))
	if len(p.eng.merges) != 1 || !p.eng.merges[0].Replace {
		t.Errorf("asked for %+v", p.eng.merges)
	}
}

func TestAMergeIsStoppedAndItsErrorsAreSaid(t *testing.T) {
	p := newPage(t, "lora", "zorbit.safetensors")
	out := outEntry(t, p)
	out.SetText("slow")
	guitest.Tap(t, p.window.Content(), "Merge")
	guitest.Tap(t, p.window.Content(), "Stop")
	p.queue.Until(t, "the end", p.says("Stopped. Nothing was written"))
	out.SetText("other")
	p.eng.err = engine.Errorf("merge", "", engine.BadInput, "the LoRA is of another model")
	guitest.Tap(t, p.window.Content(), "Merge")
	p.queue.Until(t, "the error", p.says("the LoRA is of another model"))
	p.project.SetState(project.Training)
	if !guitest.Button(t, p.window.Content(), "Merge when training has ended").(*widgets.Steady).Disabled() {
		t.Error("one can merge while training")
	}
}
