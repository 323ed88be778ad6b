// Package pictures is the page with the pictures that are trained on: which they are, how they are cut, and what is said
// about each.
package pictures

import (
	"context"
	"image"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/post"
	"easel/gui/project"
	"easel/gui/theme"
	"easel/gui/widgets"
)

// The gaps between updates of the page, and between writes of a caption while one types.
const (
	updateGap = 200 * time.Millisecond
	saveDelay = 300 * time.Millisecond
)

// Actions are what the page asks the window for.
type Actions struct {
	Pick, PickFolder func()      // add pictures, by a dialog
	Paste            func()      // add what the clipboard names
	Fail             func(error) // tell of an error

	Captioner      func() string // the path of the user's own captioner; "" where the usual one writes captions
	UsualCaptioner func()        // have the usual one write them again
}

// Page is the Pictures page.
type Page struct {
	project *project.Project
	eng     engine.Engine
	post    post.Func
	window  fyne.Window
	actions Actions

	album  *album
	undo   undoStack
	thumbs *thumbs
	saver  *saver
	typed  map[string]string  // captions that changed after the survey in progress began
	survey context.CancelFunc // of the survey in progress
	reread bool               // the editor is to show its caption anew when the survey ends
	round  int                // counts surveys, so that news of an old one are known as such

	ongoing fyne.CanvasObject // the dialog of captions that are being written

	grid    *grid
	editor  *editor
	bar     *bar
	empty   *widgets.Empty // in place of pictures
	content fyne.CanvasObject
}

// New makes the page. Dialogs appear in window.
func New(p *project.Project, eng engine.Engine, post post.Func, window fyne.Window, actions Actions) *Page {
	page := &Page{project: p, eng: eng, post: post, window: window, actions: actions, album: newAlbum(), thumbs: newThumbs(post), survey: func() {}}
	page.grid = newGrid(page)
	page.editor = newEditor(page)
	page.bar = newBar(page)
	page.empty = widgets.NewEmpty("pictures", lang.L("No pictures yet"), lang.L("Drop pictures, a folder or a ZIP archive onto this window."))
	pictures := container.NewStack(page.grid, page.empty)
	split := container.NewHSplit(container.NewBorder(page.bar.content, nil, nil, nil, pictures), page.editor.content)
	split.Offset = 0.66 // the buttons have one line at the usual width
	page.content = split
	p.Opened.Listen(func(*project.Project) { page.open() })
	p.Edited.Listen(page.jobEdited())
	p.StateChanged.Listen(func(project.State) { page.bar.update() })
	return page
}

// Content is what the page shows.
func (p *Page) Content() fyne.CanvasObject { return p.content }

// Focus has keys go to the pictures.
func (p *Page) Focus() { p.window.Canvas().Focus(p.grid) }

// Close ends what the page does in the background; captions are written first.
func (p *Page) Close() {
	p.survey()
	if p.saver != nil {
		p.saver.flush()
	}
}

// open shows another project's pictures.
func (p *Page) open() {
	folder := p.eng.Folder(p.project.Dir())
	p.saver = newSaver(saveDelay, folder.SaveCaption, func(err error) { p.post(func() { p.actions.Fail(err) }) })
	p.album, p.undo = newAlbum(), undoStack{}
	p.selectionChanged()
	p.Refresh()
}

// jobEdited looks at the pictures anew when what is trained changes their size, and at the caption when the word does.
func (p *Page) jobEdited() func(engine.Job) {
	var last engine.SurveyRequest
	return func(job engine.Job) {
		request := engine.SurveyRequest{Model: job.Model, Resolution: job.Resolution}
		if request != last && len(p.album.pictures) > 0 {
			p.Refresh()
		}
		last = request
		p.editor.check()
	}
}

// news is what a survey tells.
type news struct {
	info engine.PictureInfo
	all  map[string]int // at the end: the place of each name
	err  error
}

