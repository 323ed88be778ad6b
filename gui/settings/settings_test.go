package settings

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/guitest"
	"easel/gui/project"
	"easel/gui/theme"
	"easel/gui/widgets"
)

type fakeEngine struct{ engine.Engine }

func (fakeEngine) Device() engine.Device {
	return engine.Device{Name: "Abacus 9", Backend: "ref", Threads: 2, Memory: 17e9}
}

func TestValuesAreKept(t *testing.T) {
	p := test.NewTempApp(t).Preferences()
	if v := Load(p); v.Scale != 1 || v.Variant != theme.System || v.Projects == "" || v.Threads != -1 || !v.Awake {
		t.Errorf("defaults %+v", v)
	}
	want := Values{Variant: theme.Dark, Scale: 1.5, Projects: "/somewhere", Memory: 8e9, Threads: 1, Awake: false, Captioner: "/models/wd.safetensors"}
	want.Save(p)
	if got := Load(p); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestAScaleThatCannotBeReadIsNotTaken(t *testing.T) {
	p := test.NewTempApp(t).Preferences()
	Values{Scale: 40}.Save(p)
	if v := Load(p); v.Scale > 2 {
		t.Errorf("scale %v", v.Scale)
	}
}

func TestAChoiceIsTold(t *testing.T) {
	app := test.NewTempApp(t)
	var got Values
	page := New(project.New(), fakeEngine{}, func(f func()) { f() }, app.NewWindow(""), Values{Scale: 1}, func(v Values) { got = v })
	page.memory() // offers what the machine has
	radio := guitest.Find[*widget.RadioGroup](page.choice([]option{{"a", func(v *Values) { v.Memory = 1 }}, {"b", func(v *Values) { v.Memory = 2 }}}, 0))[0]
	radio.SetSelected("b")
	if got.Memory != 2 || got.Scale != 1 {
		t.Errorf("told %+v", got)
	}
}

func TestReportHoldsNothingPrivate(t *testing.T) {
	job := engine.Job{Word: "mydaughter", Class: "girl", Images: "/home/eve/Easel/eve/images", Prompts: []string{"a secret"}, Method: "lora",
		Prior: engine.Prior{Prompt: "a child at Birdham"}, Captions: engine.Captions{Templates: []string{"our {word} in Birdham"}},
		Settings: map[string]string{"init": "toddler", "words": "mydaughter-style=drawing", "rank": "16"}}
	text := reportOf("1.2", fakeEngine{}.Device(), Values{Projects: "/home/eve/Easel"}, job, engine.Run{}, "/home/eve",
		"read /home/eve/Easel/x.png: a picture of mydaughter, a girl, is damaged")
	for _, private := range []string{"mydaughter", "girl", "secret", "Birdham", "toddler", "drawing", "/home/eve"} {
		if strings.Contains(text, private) {
			t.Errorf("the report holds %q", private)
		}
	}
	for _, wanted := range []string{"Easel 1.2", "Abacus 9", "lora", "~/Easel", "~/Easel/x.png", "is damaged", `"rank": "16"`} {
		if !strings.Contains(text, wanted) {
			t.Errorf("the report lacks %q:\n%s", wanted, text)
		}
	}
}

func TestCreateReportWritesAFile(t *testing.T) {
	app := test.NewTempApp(t)
	dir := filepath.Join(t.TempDir(), "new")
	done := make(chan func())
	page := New(project.New(), fakeEngine{}, func(f func()) { done <- f }, app.NewWindow(""), Values{Scale: 1, Projects: dir}, func(Values) {})
	page.createReport()
	(<-done)()
	files, _ := filepath.Glob(filepath.Join(dir, "easel-report-*.txt"))
	if len(files) != 1 || !strings.Contains(page.report.Text, files[0]) {
		t.Fatalf("files %v, text %q", files, page.report.Text)
	}
	if data, err := os.ReadFile(files[0]); err != nil || !strings.Contains(string(data), "Abacus 9") {
		t.Errorf("report %q, error %v", data, err)
	}
}

func TestTheLogIsKeptForReports(t *testing.T) {
	KeepLog()
	for i := range logLines + 5 {
		log.Printf("entry %d", i)
	}
	if text := logged.text(); strings.Contains(text, "entry 4\n") || !strings.Contains(text, "entry 5\n") || !strings.HasSuffix(text, fmt.Sprintf("entry %d", logLines+4)) {
		t.Errorf("kept:\n%s", text)
	}
}

// projectFolder is a project whose job names a model.
type projectFolder struct {
	engine.Folder
	model string
}

func (f projectFolder) Job() (engine.Job, error) { return engine.Job{Model: f.model}, nil }

func (e libraryEngine) Folder(dir string) engine.Folder {
	return projectFolder{model: "/models/of-" + filepath.Base(dir)}
}

// libraryEngine finds the models that it is told of, and one more.
type libraryEngine struct{ fakeEngine }

func (e libraryEngine) Models(_ context.Context, places []string, found func(engine.FileInfo)) error {
	for _, p := range append(places, "/models/another") {
		found(engine.FileInfo{Path: p, Kind: "checkpoint", Base: "SD1", Size: 4_265_146_304})
	}
	return nil
}

func TestAModelOfTheLibraryIsUsed(t *testing.T) {
	app := test.NewTempApp(t)
	projects := t.TempDir()
	if err := os.Mkdir(filepath.Join(projects, "dotmug"), 0o755); err != nil {
		t.Fatal(err)
	}
	queue, open := guitest.NewQueue(), project.New()
	page := New(open, libraryEngine{}, queue.Post, app.NewWindow(""), Values{Scale: 1, Projects: projects}, func(Values) {})
	page.Shown()
	queue.Until(t, "the models", func() bool { return strings.Contains(guitest.Text(page.Content()), "of-dotmug") })
	guitest.WantText(t, page.Content(), "Built in", "another", "checkpoint · SD1 · 4.3 GB · /models")
	if !guitest.Button(t, page.Content(), "Use").(*widgets.Steady).Disabled() {
		t.Error("a model can be used without a project")
	}
	open.Open(t.TempDir(), engine.Job{Model: "builtin"}, engine.Run{})
	if len(page.library.list.Objects) != 3 {
		t.Fatalf("%d models are listed", len(page.library.list.Objects))
	}
	guitest.Tap(t, page.library.list.Objects[2], "Use")
	if got := open.Job().Model; got != "/models/of-dotmug" {
		t.Errorf("the model is %q", got)
	}
	guitest.Button(t, page.library.list.Objects[2], "In use")
	guitest.Button(t, page.library.list.Objects[0], "Use")
}
