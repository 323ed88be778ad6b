package gui

import (
	"cmp"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
	"github.com/disintegration/imaging"

	"easel/engine"
	"easel/gui/guitest"
	"easel/gui/project"
	"easel/gui/settings"
	"easel/gui/terms"
	"easel/gui/theme"
	"easel/samples"
)

// kept are the screens that docs/screens has, by look; nil stands for all of shown.
var kept = map[string][]string{
	"small-light":     shown,
	"small-light-150": {"method", "export", "method-subject", "words"},
	"large-dark":      {"start", "method"},
}

// shown are those of the usual look.
var shown = []string{"start", "pictures", "method", "method-subject", "method-settings", "train-running", "train-inside", "train", "train-large",
	"compare", "compare-figures", "export", "export-playground", "settings"}

// TestScreens draws pages into the folder that EASEL_SCREENS names, for people to look at: `make screens`. Where
// EASEL_ALL_SCREENS is set it draws every page and dialog in every look: `make screens-all`. It fails only where a page
// cannot be drawn.
func TestScreens(t *testing.T) {
	dir, all := os.Getenv("EASEL_SCREENS"), os.Getenv("EASEL_ALL_SCREENS") != ""
	if dir == "" {
		t.Skip("EASEL_SCREENS names no folder for pictures of the pages")
	}
	made, err := filepath.Abs(filepath.Join("testdata", "run"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir()) // so that a page that shows a project's folder shows a short one
	for _, size := range []struct {
		name          string
		width, height float32
	}{{"small", 1000, 700}, {"large", 1440, 900}} {
		for _, variant := range []theme.Variant{theme.Light, theme.Dark} {
			for _, scale := range []float32{1, 1.5} {
				look := size.name + map[theme.Variant]string{theme.Light: "-light", theme.Dark: "-dark"}[variant]
				if scale != 1 {
					look += fmt.Sprintf("-%.0f", 100*scale)
				}
				if !all && kept[look] == nil {
					continue
				}
				t.Run(look, func(t *testing.T) {
					values := settings.Values{Variant: variant, Scale: scale, Projects: "/home/you/Easel", Threads: -1}
					eng := studio{newFakeEngine(), made}
					u := newUI(t)
					app := test.NewTempApp(t)
					values.Save(app.Preferences())
					w := NewWindow(app, eng, u.post)
					defer w.close()
					w.window.Resize(fyne.NewSize(size.width, size.height))
					walk(&tour{t: t, u: u, w: w, eng: eng, shoot: func(screen string) {
						if all || slices.Contains(kept[look], screen) {
							capture(t, w, filepath.Join(dir, screen+"-"+look+".png"))
						}
					}})
				})
			}
		}
	}
}

// walk goes from the first start to a file that is tried.
func walk(v *tour) {
	folder := filepath.Join("Easel", "zorbit")
	attention(v.t, filepath.Join(folder, project.ImagesFolder))
	v.eng.jobs[folder] = engine.Job{Word: "zorbit", Class: "monster toy"}
	v.see("start")

	v.w.Open(folder)
	v.u.until("the pictures are looked at", func() bool { return v.w.project.Pictures() == 13 })
	v.keys(fyne.KeyHome, fyne.KeyRight)
	v.see("pictures")
	v.dialog("pictures-write", func() { v.tap("Write captions") })
	v.dialog("pictures-change", func() { v.tap("Change captions") })
	v.dialog("words", func() { terms.ShowGlossary(v.w.window) })
	for i, name := range []string{"train-empty", "export-empty"} {
		v.w.tabs.SelectIndex(2 + i)
		v.see(name)
	}

	v.w.tabs.SelectIndex(1)
	v.u.until("the engine says what follows", func() bool { return says(v.w, "layers are narrow") || says(v.w, "Layers are narrow") })
	v.see("method-subject")
	v.scrollTo("How shall it learn?")
	v.see("method")
	v.tap("All settings")
	v.layOut()
	v.scrollTo("All settings")
	v.see("method-settings")
	v.w.showComparison()
	v.see("compare-setup")
	v.w.showMethod()

	test.Tap(v.w.toolbar.start)
	v.u.until("a step is made", func() bool { return says(v.w, fmt.Sprintf("%d / 400", madePause)) })
	v.see("train-running")
	v.tap("Look inside")
	v.u.until("the step is shown", func() bool { return says(v.w, "Inside step") })
	v.see("train-inside")
	v.eng.runs[folder] = v.eng.finished(folder)
	v.w.project.Runner.Stop()
	v.u.until("it is done", func() bool { return v.w.project.State() == project.Idle })
	v.see("train")
	v.dialog("train-prompt", func() {
		head := v.find("a photo of a zorbit monster toy")
		test.TapCanvas(v.w.window.Canvas(), fyne.CurrentApp().Driver().AbsolutePositionForObject(head).AddXY(20, 20))
	})
	v.openCell(2)
	v.see("train-large")

	v.w.tabs.SelectIndex(1)
	v.eng.comparison = v.eng.compared(folder)
	v.w.showComparison()
	v.u.until("the comparison is read", func() bool { return says(v.w, "In figures") })
	v.see("compare")
	v.scrollTo("In figures")
	v.see("compare-figures")
	v.w.showMethod()

	v.w.tabs.SelectIndex(3)
	v.see("export")
	v.tap("Paint")
	v.u.until("it is painted", func() bool { return !says(v.w, "Stop") })
	v.scrollTo("Try it here")
	v.see("export-playground")
	v.scrollTo("Use it elsewhere")
	v.see("export-elsewhere")
	v.w.tabs.SelectIndex(4)
	v.see("settings")
	v.scrollTo("While it trains")
	v.see("settings-more")
}

// tour goes through a window.
type tour struct {
	t     *testing.T
	u     *ui
	w     *Window
	eng   studio
	shoot func(screen string)
}

// see shoots a screen when it is complete.
func (v *tour) see(screen string) {
	v.t.Helper()
	v.rest()
	v.shoot(screen)
}

// rest waits until nothing has changed for a moment and all pictures are there; a damaged one never is, so that it is not
// waited for long.
func (v *tour) rest() {
	v.t.Helper()
	start := time.Now()
	for quiet := 0; quiet < 3; quiet++ {
		v.layOut()
		v.w.window.Canvas().Capture() // what comes into sight is asked for
		time.Sleep(150 * time.Millisecond)
		if len(v.u.posted) > 0 || v.lacksPictures() && time.Since(start) < 4*time.Second {
			quiet = 0
		}
		v.u.settle()
		if time.Since(start) > time.Minute {
			v.t.Fatal("the window does not come to rest")
		}
	}
}

func (v *tour) lacksPictures() (lacks bool) {
	visit(v.w.window.Content(), func(o fyne.CanvasObject) {
		shown, ok := o.(*canvas.Image)
		lacks = lacks || ok && shown.Image == nil && shown.Resource == nil && shown.File == "" && v.inSight(o)
	})
	return lacks
}

// inSight tells whether an object is a place for a picture within the window.
func (v *tour) inSight(o fyne.CanvasObject) bool {
	at, size := fyne.CurrentApp().Driver().AbsolutePositionForObject(o), o.Size()
	return size.Width > 40 && at.Y >= 0 && at.Y+size.Height <= v.w.window.Canvas().Size().Height
}

func (v *tour) keys(names ...fyne.KeyName) {
	v.w.pictures.Focus()
	for _, name := range names {
		v.w.window.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: name})
	}
}

