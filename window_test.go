//go:build linux && cgo && !headless

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"easel/engine"
	"easel/samples"
)

// asEasel has the test's binary be Easel.
const asEasel = "EASEL_TEST_IS_EASEL"

func TestMain(m *testing.M) {
	if os.Getenv(asEasel) != "" {
		main() // exits
	}
	os.Exit(m.Run())
}

// TestWindow does what a user does, on a screen of its own: drops pictures on the window, starts, pauses, goes on, sees
// the grid, and has a file in the end.
func TestWindow(t *testing.T) {
	if testing.Short() {
		t.Skip("opens a window")
	}
	s := newScreen(t)
	eng, err := newEngine(power{threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	project := filepath.Join(s.home, "zorbit")
	job := engine.Job{Method: "lora", Model: "builtin", Word: "zorbit", Class: "monster toy", Steps: 12, Prompts: []string{"a photo of {word} {class}"}, SampleSteps: 4, Preserve: -1}
	if err := eng.Folder(project).SaveJob(job); err != nil {
		t.Fatal(err)
	}
	s.easel(project)
	s.drop(sampleFiles(t))
	s.until("8 pictures are in the project", func() bool { return matches(project, "images/*.png") == 8 && matches(project, "images/*.txt") == 8 })

	const buttons = "1030 32"   // the middle of Start, Pause and Go on
	time.Sleep(2 * time.Second) // the pictures are looked at
	s.click(buttons)
	s.until("the grid has its first row", func() bool { return matches(project, "runs/*/grid.png") == 1 })
	s.click(buttons)
	if s.rests(project); s.logged(project, `"kind":"result"`) {
		t.Fatal("it did not pause")
	}
	s.click(buttons)
	s.until("a file is exported", func() bool { return s.logged(project, `"kind":"result"`) })

	files, _ := filepath.Glob(filepath.Join(project, "*.safetensors"))
	if len(files) == 0 {
		files, _ = filepath.Glob(filepath.Join(project, "runs/*/*.safetensors"))
	}
	if len(files) != 1 {
		t.Fatalf("exported are %v", files)
	}
	info, err := eng.Inspect(context.Background(), files[0])
	if err != nil || info.Kind != "LoRA" {
		t.Errorf("it is %+v, error %v", info, err)
	}
	s.close()
}

func matches(dir, pattern string) int {
	files, _ := filepath.Glob(filepath.Join(dir, pattern))
	return len(files)
}

// sampleFiles are a sample's eight pictures and their captions.
func sampleFiles(t *testing.T) []string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "sämple #1") // names that addresses must escape
	if err := samples.All()[0].Copy(dir); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.*"))
	if err != nil || len(files) != 16 {
		t.Fatalf("the sample has %v, %v", files, err)
	}
	return files
}

// screen is an X server without a screen, with Easel on it.
type screen struct {
	t      testing.TB
	home   string
	env    []string
	window *exec.Cmd
	log    bytes.Buffer
}

const python = "/usr/bin/python3" // Debian's, which has gi

func newScreen(t testing.TB) *screen {
	t.Helper()
	for _, tool := range []string{"Xvfb", "xdotool", "import", python} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is missing; `make deps-window` installs what this test needs", tool)
		}
	}
	if exec.Command(python, "-c", `import gi; gi.require_version("Gtk", "3.0")`).Run() != nil {
		t.Skip("python3-gi and gir1.2-gtk-3.0 are missing; `make deps-window` installs what this test needs")
	}
	s := &screen{t: t, home: t.TempDir()}
	number, err := os.CreateTemp(s.home, "display") // the server writes its number into it
	if err != nil {
		t.Fatal(err)
	}
	defer number.Close()
	server := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1100x760x24", "-nolisten", "tcp")
	server.ExtraFiles = []*os.File{number}
	s.start(server)
	display := ""
	s.until("the screen is there", func() bool {
		text, _ := os.ReadFile(number.Name())
		display = strings.TrimSpace(string(text))
		return display != "" && strings.HasSuffix(string(text), "\n")
	})
	s.env = append(os.Environ(), "DISPLAY=:"+display, "WAYLAND_DISPLAY=", "HOME="+s.home, "XDG_CONFIG_HOME=", "XDG_CACHE_HOME=", "LC_ALL=", "LANG=en_US.UTF-8",
		"LIBGL_ALWAYS_SOFTWARE=1", "NO_AT_BRIDGE=1", "FYNE_SCALE=1")
	return s
}