// Refresh looks at the project's pictures anew.
func (p *Page) Refresh() {
	p.survey()
	if p.project.Dir() == "" {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.survey = cancel
	p.round++
	p.typed = map[string]string{}
	saver := p.saver
	round, job, folder := p.round, p.project.Job(), p.eng.Folder(p.project.Dir())
	batch := post.NewBatch(p.post, updateGap, func(all []news) {
		if round == p.round {
			p.tell(all)
		}
	})
	go func() {
		saver.flush()
		all := map[string]int{}
		err := folder.Survey(ctx, engine.SurveyRequest{Model: job.Model, Resolution: job.Resolution}, func(info engine.PictureInfo) {
			all[info.Name] = info.Index
			batch.Put(news{info: info})
		})
		if engine.KindOf(err) != engine.Cancelled {
			batch.Put(news{all: all, err: err})
		}
	}()
}

// tell takes news of the survey in.
func (p *Page) tell(all []news) {
	var infos []engine.PictureInfo
	for _, n := range all {
		switch {
		case n.all == nil:
			if text, ok := p.typed[n.info.Name]; ok {
				n.info.Caption = text
			}
			infos = append(infos, n.info)
		case engine.KindOf(n.err) == engine.NotFound: // no folder yet: no pictures
		case n.err != nil:
			p.actions.Fail(n.err)
		default:
			p.album.put(infos)
			infos = nil
			p.album.arrange(n.all)
			if p.reread {
				p.reread = false
				p.editor.forget()
			}
		}
	}
	p.album.put(infos)
	p.changed()
	p.editor.showSelection()
	if len(p.album.selected) == 0 && len(p.album.pictures) > 0 && p.album.cursor == "" {
		p.album.only(p.album.pictures[0].Name) // so that the editor teaches what it does
		p.selectionChanged()
	}
}

// Added shows pictures that were copied in just now, before they are looked at.
func (p *Page) Added(names []string) {
	var infos []engine.PictureInfo
	for _, name := range names {
		infos = append(infos, engine.PictureInfo{Name: name, Pending: true, Index: len(p.album.pictures) + len(infos)})
	}
	p.album.put(infos)
	p.changed()
}

// changed shows the album as it is now.
func (p *Page) changed() {
	usable, _, _ := p.album.count()
	p.project.SetPictures(usable)
	p.bar.update()
	widgets.Show(p.empty, len(p.album.pictures) == 0)
	p.grid.Refresh()
}

// selectionChanged shows which pictures are selected now.
func (p *Page) selectionChanged() {
	p.editor.showSelection()
	p.bar.update()
	p.grid.Refresh()
}

// press is a press of the mouse on a picture.
func (p *Page) press(name string, modifier fyne.KeyModifier) {
	switch {
	case modifier&fyne.KeyModifierShift != 0:
		p.album.reach(name)
	case modifier&(fyne.KeyModifierControl|fyne.KeyModifierSuper) != 0:
		p.album.toggle(name)
	default:
		p.album.only(name)
	}
	p.Focus()
	p.selectionChanged()
}

// updateTile shows the picture at a place of the grid.
func (p *Page) updateTile(id widget.GridWrapItemID, object fyne.CanvasObject) {
	if id >= len(p.album.pictures) {
		return
	}
	info, t := p.album.pictures[id], object.(*tile)
	var pixels *image.RGBA
	if info.Thumbnail != "" {
		pixels = p.thumbs.get(source{info.Thumbnail, tilePixels(p.window.Canvas().Scale())}, func(pixels *image.RGBA) {
			if t.name == info.Name { // the tile may show another picture by now
				t.setPixels(pixels)
			}
		})
	}
	t.show(info, pixels, p.album.selected[info.Name], p.grid.focused && p.album.cursor == info.Name)
}

// Shortcut does what a shortcut asks for; false where it is none of the page's.
func (p *Page) Shortcut(s fyne.Shortcut) bool {
	switch s.(type) {
	case *fyne.ShortcutSelectAll:
		p.album.all()
		p.selectionChanged()
	case *fyne.ShortcutUndo:
		p.undoLast()
	case *fyne.ShortcutPaste:
		p.actions.Paste()
	default:
		return false
	}
	return true
}

// nextAttention selects the next picture that wants a look.
func (p *Page) nextAttention() {
	if name := p.album.nextAttention(); name != "" {
		p.album.only(name)
		p.grid.ScrollTo(p.album.place(name))
		p.Focus()
		p.selectionChanged()
	}
}

// removeSelected moves the selected pictures out of the project.
func (p *Page) removeSelected() {
	names := p.album.chosen()
	if len(names) == 0 {
		return
	}
	saver, folder := p.saver, p.eng.Folder(p.project.Dir())
	go func() {
		saver.flush() // or a caption would come back alone
		err := folder.Remove(names)
		p.post(func() {
			if err != nil {
				p.actions.Fail(err)
				p.Refresh()
				return
			}
			p.album.drop(names)
			p.undo.push(lang.N("Removed {{.Count}} pictures", len(names), map[string]any{"Count": len(names)}), func() error { return folder.Restore(names) })
			p.changed()
			p.selectionChanged()
		})
	}()
}

// undoLast takes the last change back.
func (p *Page) undoLast() {
	step, ok := p.undo.pop()
	if !ok {
		return
	}
	saver := p.saver
	go func() {
		saver.flush()
		err := step.undo()
		p.post(func() {
			if err != nil {
				p.actions.Fail(err)
			}
			p.Refresh()
			p.reread = true
		})
	}()
}

// spaced leaves the page's usual distance around an object.
func spaced(o fyne.CanvasObject) fyne.CanvasObject {
	return container.New(layoutPadding(theme.Near), o)
}
