package gui

import (
	"context"
	"log"
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/awake"
	"easel/gui/clipboard"
	"easel/gui/compare"
	"easel/gui/export"
	"easel/gui/method"
	"easel/gui/picker"
	"easel/gui/pictures"
	"easel/gui/post"
	"easel/gui/project"
	"easel/gui/settings"
	"easel/gui/speech"
	"easel/gui/terms"
	"easel/gui/theme"
	"easel/gui/train"
	"easel/gui/widgets"
	"easel/icons"
)

// Window is Easel's window: pages at the left, the toolbar above.
type Window struct {
	// Closing is called before the user's closing the window ends Fyne; it may be nil.
	Closing func()

	app     fyne.App
	window  fyne.Window
	eng     engine.Engine
	post    post.Func
	project *project.Project
	values  settings.Values

	clipboard func(context.Context) ([]byte, error) // the picture that it holds

	pictures *pictures.Page
	method   *method.Page
	compare  *compare.Page
	train    *train.Page
	export   *export.Page
	settings *settings.Page
	start    *startPage
	tabs     *container.AppTabs
	toolbar  *toolbar
	notice   *notice
	draft    *draft
	picker   *picker.Picker
	awake    *awake.Keeper
	sleepy   bool // it was told that the computer may fall asleep
	lateSaid bool // it was told that pictures come too late for the run that is on

	ctx  context.Context // ends with the window
	stop context.CancelFunc
	load context.CancelFunc // of the project that is being read
}

// NewWindow makes the window, without a project. post runs a function on Fyne's goroutine: fyne.Do, or a test's queue.
func NewWindow(app fyne.App, eng engine.Engine, post func(func())) *Window {
	w := &Window{app: app, window: app.NewWindow("Easel"), eng: eng, post: post, project: project.New(), values: settings.Load(app.Preferences()),
		clipboard: clipboard.Picture}
	w.ctx, w.stop = context.WithCancel(context.Background())
	w.load = func() {}
	settings.KeepLog()
	addTranslations()
	w.applySettings(w.values)
	w.notice = newNotice(w.window)
	w.toolbar = newToolbar(w.project, w.showStart, terms.NewButton(w.window))
	w.draft = newDraft(w.project, eng, w.post, w.fail)
	w.awake = awake.New(lang.L("a model is being trained"), w.cannotStayAwake)
	w.picker = picker.New(w.window, w.post)
	w.tabs = w.newTabs()
	w.window.SetIcon(fyne.NewStaticResource("icon.png", icons.App))
	w.window.SetContent(widgets.WithTips(container.NewBorder(container.NewVBox(w.toolbar.content, w.notice.content), nil, nil, nil, w.tabs), w.post))
	w.window.Resize(fyne.NewSize(1100, 760))
	w.window.SetOnDropped(w.Dropped)
	w.window.SetCloseIntercept(w.askToClose)
	w.window.SetOnClosed(w.close)
	w.addShortcuts()
	w.project.Opened.Listen(func(*project.Project) { w.opened() })
	w.project.StateChanged.Listen(func(s project.State) {
		w.lateSaid = w.lateSaid && s.Busy()
		w.keepAwake()
	})
	return w
}

// ShowAndRun opens the window and returns when it is closed, or the program is to end.
func (w *Window) ShowAndRun() {
	w.window.ShowAndRun()
	w.close() // which Fyne does not tell where the program was told to quit
}

// newTabs makes the pages.
func (w *Window) newTabs() *container.AppTabs {
	w.pictures = pictures.New(w.project, w.eng, w.post, w.window, pictures.Actions{Pick: w.pick, PickFolder: w.pickFolder, Paste: w.paste, Fail: w.fail,
		Captioner: w.captioner, UsualCaptioner: func() { w.settings.SetCaptioner("") }})
	w.start = newStartPage(w)
	w.method = method.New(w.eng, w.project, w.post, w.window)
	w.compare = compare.New(w.eng, w.project, w.post, w.window, w.showMethod)
	w.method.Compare = w.showComparison
	w.train = train.New(w.eng, w.project, w.post, w.window)
	w.export = export.New(w.eng, w.project, w.post, w.window)
	w.settings = settings.New(w.project, w.eng, w.post, w.window, w.values, w.applySettings)
	tabs := container.NewAppTabs(
		container.NewTabItemWithIcon(lang.L("Pictures"), theme.Icon("pictures"), container.NewStack(w.start.content, w.pictures.Content())),
		container.NewTabItemWithIcon(lang.L("Method"), theme.Icon("method"), container.NewStack(w.method.Content(), w.compare.Content())),
		container.NewTabItemWithIcon(lang.L("Train"), theme.Icon("train"), w.train.Content()),
		container.NewTabItemWithIcon(lang.L("Export"), theme.Icon("export"), w.export.Content()),
		container.NewTabItemWithIcon(lang.L("Settings"), theme.Icon("settings"), w.settings.Content()),
	)
	tabs.SetTabLocation(container.TabLocationLeading)
	w.project.StateChanged.Listen(func(s project.State) {
		if s == project.Planning { // a run begins: there is where one sees it
			tabs.SelectIndex(trainTab)
		}
	})
	w.method.Hidden()
	tabs.OnUnselected = func(*container.TabItem) {
		w.window.Canvas().Unfocus() // or keys would go to what nobody sees
		w.method.Hidden()
		w.compare.Hidden()
	}
	tabs.OnSelected = func(tab *container.TabItem) {
		if tab != tabs.Items[0] {
			w.leaveStart()
		}
		switch {
		case tab == tabs.Items[0] && w.pictures.Content().Visible():
			w.pictures.Focus()
		case tab == tabs.Items[1] && w.compare.Content().Visible():
			w.compare.Shown()
		case tab == tabs.Items[1]:
			w.method.Shown()
		case tab.Content == w.settings.Content():
			w.settings.Shown()
		}
	}
	w.pictures.Content().Hide()
	return tabs
}

