package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"easel/engine"
	"easel/engine/store"
)

var job = engine.Job{
	Method: "lora", Model: "builtin", Word: "zorbit", Class: "monster toy", Steps: 40, Seed: 1, Rate: 2e-3, Warmup: 3,
	Settings: map[string]string{"rank": "8"}, Prompts: []string{"a photo of {word} {class}", "ein Äpfel \"photo\""},
}

func step(n int) engine.Event {
	return engine.Event{Kind: engine.KindStep, Step: &engine.StepEvent{Step: n, Steps: 40, Loss: 1 / float64(n)}}
}

func row(r *store.Run, step int) engine.Event {
	pictures := []string{r.SamplePath(step, 0), r.SamplePath(step, 1)}
	return engine.Event{Kind: engine.KindGrid, Grid: &engine.GridEvent{
		Row: engine.GridRow{Step: step, Pictures: pictures}, Columns: []string{"one", "two"},
	}}
}

func create(t *testing.T, dir string) *store.Run {
	t.Helper()
	r, err := store.Create(dir, job)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func appendAll(t *testing.T, r *store.Run, events ...engine.Event) {
	t.Helper()
	for _, e := range events {
		if err := r.Append(e); err != nil {
			t.Fatal(err)
		}
	}
}

func open(t *testing.T, dir string) engine.Run {
	t.Helper()
	run, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// wantError checks err's kind and that it mentions every word.
func wantError(t *testing.T, err error, kind engine.Kind, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if engine.KindOf(err) != kind {
		t.Errorf("kind %v, want %v: %v", engine.KindOf(err), kind, err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q does not mention %q", err, word)
		}
	}
}

func TestRunIsReadBackAsWritten(t *testing.T) {
	for _, name := range []string{"plain", "with space", "Ünïcödé 絵 #1", "a/deep/one"} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), name)
			r := create(t, dir)
			appendAll(t, r, row(r, 0), step(1), step(2), row(r, 2))
			export, err := r.ExportPath("zorbit", ".safetensors")
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Finish(engine.Result{Export: export, Grid: r.GridPath()}); err != nil {
				t.Fatal(err)
			}
			want := engine.Run{
				Dir: r.Dir(), Job: job, Step: 2, Done: true, Grid: filepath.Join(r.Dir(), "grid.png"),
				Columns: []string{"one", "two"}, Export: filepath.Join(dir, "zorbit.safetensors"),
				Rows: []engine.GridRow{
					{Step: 0, Pictures: []string{r.SamplePath(0, 0), r.SamplePath(0, 1)}},
					{Step: 2, Pictures: []string{r.SamplePath(2, 0), r.SamplePath(2, 1)}},
				},
				Losses: []engine.StepLoss{{Step: 1, Loss: 1}, {Step: 2, Loss: 0.5}},
			}
			want.Job.Out = dir
			if diff := cmp.Diff(want, open(t, dir)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestACancelledRunIsNotDone(t *testing.T) {
	dir := t.TempDir()
	r := create(t, dir)
	appendAll(t, r, step(1))
	write(t, r.GridPath(), "the grid so far")
	if err := r.Finish(engine.Result{Checkpoint: r.CheckpointPath(1), Grid: r.GridPath(), Run: engine.Run{Done: true}}); err != nil {
		t.Fatal(err)
	}
	if run := open(t, dir); run.Done || run.Export != "" || run.Step != 1 || run.Grid != r.GridPath() {
		t.Errorf("got %+v", run)
	}
}

func TestPathsOfARun(t *testing.T) {
	r := create(t, t.TempDir())
	for want, got := range map[string]string{
		"samples/step-000100/01.png":          r.SamplePath(100, 0),
		"samples/step-000000/12.png":          r.SamplePath(0, 11),
		"checkpoints/step-000100.safetensors": r.CheckpointPath(100),
	} {
		if got != filepath.Join(r.Dir(), filepath.FromSlash(want)) {
			t.Errorf("got %s, want …/%s", got, want)
		}
	}
}

func TestAProjectMayBeMoved(t *testing.T) {
	parent := t.TempDir()
	r := create(t, filepath.Join(parent, "old"))
	appendAll(t, r, row(r, 0))
	r.Close()
	moved := filepath.Join(parent, "new")
	if err := os.Rename(filepath.Join(parent, "old"), moved); err != nil {
		t.Fatal(err)
	}
	run := open(t, moved)
	want := filepath.Join(run.Dir, "samples", "step-000000", "01.png")
	if got := run.Rows[0].Pictures[0]; got != want || !strings.HasPrefix(got, moved) {
		t.Errorf("picture %s, want %s", got, want)
	}
}

func TestPathsAreRecordedAbsolute(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.MkdirAll("models/sd", 0o755); err != nil {
		t.Fatal(err)
	}
	relative := job
	relative.Images, relative.Model = "pictures", filepath.Join("models", "sd")
	r, err := store.Create("out", relative)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, path := range []string{r.Job().Images, r.Job().Model, r.Job().Out, r.Dir()} {
		if !filepath.IsAbs(path) {
			t.Errorf("%q is not absolute", path)
		}
	}
}

func TestOneWriterAtATime(t *testing.T) {
	dir := t.TempDir()
	r := create(t, dir)
	_, err := store.Create(dir, job)
	wantError(t, err, engine.BadInput, dir, "another Easel")
	_, err = store.Resume(dir)
	wantError(t, err, engine.BadInput, dir, "another Easel")
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := store.Resume(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if again.Dir() != r.Dir() {
		t.Errorf("resumed %s, want %s", again.Dir(), r.Dir())
	}
}

func TestReadingWhileWriting(t *testing.T) {
	dir := t.TempDir()
	r := create(t, dir)
	var readers sync.WaitGroup
	stop := make(chan struct{})
	readers.Go(func() {
		for last := 0; ; {
			run, err := store.Open(dir)
			if err != nil || run.Step < last {
				t.Errorf("step %d after %d: %v", run.Step, last, err)
				return
			}
			last = run.Step
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	for n := range 200 {
		appendAll(t, r, step(n+1))
	}
	close(stop)
	readers.Wait()
	if got := open(t, dir).Step; got != 200 {
		t.Errorf("step %d at the end", got)
	}
}

func TestTheNewestRunCounts(t *testing.T) {
	dir := t.TempDir()
	var last string
	for n := range 3 { // within one second
		r := create(t, dir)
		appendAll(t, r, step(n+1))
		r.Close()
		if r.Dir() <= last {
			t.Errorf("run %s does not come after %s", r.Dir(), last)
		}
		last = r.Dir()
	}
	// A crash while the fourth was being made, and something of the user's.
	for _, name := range []string{"2999-01-01T00-00-00Z", "zz my notes"} {
		if err := os.MkdirAll(filepath.Join(dir, "runs", name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if run := open(t, dir); run.Dir != last || run.Step != 3 {
		t.Errorf("opened %s at step %d, want %s at 3", run.Dir, run.Step, last)
	}
}

func TestResumeGoesOnBehindATornLine(t *testing.T) {
	for name, torn := range map[string]string{
		"half a line": `{"kind":"step","step":{"st`,
		"no end":      `{"kind":"step","step":{"step":9}}`,
		"zeros":       "\x00\x00\x00\x00",
		"garbage":     "\x00\x00garbage\n",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			r := create(t, dir)
			appendAll(t, r, step(1), step(2), step(3), row(r, 3))
			r.Close()
			journal := filepath.Join(r.Dir(), "events.jsonl")
			appendText(t, journal, torn)
			if got := open(t, dir).Step; got != 3 {
				t.Errorf("step %d before resuming, want 3", got)
			}

			resumed, err := store.Resume(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer resumed.Close()
			want := job
			want.Out = dir
			if diff := cmp.Diff(want, resumed.Job(), cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			appendAll(t, resumed, step(2), step(3), row(resumed, 3), step(4)) // from the checkpoint of step 1
			run := open(t, dir)
			var steps []int
			for _, loss := range run.Losses {
				steps = append(steps, loss.Step)
			}
			if diff := cmp.Diff([]int{1, 2, 3, 4}, steps); diff != "" {
				t.Error(diff)
			}
			if len(run.Rows) != 1 || run.Done {
				t.Errorf("%d rows, done %v; want 1, false", len(run.Rows), run.Done)
			}
		})
	}
}

func appendText(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func TestADamagedJournalDoesNotHideTheRun(t *testing.T) {
	for name, damage := range map[string]string{
		"nonsense": "nonsense\n", "zeros": strings.Repeat("\x00", 5000) + "\n", "too long": strings.Repeat("x", 3<<20) + "\n",
		"two lines": "{}\n{\"kind\":\n", "joined": `{"kind":"step","st{"kind":"step","step":{"step":9}}` + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			r := create(t, dir)
			appendAll(t, r, step(1))
			appendText(t, filepath.Join(r.Dir(), "events.jsonl"), damage)
			appendAll(t, r, step(2))
			write(t, r.CheckpointPath(2), "x")
			r.Close()
			if run := open(t, dir); run.Step != 2 || len(run.Losses) != 2 {
				t.Errorf("got step %d, losses %v", run.Step, run.Losses)
			}

			resumed, err := store.Resume(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer resumed.Close()
			if path, _, err := resumed.LatestCheckpoint(); path != r.CheckpointPath(2) || err != nil {
				t.Errorf("checkpoint %q (%v)", path, err)
			}
			appendAll(t, resumed, step(3))
			if got := open(t, dir).Step; got != 3 {
				t.Errorf("step %d after resuming, want 3", got)
			}
		})
	}
}

func TestReadJournalCountsWhatItSkips(t *testing.T) {
	const event = `{"kind":"step","step":{"step":1}}` + "\n"
	for _, c := range []struct {
		text          string
		events, whole int
		skipped       int
	}{
		{"", 0, 0, 0},
		{event + event, 2, 2 * len(event), 0},
		{"bad\n" + event + "bad\n{}\n" + event + "bad\n", 2, 2*len(event) + 11, 3},
		{event + strings.Repeat("x", 2<<20) + "\n" + event, 2, 2*len(event) + 2<<20 + 1, 1},
		{event + strings.Repeat("x", 2<<20), 1, len(event), 0},
	} {
		events := 0
		whole, skipped, err := store.ReadJournal(strings.NewReader(c.text), func(engine.Event) { events++ })
		if events != c.events || whole != int64(c.whole) || skipped != c.skipped || err != nil {
			t.Errorf("%.60q: %d events, %d bytes, %d skipped (%v), want %+v", c.text, events, whole, skipped, err, c)
		}
	}
	fault := errors.New("cable out")
	_, _, err := store.ReadJournal(iotest.ErrReader(fault), func(engine.Event) {})
	if wantError(t, err, engine.BadFile); !errors.Is(err, fault) {
		t.Error(err)
	}
}

func TestADamagedJobIsReported(t *testing.T) {
	dir := t.TempDir()
	r := create(t, dir)
	write(t, filepath.Join(r.Dir(), "run.toml"), "steps = 'many'")
	_, err := store.Open(dir)
	wantError(t, err, engine.BadFile, "run.toml")
}

func TestAnEmptyRunDoesNotHideAnother(t *testing.T) {
	for name, begin := range map[string]func(*store.Run) error{
		"a checkpoint": func(r *store.Run) error { return os.WriteFile(r.CheckpointPath(5), nil, 0o644) },
		"a step":       func(r *store.Run) error { return r.Append(step(1)) },
		"a row":        func(r *store.Run) error { return r.Append(row(r, 0)) },
		"an export":    func(r *store.Run) error { return r.Finish(engine.Result{Export: "x.safetensors"}) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			want := create(t, dir)
			if err := begin(want); err != nil {
				t.Fatal(err)
			}
			want.Close()
			for range 2 { // cancelled at once
				r := create(t, dir)
				appendAll(t, r, engine.Event{Kind: engine.KindSetup, Setup: &engine.SetupEvent{What: "model"}})
				if err := r.Finish(engine.Result{}); err != nil {
					t.Fatal(err)
				}
				r.Close()
			}
			if got := open(t, dir).Dir; got != want.Dir() {
				t.Errorf("opened %s, want %s", got, want.Dir())
			}
			resumed, err := store.Resume(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer resumed.Close()
			if resumed.Dir() != want.Dir() {
				t.Errorf("resumed %s, want %s", resumed.Dir(), want.Dir())
			}
		})
	}

	dir := t.TempDir()
	create(t, dir).Close()
	last := create(t, dir)
	if got := open(t, dir).Dir; got != last.Dir() {
		t.Errorf("of empty runs it opened %s, want the newest, %s", got, last.Dir())
	}
}

func TestFoldersThatAreNoProject(t *testing.T) {
	dir := t.TempDir()
	_, err := store.Open(dir)
	wantError(t, err, engine.NotFound, dir, "easel.toml")
	_, err = store.Resume(dir)
	wantError(t, err, engine.NotFound, dir)
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("looking left %v behind", entries)
	}

	write(t, filepath.Join(dir, "easel.toml"), "colour = 'beech'")
	_, err = store.Create(dir, job)
	wantError(t, err, engine.BadFile, "easel.toml", "not Easel's")

	write(t, filepath.Join(dir, "easel.toml"), "layout = 99")
	_, err = store.Open(dir)
	wantError(t, err, engine.Unsupported, "update Easel")

	write(t, filepath.Join(dir, "easel.toml"), "layout = 1")
	_, err = store.Open(dir)
	wantError(t, err, engine.NotFound, "nothing has been trained")

	_, err = store.Create(filepath.Join(dir, "easel.toml", "sub"), job)
	wantError(t, err, engine.BadInput, "easel.toml")
}

func TestAJobThatCannotBeWrittenDown(t *testing.T) {
	big, binary := job, job
	big.Seed = 1 << 63
	binary.Word = "\xff"
	for name, job := range map[string]engine.Job{"seed": big, "text": binary} {
		dir := filepath.Join(t.TempDir(), "p")
		_, err := store.Create(dir, job)
		wantError(t, err, engine.BadInput, "2⁶³")
		if _, err := store.Open(dir); engine.KindOf(err) != engine.NotFound {
			t.Errorf("%s: a run was left behind: %v", name, err)
		}
	}
}

func TestOthersFilesStay(t *testing.T) {
	dir := t.TempDir()
	foreign := filepath.Join(dir, "zorbit.safetensors")
	write(t, foreign, "somebody's work")
	for range 2 { // the second run replaces the first one's file
		r := create(t, dir)
		got, err := r.ExportPath("zorbit", ".safetensors")
		if err != nil {
			t.Fatal(err)
		}
		if want := filepath.Join(dir, "zorbit-2.safetensors"); got != want {
			t.Errorf("export goes to %s, want %s", got, want)
		}
		write(t, got, "ours")
		r.Close()
	}
	if text, err := os.ReadFile(foreign); err != nil || string(text) != "somebody's work" {
		t.Errorf("foreign file now holds %q (%v)", text, err)
	}
}

func TestExportNames(t *testing.T) {
	r := create(t, t.TempDir())
	for name, want := range map[string]string{
		"zorbit": "zorbit", "a/b\\c:d": "a-b-c-d", "../up": "-up", "": "easel", "絵": "絵", "x\n": "x-",
	} {
		got, err := r.ExportPath(name, ".safetensors")
		if err != nil || filepath.Base(got) != want+".safetensors" || filepath.Dir(got) != filepath.Dir(filepath.Dir(r.Dir())) {
			t.Errorf("%q becomes %s (%v), want %s", name, got, err, want)
		}
	}
}

func TestLatestCheckpoint(t *testing.T) {
	r := create(t, t.TempDir())
	if path, _, err := r.LatestCheckpoint(); path != "" || err != nil {
		t.Errorf("a new run has checkpoint %q (%v)", path, err)
	}
	for _, step := range []int{0, 900, 1000000, 20} {
		write(t, r.CheckpointPath(step), "x")
	}
	for _, other := range []string{"step-9999999.safetensors.tmp", "step-+99999.safetensors", "step-2.safetensors", "notes.txt"} {
		write(t, filepath.Join(r.Dir(), "checkpoints", other), "x")
	}
	path, step, err := r.LatestCheckpoint()
	if path != r.CheckpointPath(1000000) || step != 1000000 || err != nil {
		t.Errorf("got %s, step %d, %v", path, step, err)
	}
}

func FuzzReadJournal(f *testing.F) {
	f.Add([]byte(`{"kind":"step","step":{"step":1,"loss":0.5}}` + "\n" + `{"kind":"st`))
	f.Add([]byte("{\"kind\":\"grid\",\"grid\":{\"row\":{\"step\":0,\"pictures\":[\"a\"]},\"columns\":null}}\n\x00\x00"))
	f.Add([]byte("\n\n{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		count := func(data []byte) (n int, whole int64, err error) {
			whole, _, err = store.ReadJournal(strings.NewReader(string(data)), func(engine.Event) { n++ })
			return
		}
		n, whole, err := count(data)
		if err != nil {
			t.Fatal(err)
		}
		if whole < 0 || whole > int64(len(data)) {
			t.Fatalf("%d of %d bytes are whole", whole, len(data))
		}
		again, all, err := count(data[:whole])
		if again != n || all != whole || err != nil {
			t.Fatalf("cut to its whole lines it has %d events in %d bytes (%v), not %d in %d", again, all, err, n, whole)
		}
	})
}