// page is what is shown below the toolbar.
func (v *tour) page() fyne.CanvasObject { return v.w.tabs.Selected().Content }

// tap presses a button of the page.
func (v *tour) tap(text string) { guitest.Tap(v.t, v.page(), text) }

// layOut has Fyne's test driver lay out what has grown, as a real window does by itself.
func (v *tour) layOut() {
	size := v.w.window.Canvas().Size()
	v.w.window.Resize(size.SubtractWidthHeight(1, 1))
	v.w.window.Resize(size)
}

// scrollTo moves the page so that a text, or the button with it, is at its top.
func (v *tour) scrollTo(text string) {
	place := fyne.CurrentApp().Driver().AbsolutePositionForObject
	scroll := guitest.Find[*container.Scroll](v.page())[0]
	scroll.ScrollToOffset(fyne.NewPos(0, place(v.find(text)).Y-place(scroll.Content).Y-theme.Near))
}

// find finds a text of the page, or the button with it.
func (v *tour) find(text string) fyne.CanvasObject {
	for _, label := range guitest.Find[*widget.Label](v.page()) {
		if label.Text == text {
			return label
		}
	}
	return guitest.Button(v.t, v.page(), text).(fyne.CanvasObject)
}

// dialog shoots what opens, and closes it.
func (v *tour) dialog(screen string, open func()) {
	open()
	v.see(screen)
	overlays := v.w.window.Canvas().Overlays()
	overlays.Remove(overlays.Top())
}

