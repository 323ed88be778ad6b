package gui

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"easel/engine"
	"easel/gui/picker"
	"easel/gui/post"
	"easel/gui/project"
	"easel/gui/speech"
)

// Take takes in what the user has dropped, picked, pasted or named: pictures, folders, ZIP archives, a model, a captioner,
// or a project. It returns at once. Everything that comes from outside comes through here.
func (w *Window) Take(paths []string) {
	if len(paths) == 0 {
		return
	}
	go func() {
		if len(paths) == 1 && w.isProject(paths[0]) {
			w.post(func() { w.Open(paths[0]) })
			return
		}
		if path, kind, ok := w.captionerOf(paths); ok {
			w.post(func() { w.takeCaptioner(path, kind) })
			return
		}
		if about := w.partsOf(paths); about != "" {
			w.post(func() { w.tellParts(about) })
			return
		}
		w.post(func() { w.takeInto(paths) })
	}()
}

// isProject tells whether a path is a project's folder. Any goroutine may ask.
func (w *Window) isProject(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return false
	}
	_, err = w.eng.Folder(path).Job()
	return err == nil
}

// takeInto imports paths into the open project, or into a new one.
func (w *Window) takeInto(paths []string) {
	if dir := w.project.Dir(); dir != "" && !w.start.content.Visible() {
		w.tabs.SelectIndex(0)
		w.importInto(dir, paths)
		return
	}
	w.create(projectName(paths), engine.Job{}, nil, func(dir string) { w.importInto(dir, paths) })
}

