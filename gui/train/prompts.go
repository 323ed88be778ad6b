package train

import (
	"fmt"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/widgets"
)

// addPrompt adds a column to the run, or to the next one where none is on.
func (t *Page) addPrompt(prompt string) {
	if t.runner.control != nil {
		t.runner.control.AddPrompt(prompt)
		return
	}
	t.project.Edit(func(j *engine.Job) { j.Prompts = append(t.prompts(*j), prompt) })
	t.nextTime(prompt)
}

// askPrompt asks for another prompt of a column.
func (t *Page) askPrompt(column int) {
	old := t.watch.columns[column]
	entry := widgets.NewEntry(true)
	entry.SetText(old)
	ask := dialog.NewForm(lang.L("Watch another prompt"), lang.L("Change"), lang.L("Leave it"), []*widget.FormItem{{Text: lang.L("Prompt"), Widget: entry,
		HintText: lang.L("The column begins anew with this prompt: before training, and now.")}}, func(yes bool) {
		if text := strings.TrimSpace(entry.Text); yes && text != "" && text != old {
			t.changePrompt(column, text)
		}
	}, t.window)
	ask.Resize(fyne.NewSize(520, 260))
	ask.Show()
	t.window.Canvas().Focus(entry)
}

// changePrompt gives a column of the run another prompt, or one of the next run where none is on.
func (t *Page) changePrompt(column int, prompt string) {
	if t.runner.control != nil {
		t.runner.control.ChangePrompt(column, prompt)
		return
	}
	t.project.Edit(func(j *engine.Job) {
		j.Prompts = t.prompts(*j)
		j.Prompts[column] = prompt
	})
	t.nextTime(prompt)
}

// prompts are those of the next run: the job's, which may be the model's own, and what was added while the newest trained.
func (t *Page) prompts(job engine.Job) []string {
	prompts := append([]string(nil), job.Prompts...)
	if len(prompts) == 0 {
		prompts = append(prompts, t.project.Run().Job.Prompts...)
	}
	if n := len(prompts); n < len(t.watch.columns) {
		prompts = append(prompts, t.watch.columns[n:]...)
	}
	return prompts
}

func (t *Page) nextTime(prompt string) {
	t.banner.say(theme.InfoIcon(), fmt.Sprintf(lang.L("The next run watches “%s”."), prompt))
}
