package settings

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/post"
	"easel/gui/project"
	"easel/gui/speech"
	"easel/gui/theme"
	"easel/gui/widgets"
)

// builtin is the model that ships with Easel, as jobs name it.
const builtin = "builtin"

// library lists the models on this computer that can be trained. One of them is the open project's.
type library struct {
	object  *fyne.Container
	project *project.Project
	eng     engine.Engine
	post    post.Func
	home    string

	found  []engine.FileInfo
	status *widget.Label
	list   *fyne.Container
	cancel context.CancelFunc // of the search in progress; nil where there is none
}

func newLibrary(p *project.Project, eng engine.Engine, run post.Func) *library {
	l := &library{project: p, eng: eng, post: run, status: widgets.Quiet(""), list: container.NewVBox()}
	l.home, _ = os.UserHomeDir()
	l.object = container.NewVBox(l.status, l.list)
	shown := ""
	p.Edited.Listen(func(j engine.Job) {
		if now := p.Dir() + j.Model; now != shown {
			shown = now
			l.refresh()
		}
	})
	l.refresh()
	return l
}

// search looks for models, those of projects first. It returns at once.
func (l *library) search(projects string) {
	if l.cancel != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel, l.found = cancel, nil
	l.status.SetText(lang.L("Looking for models …"))
	models := post.NewBatch(l.post, 300*time.Millisecond, l.arrived)
	go func() { // off Fyne's goroutine until post
		err := l.eng.Models(ctx, l.usedIn(projects), func(m engine.FileInfo) { models.Put(modelNews{model: m}) })
		models.Put(modelNews{end: true, err: err})
	}()
}

// usedIn are the models of the projects in a folder. Any goroutine may call it.
func (l *library) usedIn(projects string) (models []string) {
	dirs, _ := os.ReadDir(projects)
	for _, dir := range dirs {
		if job, err := l.eng.Folder(filepath.Join(projects, dir.Name())).Job(); err == nil && job.Model != "" && job.Model != builtin {
			models = append(models, job.Model)
		}
	}
	return models
}

// modelNews is a model that was found, or the end of the search.
type modelNews struct {
	model engine.FileInfo
	end   bool
	err   error
}

func (l *library) arrived(news []modelNews) {
	for _, n := range news {
		if !n.end {
			l.found = append(l.found, n.model)
			continue
		}
		l.cancel = nil
		if l.status.SetText(lang.L("Models elsewhere: drop the file or folder onto the window.")); n.err != nil {
			l.status.SetText(speech.Error(n.err))
		}
	}
	slices.SortStableFunc(l.found, func(a, b engine.FileInfo) int {
		return strings.Compare(strings.ToLower(filepath.Base(a.Path)), strings.ToLower(filepath.Base(b.Path)))
	})
	l.refresh()
}

func (l *library) stop() {
	if l.cancel != nil {
		l.cancel()
	}
}

func (l *library) refresh() {
	l.list.RemoveAll()
	l.list.Add(l.row(lang.L("Built in"), lang.L("a small model that paints toys in a minute, to learn with"), builtin))
	for _, m := range l.found {
		about := []string{m.Kind, m.Base, gigabytes(m.Size), l.short(filepath.Dir(m.Path)), m.Note}
		about = slices.DeleteFunc(about, func(s string) bool { return s == "" })
		l.list.Add(l.row(filepath.Base(m.Path), strings.Join(about, " · "), m.Path))
	}
}

// short writes a path as one says it.
func (l *library) short(path string) string {
	if rest, ok := strings.CutPrefix(path, l.home+string(filepath.Separator)); ok && l.home != "" {
		return filepath.Join("~", rest)
	}
	return path
}

// row is a model with the button that makes it the open project's.
func (l *library) row(name, about, model string) fyne.CanvasObject {
	use := widgets.NewSteady(lang.L("Use"), nil, func() { l.project.Edit(func(j *engine.Job) { j.Model = model }) })
	switch {
	case l.project.Dir() == "":
		use.Disable()
	case l.project.Job().Model == model:
		use.SetText(lang.L("In use"))
		use.SetIcon(theme.Icon("check"))
		use.Disable()
	}
	title := widget.NewLabelWithStyle(name, fyne.TextAlignLeading, fyne.TextStyle{Bold: true})
	title.Truncation = fyne.TextTruncateEllipsis
	return container.NewBorder(nil, nil, nil, container.NewVBox(use), container.New(layout.NewCustomPaddedVBoxLayout(-theme.Near), title, widgets.Quiet(about)))
}

func gigabytes(bytes int64) string {
	if bytes < 1e8 {
		return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(bytes)/1e9)
}
