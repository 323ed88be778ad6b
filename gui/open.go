package gui

import (
	"context"
	"errors"
	"fmt"
	"log"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"easel/engine"
)

// Open reads the project folder dir and shows it. It returns at once; a project that is still being read is given up.
func (w *Window) Open(dir string) {
	w.load()
	ctx, cancel := context.WithCancel(w.ctx)
	w.load = cancel
	go func() { // off Fyne's goroutine until post
		job, run, err := w.read(ctx, dir)
		w.post(func() {
			switch {
			case ctx.Err() != nil: // another project was opened meanwhile
			case engine.KindOf(err) == engine.NotFound: // in the engine's words it is the command line's
				log.Println(err)
				w.notice.show(fmt.Sprintf(lang.L("%s is no project of Easel's. Those are in %s, unless they were moved."), dir, w.values.Projects), nil)
			case err != nil:
				w.fail(err)
			default:
				w.show(dir, job, run)
			}
		})
	}()
}

// show opens a project that was read. The command line trains on pictures wherever they are; here they are the project's
// own, so those of such a run are copied in once.
func (w *Window) show(dir string, job engine.Job, run engine.Run) {
	if w.project.State().Busy() { // what runs would go on unseen
		w.fail(errBusy())
		return
	}
	elsewhere := job.Images
	job.Images = ""
	w.project.Open(dir, job, run)
	w.tabs.SelectIndex(0)
	if run.Dir != "" { // what was trained, and whether it can go on
		w.tabs.SelectIndex(trainTab)
	}
	if elsewhere != "" && elsewhere != w.project.Images() {
		w.importInto(dir, []string{elsewhere})
	}
}

func errBusy() error {
	return errors.New(lang.L("Easel is busy with the open project. Stop that first, then open another."))
}

// read reads a project: what its next run is to do, and its newest run, where there is one. Any goroutine may call it.
func (w *Window) read(ctx context.Context, dir string) (engine.Job, engine.Run, error) {
	job, err := w.eng.Folder(dir).Job()
	if err != nil {
		return job, engine.Run{}, err
	}
	run, err := w.eng.OpenRun(ctx, dir)
	if engine.KindOf(err) == engine.NotFound {
		return w.withDefaults(job), engine.Run{}, nil
	}
	return w.withDefaults(job), run, err
}

// withDefaults fills in what a new project begins with.
func (w *Window) withDefaults(job engine.Job) engine.Job {
	if job.Model == "" {
		job.Model = "builtin"
	}
	if job.Method == "" {
		job.Method = "lora" // what the command line begins with too: it suits most subjects
	}
	return job
}

// The projects that were open last, the newest first.
const (
	keyRecent = "recent"
	recents   = 6
)

func remember(p fyne.Preferences, dir string) {
	list := slices.DeleteFunc(p.StringList(keyRecent), func(d string) bool { return d == dir })
	list = append([]string{dir}, list...)
	p.SetStringList(keyRecent, list[:min(len(list), recents)])
}

func remembered(p fyne.Preferences) []string { return p.StringList(keyRecent) }