// projectName is the name of a project made of paths: that of the folder they come from.
func projectName(paths []string) string {
	name := filepath.Base(paths[0])
	if info, err := os.Stat(paths[0]); err == nil && !info.IsDir() {
		if name = filepath.Base(filepath.Dir(paths[0])); len(paths) == 1 {
			name = strings.TrimSuffix(filepath.Base(paths[0]), filepath.Ext(paths[0]))
		}
	}
	if strings.Trim(name, `./\`) == "" {
		return "pictures"
	}
	return name
}

// create makes a project of a name that is free, has fill put files into its folder, opens it, and calls then.
func (w *Window) create(name string, job engine.Job, fill func(dir string) error, then func(dir string)) {
	if w.project.State().Busy() {
		w.fail(errBusy())
		return
	}
	projects := w.values.Projects
	job = w.withDefaults(job)
	job.Memory = w.values.Memory
	go func() {
		dir := freeFolder(projects, name)
		err := w.eng.Folder(dir).SaveJob(job)
		if err == nil && fill != nil {
			err = fill(dir)
		}
		w.post(func() {
			if err != nil {
				w.fail(err)
				return
			}
			w.load() // a project that is being read is not wanted any more
			w.project.Open(dir, job, engine.Run{})
			w.tabs.SelectIndex(0)
			then(dir)
		})
	}()
}

// freeFolder is a folder in parent that does not exist.
func freeFolder(parent, name string) string {
	dir := filepath.Join(parent, name)
	for n := 2; ; n++ {
		if _, err := os.Lstat(dir); err != nil {
			return dir
		}
		dir = filepath.Join(parent, fmt.Sprintf("%s-%d", name, n))
	}
}

// takenGap is between updates while files are copied.
const takenGap = 150 * time.Millisecond

// importInto copies what paths hold into the project of folder dir.
func (w *Window) importInto(dir string, paths []string) {
	var refused []string
	added := false
	batch := post.NewBatch(w.post, takenGap, func(all []taken) {
		if w.project.Dir() != dir {
			return // another project is open by now; the files are where they belong
		}
		more, not := w.taken(all)
		added, refused = added || more, append(refused, not...)
		if last := all[len(all)-1]; last.end {
			w.takenAll(added, refused, last.err)
		}
	})
	go func() {
		err := w.eng.Folder(dir).Import(w.ctx, paths, func(i engine.Imported) { batch.Put(taken{Imported: i}) })
		batch.Put(taken{end: true, err: err})
	}()
}

// taken is news of an import.
type taken struct {
	engine.Imported
	end bool // it was the last
	err error
}

// taken shows what came in, and returns whether pictures did and what was refused, for the end.
func (w *Window) taken(all []taken) (added bool, refused []string) {
	var names []string
	for _, t := range all {
		switch {
		case t.Name != "":
			names = append(names, t.Name)
		case t.Model != nil:
			w.takeModel(t.Source, *t.Model)
		case t.Why != "":
			refused = append(refused, fmt.Sprintf("%s: %s", t.Source, speech.Of(t.Why)))
		}
	}
	if len(names) > 0 {
		w.pictures.Added(names)
	}
	return len(names) > 0, refused
}

// takenAll ends an import.
func (w *Window) takenAll(added bool, refused []string, err error) {
	w.pictures.Refresh()
	late := ""
	if added {
		late = w.late()
	}
	switch {
	case err != nil:
		w.fail(err)
	case len(refused) > 0:
		text := lang.N("{{.Count}} files were not taken.", len(refused), map[string]any{"Count": len(refused)})
		w.notice.show(strings.TrimSpace(text+"\n"+late), refused)
	case late != "":
		w.notice.tell(late)
	}
}

// late says, once in a run, that pictures which came during it count for the next.
func (w *Window) late() string {
	if state := w.project.State(); w.lateSaid || !state.Busy() || state == project.Comparing {
		return ""
	}
	w.lateSaid = true
	return lang.L("The new pictures count for the next run. This one learns from those that it began with; if it is stopped, it can go on only when the new ones are taken out again.")
}

// Dropped takes what was dropped on the window, wherever. While a dialog asks something it is not taken.
func (w *Window) Dropped(_ fyne.Position, uris []fyne.URI) {
	if w.asks() {
		w.notice.show(lang.L("Answer the question first, then drop it again."), nil)
		return
	}
	var paths []string
	for _, u := range uris {
		paths = append(paths, u.Path())
	}
	w.Take(paths)
}

// paste takes the files that the clipboard names, as file managers put paths or file addresses there, a line each; or else the
// picture in it, as browsers copy one. While a dialog asks something they are not taken.
func (w *Window) paste() {
	if w.asks() {
		w.notice.show(lang.L("Answer the question first, then paste it again."), nil)
		return
	}
	var paths []string
	for line := range strings.Lines(w.app.Clipboard().Content()) {
		line = strings.TrimSpace(line)
		if u, err := url.Parse(line); err == nil && u.Scheme == "file" {
			line = u.Path
		}
		if filepath.IsAbs(line) {
			paths = append(paths, line)
		}
	}
	if len(paths) > 0 {
		w.Take(paths)
		return
	}
	go func() {
		path, err := w.pasted()
		w.post(func() {
			switch {
			case err != nil:
				w.fail(err)
			case path == "":
				w.notice.show(lang.L("The clipboard holds neither files nor a picture. Copy pictures in the file manager or the browser, then paste them here."), nil)
			default:
				w.Take([]string{path})
			}
		})
	}()
}

// pasted writes the clipboard's picture to a file of its own, which is removed when the window closes. Without a picture it
// returns no path.
func (w *Window) pasted() (path string, err error) {
	picture, err := w.clipboard(w.ctx)
	if err != nil || len(picture) == 0 {
		return "", err
	}
	dir, err := os.MkdirTemp("", "easel-pasted-")
	if err != nil {
		return "", err
	}
	context.AfterFunc(w.ctx, func() { os.RemoveAll(dir) })
	path = filepath.Join(dir, "pasted.png")
	return path, os.WriteFile(path, picture, 0o600)
}

// pick asks for pictures, archives, models or captioners.
func (w *Window) pick() {
	w.picker.Ask(picker.Question{Title: lang.L("Add pictures"), Many: true, Kind: lang.L("Pictures, archives and models"),
		Extensions: []string{".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".zip", ".safetensors", ".ckpt", ".bin", ".pt", ".pth"}}, w.Take)
}

// pickFolder asks for folders of pictures, or for that of a project.
func (w *Window) pickFolder() {
	w.picker.Ask(picker.Question{Title: lang.L("Add folder"), Folder: true, Many: true}, w.Take)
}

// choose asks for a project.
func (w *Window) choose() {
	w.picker.Ask(picker.Question{Title: lang.L("Open project"), Folder: true, Begin: w.values.Projects}, func(dirs []string) { w.Open(dirs[0]) })
}
