package settings

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"easel/engine"
)

// createReport writes a report beside the projects, and tells where.
func (p *Page) createReport() {
	values, job, run, device := p.values, p.project.Job(), p.project.Run(), p.eng.Device()
	version := fyne.CurrentApp().Metadata().Version
	go func() {
		home, _ := os.UserHomeDir()
		text := reportOf(version, device, values, job, run, home, logged.text())
		path := filepath.Join(values.Projects, "easel-report-"+time.Now().Format("2006-01-02-150405")+".txt")
		err := os.MkdirAll(values.Projects, 0o777)
		if err == nil {
			err = os.WriteFile(path, []byte(text), 0o666)
		}
		p.post(func() {
			if err != nil {
				p.report.SetText(fmt.Sprintf(lang.L("The report could not be written: %v"), err))
				return
			}
			p.report.SetText(fmt.Sprintf(lang.L("The report is %s. Read it, then send it with your question."), path))
		})
	}()
}

// reportOf is a report's text. What the user has written, the words, the class and prompts, is left out, also of the log, and
// home with it.
func reportOf(version string, device engine.Device, values Values, job engine.Job, run engine.Run, home, log string) string {
	private, job := written(job)
	var b strings.Builder
	fmt.Fprintf(&b, "Easel %s, %s, %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if strings.HasPrefix(s.Key, "vcs.") {
				fmt.Fprintf(&b, "%s %s\n", s.Key, s.Value)
			}
		}
	}
	section := func(name string, value any) {
		text, err := json.MarshalIndent(value, "", "  ")
		if err != nil {
			text = []byte(err.Error())
		}
		fmt.Fprintf(&b, "\n%s\n%s\n", name, text)
	}
	section("Device", device)
	section("Settings", values)
	section("Job", job)
	fmt.Fprintf(&b, "\nNewest run\nstep %d of %d, done %v, %d rows, %d losses\n", run.Step, run.Job.Steps, run.Done, len(run.Rows), len(run.Losses))
	if n := len(run.Losses); n > 0 {
		fmt.Fprintf(&b, "last loss %g\n", run.Losses[n-1].Loss)
	}
	for _, text := range private {
		if text != "" {
			log = strings.ReplaceAll(log, text, hidden(text))
		}
	}
	fmt.Fprintf(&b, "\nLog\n%s\n", cmp.Or(log, "(nothing was logged since the start)"))
	text := b.String()
	if home != "" {
		text = strings.ReplaceAll(text, home, "~")
	}
	return text
}

// written takes what the user has written out of a job.
func written(job engine.Job) (private []string, rest engine.Job) {
	private = slices.Concat([]string{job.Word, job.Class, job.Prior.Prompt}, job.Prompts, job.Captions.Templates)
	job.Word, job.Class, job.Prior.Prompt, job.Prompts, job.Captions.Templates = hidden(job.Word), hidden(job.Class), hidden(job.Prior.Prompt), nil, nil
	job.Settings = maps.Clone(job.Settings)
	for _, name := range []string{"init", "words"} { // those of Textual Inversion hold words
		if text := job.Settings[name]; text != "" {
			private, job.Settings[name] = append(private, text), hidden(text)
		}
	}
	return private, job
}

func hidden(text string) string {
	if text == "" {
		return ""
	}
	return fmt.Sprintf("(%d characters)", len([]rune(text)))
}
