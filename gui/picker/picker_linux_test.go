package picker_test

import (
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver"
	"fyne.io/fyne/v2/test"
	"github.com/godbus/dbus/v5"
	"github.com/google/go-cmp/cmp"

	"easel/gui/guitest"
	"easel/gui/picker"
)

// desktop stands for xdg-desktop-portal: it notes what it is asked, and answers when the test does.
type desktop struct {
	bus    *dbus.Conn
	asked  chan asked
	askers chan dbus.Sender
	handle dbus.ObjectPath
}

// asked is what came with a question.
type asked struct {
	Window, Title    string
	Multiple, Folder bool
	Begin            string
	Filters          []filter
}

type filter struct {
	Name  string
	Rules []rule
}

type rule struct {
	Kind    uint32
	Pattern string
}

func (d *desktop) OpenFile(sender dbus.Sender, window, title string, options map[string]dbus.Variant) (dbus.ObjectPath, *dbus.Error) {
	a := asked{Window: window, Title: title}
	for name, to := range map[string]any{"multiple": &a.Multiple, "directory": &a.Folder, "filters": &a.Filters} {
		if v, ok := options[name]; ok {
			if err := v.Store(to); err != nil {
				return "", dbus.MakeFailedError(err)
			}
		}
	}
	if begin, ok := options["current_folder"].Value().([]byte); ok {
		a.Begin = string(begin)
	}
	d.asked <- a
	d.askers <- sender
	return d.handle, nil
}

// properties are those of the chooser's interface.
type properties struct{ version uint32 }

// silent is the version of a portal that never says it.
const silent = 0

func (p properties) Get(_, name string) (dbus.Variant, *dbus.Error) {
	if p.version == silent {
		select {}
	}
	if name != "version" {
		return dbus.Variant{}, dbus.NewError("org.freedesktop.DBus.Error.UnknownProperty", nil)
	}
	return dbus.MakeVariant(p.version), nil
}

// newDesktop puts a portal on a bus of the test's own.
func newDesktop(t *testing.T, version uint32) *desktop {
	t.Helper()
	guitest.StartBus(t, "DBUS_SESSION_BUS_ADDRESS")
	bus, err := dbus.ConnectSessionBus()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bus.Close() })
	const path = "/org/freedesktop/portal/desktop"
	d := &desktop{bus, make(chan asked, 4), make(chan dbus.Sender, 4), path + "/request/1_2/easel"}
	for face, object := range map[string]any{"org.freedesktop.portal.FileChooser": d, "org.freedesktop.DBus.Properties": properties{version}} {
		if err := bus.Export(object, path, face); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := bus.RequestName("org.freedesktop.portal.Desktop", 0); err != nil {
		t.Fatal(err)
	}
	return d
}

// answer says what the user did.
func (d *desktop) answer(t *testing.T, status uint32, results map[string]dbus.Variant) {
	t.Helper()
	if err := d.bus.Emit(d.handle, "org.freedesktop.portal.Request.Response", status, results); err != nil {
		t.Fatal(err)
	}
}

func uris(addresses ...string) map[string]dbus.Variant {
	return map[string]dbus.Variant{"uris": dbus.MakeVariant(addresses), "writable": dbus.MakeVariant(true)}
}

// onScreen is a window that X knows.
type onScreen struct{ fyne.Window }

func (onScreen) RunNative(f func(any)) { f(driver.X11WindowContext{WindowHandle: 0xab12}) }

func newPicker(t *testing.T) (*picker.Picker, fyne.Window, guitest.Queue) {
	test.NewTempApp(t)
	w := test.NewTempWindow(t, nil)
	w.Resize(fyne.NewSize(800, 600))
	queue := guitest.NewQueue()
	return picker.New(onScreen{w}, queue.Post), w, queue
}

func dialogs(w fyne.Window) int { return len(w.Canvas().Overlays().List()) }