// start starts a program that ends with the test.
func (s *screen) start(cmd *exec.Cmd) {
	s.t.Helper()
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// easel opens the window.
func (s *screen) easel(args ...string) {
	s.t.Helper()
	s.window = exec.Command(os.Args[0], args...)
	s.window.Env, s.window.Stdout, s.window.Stderr = append(s.env, asEasel+"=1"), &s.log, &s.log
	s.start(s.window)
	s.do("search", "--sync", "--onlyvisible", "--name", "^Easel: zorbit$")
}

// do has xdotool do something.
func (s *screen) do(args ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "xdotool", args...)
	cmd.Env = s.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("xdotool %s: %v, %s%s", args, err, out, s.log.Bytes())
	}
	return string(out)
}

func (s *screen) click(at string) {
	s.t.Helper()
	x, y, _ := strings.Cut(at, " ")
	s.do("mousemove", x, y, "sleep", "0.2", "click", "1", "sleep", "0.3", "mousemove", "560", "500")
}

// drop drags files from another window to the middle of Easel's.
func (s *screen) drop(files []string) {
	s.t.Helper()
	source := exec.Command(python, append([]string{"testdata/window/drag.py"}, files...)...)
	source.Env = s.env
	s.start(source)
	s.do("search", "--sync", "--onlyvisible", "--name", "^drag-source$")
	time.Sleep(time.Second)
	s.do("mousemove", "100", "660", "sleep", "0.2", "mousedown", "1", "sleep", "0.2", "mousemove", "120", "650", "sleep", "0.3")
	for i := range 8 { // a drag is one only with several moves
		s.do("mousemove", strconv.Itoa(120+50*i), strconv.Itoa(640-30*i), "sleep", "0.1")
	}
	s.do("sleep", "0.3", "mouseup", "1", "sleep", "1")
	_ = source.Process.Kill() // it is in front of the window
}

// until waits for something, and leaves a picture of the screen where it does not come.
func (s *screen) until(what string, done func() bool) {
	s.t.Helper()
	for limit := time.Now().Add(3 * time.Minute); !done(); time.Sleep(100 * time.Millisecond) {
		if time.Now().Before(limit) {
			continue
		}
		picture := filepath.Join(os.TempDir(), fmt.Sprintf("easel-window-%d.png", os.Getpid()))
		cmd := exec.Command("import", "-window", "root", picture)
		cmd.Env = s.env
		_ = cmd.Run()
		s.t.Fatalf("waited in vain until %s; the screen is in %s\n%s", what, picture, s.log.Bytes())
	}
}

// logged tells whether the events of the project's run hold a text.
func (s *screen) logged(project, text string) bool {
	files, _ := filepath.Glob(filepath.Join(project, "runs/*/events.jsonl"))
	for _, f := range files {
		if data, err := os.ReadFile(f); err == nil && bytes.Contains(data, []byte(text)) {
			return true
		}
	}
	return false
}

// rests waits until a run that has begun its steps makes none for a while.
func (s *screen) rests(project string) {
	const long = 12 * time.Second // more than a step takes on a busy computer
	before, since := int64(-1), time.Now()
	s.until("it rests", func() bool {
		files, _ := filepath.Glob(filepath.Join(project, "runs/*/events.jsonl"))
		if info, err := os.Stat(files[0]); err == nil && info.Size() != before {
			before, since = info.Size(), time.Now()
		}
		return time.Since(since) > long && s.logged(project, `"kind":"step"`)
	})
}

// close ends Easel as Ctrl-C does.
func (s *screen) close() {
	s.t.Helper()
	ended := make(chan error, 1)
	if err := s.window.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	go func() { ended <- s.window.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			s.t.Errorf("it ended with %v\n%s", err, s.log.Bytes())
		}
	case <-time.After(30 * time.Second):
		s.t.Error("it does not end")
	}
}