// openCell opens the picture of a column, from 0, in the lowest row of the grid.
func (v *tour) openCell(column int) {
	place := fyne.CurrentApp().Driver().AbsolutePositionForObject
	var lowest []fyne.Position
	for _, shown := range guitest.Find[*canvas.Image](v.page()) {
		at := place(shown)
		switch {
		case !v.inSight(shown) || len(lowest) > 0 && at.Y < lowest[0].Y:
		case len(lowest) > 0 && at.Y == lowest[0].Y:
			lowest = append(lowest, at)
		default:
			lowest = []fyne.Position{at}
		}
	}
	slices.SortFunc(lowest, func(a, b fyne.Position) int { return cmp.Compare(a.X, b.X) })
	test.TapCanvas(v.w.window.Canvas(), lowest[column].AddXY(20, 20))
}

// attention fills a folder with the sample zorbit, and with pictures that want attention.
func attention(t *testing.T, images string) {
	if err := os.RemoveAll(images); err != nil {
		t.Fatal(err)
	}
	if err := samples.All()[0].Copy(images); err != nil {
		t.Fatal(err)
	}
	derive := func(from int, what string, change func(image.Image) image.Image) string {
		stem := filepath.Join(images, fmt.Sprintf("zorbit_%02d", from))
		read, err := imaging.Open(stem + ".png")
		if err != nil {
			t.Fatal(err)
		}
		caption, err := os.ReadFile(stem + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		path := stem + " " + what + ".jpg"
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := jpeg.Encode(f, change(read), nil); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(strings.TrimSuffix(path, ".jpg")+".txt", caption, 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	derive(5, "again", func(m image.Image) image.Image { return imaging.AdjustBrightness(m, 2) })
	derive(6, "blurred", func(m image.Image) image.Image { return imaging.Blur(m, 4) })
	derive(4, "tall", func(m image.Image) image.Image { return imaging.Crop(m, image.Rect(100, 0, 412, 512)) })
	derive(8, "tiny", func(m image.Image) image.Image { return imaging.Resize(m, 120, 0, imaging.Lanczos) })
	derive(2, "wide", func(m image.Image) image.Image {
		return imaging.Resize(imaging.Crop(m, image.Rect(0, 80, 512, 420)), 1536, 0, imaging.Lanczos)
	})
	torn := derive(3, "torn", func(m image.Image) image.Image { return m })
	if err := os.Truncate(torn, 9000); err != nil {
		t.Fatal(err)
	}
}

func capture(t *testing.T, w *Window, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(f, w.window.Canvas().Capture()); err != nil {
		t.Fatal(err)
	}
}