func TestTheDesktopsChooserPicksMany(t *testing.T) {
	d := newDesktop(t, 4)
	p, w, queue := newPicker(t)
	var got [][]string
	p.Ask(picker.Question{Title: "Add pictures", Many: true, Begin: "/home/you", Kind: "Pictures", Extensions: []string{".jpg"}}, func(paths []string) { got = append(got, paths) })
	want := asked{Window: "x11:ab12", Title: "Add pictures", Multiple: true, Begin: "/home/you\x00",
		Filters: []filter{{"Pictures", []rule{{0, "*.jpg"}, {0, "*.JPG"}}}, {"All files", []rule{{0, "*"}}}}}
	if diff := cmp.Diff(want, <-d.asked); diff != "" {
		t.Error(diff)
	}
	d.answer(t, 0, uris("file:///home/you/a+b.jpg", "file:///home/you/50%25%20of%20%23%C3%BC.jpg"))
	queue.Until(t, "the pictures", func() bool { return len(got) > 0 })
	if diff := cmp.Diff([][]string{{"/home/you/a+b.jpg", "/home/you/50% of #ü.jpg"}}, got); diff != "" {
		t.Error(diff)
	}
	if dialogs(w) != 0 {
		t.Error("Fyne's dialog is shown too")
	}
}

func TestAChooserThatEndsDoesNothing(t *testing.T) {
	d := newDesktop(t, 4)
	for status, results := range []map[string]dbus.Variant{0: uris(), 1: {}, 2: {}} {
		p, w, queue := newPicker(t)
		p.Ask(picker.Question{Title: "Add folder", Folder: true}, func(paths []string) { t.Errorf("status %d gives %q", status, paths) })
		if a := <-d.asked; !a.Folder || a.Multiple {
			t.Errorf("asked for %+v", a)
		}
		d.answer(t, uint32(status), results)
		queue.Until(t, "the end", func() bool { return !connected(t, d) })
		for len(queue) > 0 {
			(<-queue)()
		}
		if dialogs(w) != 0 {
			t.Errorf("status %d shows a dialog", status)
		}
	}
}

func TestAnAnswerThatMakesNoSenseIsAnError(t *testing.T) {
	d := newDesktop(t, 4)
	p, w, queue := newPicker(t)
	p.Ask(picker.Question{Title: "Add pictures"}, func(paths []string) { t.Errorf("it gives %q", paths) })
	<-d.asked
	d.answer(t, 0, uris("https://example.org/a.jpg"))
	queue.Until(t, "the error", func() bool { return dialogs(w) == 1 })
	guitest.WantText(t, w.Canvas().Overlays().Top(), "https://example.org/a.jpg")
}

func TestASecondQuestionWithdrawsTheFirst(t *testing.T) {
	d := newDesktop(t, 4)
	p, _, queue := newPicker(t)
	p.Ask(picker.Question{Title: "first"}, func(paths []string) { t.Errorf("the first gives %q", paths) })
	<-d.asked
	var got []string
	p.Ask(picker.Question{Title: "second"}, func(paths []string) { got = paths })
	queue.Until(t, "the first is withdrawn", func() bool { return !connected(t, d) })
	<-d.asked
	d.answer(t, 0, uris("file:///a.png"))
	queue.Until(t, "the answer", func() bool { return len(got) == 1 })
}

// connected tells whether who asked first is still on the bus: the portal ends what is asked by those who are not.
func connected(t *testing.T, d *desktop) bool {
	t.Helper()
	sender := <-d.askers
	var has bool
	if err := d.bus.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, string(sender)).Store(&has); err != nil {
		t.Fatal(err)
	}
	if has {
		d.askers <- sender
	}
	return has
}

// TestWithoutAPortalFynesDialogAsks: without a bus, without a portal, with one that cannot ask for folders, and with one that
// never answers.
func TestWithoutAPortalFynesDialogAsks(t *testing.T) {
	dir := t.TempDir()
	for name, prepare := range map[string]func(*testing.T){
		"no bus":     func(t *testing.T) { t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+filepath.Join(dir, "nothing")) },
		"no portal":  func(t *testing.T) { guitest.StartBus(t, "DBUS_SESSION_BUS_ADDRESS") },
		"no folders": func(t *testing.T) { newDesktop(t, 2) },
		"no answer":  func(t *testing.T) { newDesktop(t, silent) },
	} {
		t.Run(name, func(t *testing.T) {
			prepare(t)
			p, w, queue := newPicker(t)
			p.Ask(picker.Question{Title: "Add folder", Folder: true, Begin: dir}, func([]string) {})
			queue.Until(t, "the dialog", func() bool { return dialogs(w) == 1 })
			if text := guitest.Text(w.Canvas().Overlays().Top()); !strings.Contains(text, "Add folder") {
				t.Errorf("the dialog says\n%s", text)
			}
		})
	}
}