// showComparison shows the methods side by side in place of the Method page, showMethod that again.
func (w *Window) showComparison() {
	w.method.Content().Hide()
	w.method.Hidden()
	w.compare.Open()
}

func (w *Window) showMethod() {
	w.compare.Content().Hide()
	w.compare.Hidden()
	w.method.Content().Show()
	w.method.Shown()
}

// trainTab is the place of the Train page.
const trainTab = 2

// showStart shows where projects are begun and opened, over the open one.
func (w *Window) showStart() {
	if w.project.State().Busy() {
		w.fail(errBusy())
		return
	}
	w.start.update()
	w.pictures.Content().Hide()
	w.start.content.Show()
	w.tabs.SelectIndex(0)
}

// leaveStart shows the open project again, where there is one.
func (w *Window) leaveStart() {
	if w.project.Dir() != "" {
		w.start.content.Hide()
		w.pictures.Content().Show()
	}
}

// applySettings has the window look and work as they say, and keeps them.
func (w *Window) applySettings(v settings.Values) {
	w.values = v
	v.Save(w.app.Preferences())
	w.app.Settings().SetTheme(v.Theme())
	w.keepAwake()
	if w.project.Dir() != "" {
		w.project.Edit(func(j *engine.Job) { j.Memory = v.Memory })
	}
}

// keepAwake keeps the computer awake while a run computes, where the settings say so.
func (w *Window) keepAwake() {
	if w.awake == nil {
		return // the window is being made
	}
	state := w.project.State()
	w.awake.Set(w.values.Awake && state.Busy() && state != project.Paused)
}

// cannotStayAwake tells of it, from any goroutine: a long run would stop in the night.
func (w *Window) cannotStayAwake(err error) {
	w.post(func() {
		if w.sleepy { // said once
			return
		}
		w.sleepy = true
		log.Println(err)
		w.notice.show(lang.L("The computer may fall asleep while it trains: Easel cannot keep it awake here."), nil)
	})
}

// opened shows the project that is open now.
func (w *Window) opened() {
	w.window.SetTitle("Easel: " + w.project.Name())
	w.leaveStart()
	w.notice.hide()
	w.pictures.Focus()
	remember(w.app.Preferences(), w.project.Dir())
}

// fail tells of an error.
func (w *Window) fail(err error) {
	if engine.KindOf(err) != engine.Cancelled {
		log.Println(err)
		w.notice.show(speech.Error(err), nil)
	}
}

// addShortcuts has the window understand keys where no entry takes them.
func (w *Window) addShortcuts() {
	canvas := w.window.Canvas()
	add := func(s fyne.Shortcut, do func(fyne.Shortcut)) {
		canvas.AddShortcut(s, func(s fyne.Shortcut) {
			if !w.asks() {
				do(s)
			}
		})
	}
	for _, s := range []fyne.Shortcut{&fyne.ShortcutSelectAll{}, &fyne.ShortcutUndo{}} {
		add(s, func(s fyne.Shortcut) {
			if w.tabs.SelectedIndex() == 0 {
				w.pictures.Shortcut(s)
			}
		})
	}
	for i := range w.tabs.Items {
		add(&desktop.CustomShortcut{KeyName: fyne.KeyName(strconv.Itoa(i + 1)), Modifier: fyne.KeyModifierShortcutDefault}, func(fyne.Shortcut) { w.tabs.SelectIndex(i) })
	}
	canvas.AddShortcut(&fyne.ShortcutPaste{}, func(fyne.Shortcut) { w.paste() }) // says itself why it does not
	canvas.SetOnTypedKey(func(e *fyne.KeyEvent) {
		switch e.Name {
		case fyne.KeyEscape:
			w.escape()
		case fyne.KeyF1:
			if !w.asks() { // or it would lie over itself
				terms.ShowGlossary(w.window)
			}
		}
	})
}

// asks tells whether a dialog or a menu is open. Fyne gives the window's keys to what is behind it, too.
func (w *Window) asks() bool { return w.window.Canvas().Overlays().Top() != nil }

// escape closes what is on top: a dialog, what the Train page shows large, the notice.
func (w *Window) escape() {
	if top, ok := w.window.Canvas().Overlays().Top().(*widget.PopUp); ok {
		if !w.pictures.Ongoing(top) {
			top.Hide() // as Cancel does
		}
		return
	}
	if w.tabs.SelectedIndex() != trainTab || !w.train.Escape() {
		w.notice.hide()
	}
}

// askToClose closes the window, after a question where training would end.
func (w *Window) askToClose() {
	if !w.project.State().Busy() || w.project.Runner == nil {
		w.window.Close()
		return
	}
	d := dialog.NewConfirm(lang.L("Training is not finished"), lang.L("Close Easel? What is learnt so far is kept, and you can go on from there next time."), func(yes bool) {
		if !yes {
			return
		}
		w.project.StateChanged.Listen(func(s project.State) {
			if !s.Busy() {
				w.window.Close()
			}
		})
		w.project.Stop()
	}, w.window)
	d.SetConfirmText(lang.L("Stop and close"))
	d.SetDismissText(lang.L("Go on training"))
	d.Show()
}

// close ends what the window does in the background.
func (w *Window) close() {
	if w.ctx.Err() != nil { // it has ended
		return
	}
	w.stop()
	if w.Closing != nil {
		w.Closing()
	}
	w.awake.Set(false)
	w.pictures.Close()
	w.method.Close()
	w.compare.Close()
	w.train.Close()
	w.export.Close()
	w.settings.Close()
	w.draft.flush()
}
