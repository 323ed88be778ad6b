//go:build unix

package store_test

import (
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"easel/engine"
	"easel/engine/store"
)

// fullVariable is set in the child process whose files are limited.
const fullVariable = "EASEL_TEST_FULL_DISK"

// limitFiles lets no file grow beyond size until the test ends: a write is cut short there, as on a full disk. That holds
// for every file of the process, go test's own log of the tests too.
func limitFiles(t *testing.T, size int64) (lift func()) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	limit := old
	limit.Cur = uint64(size)
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		t.Skipf("files cannot be limited here: %v", err)
	}
	lift = func() { unix.Setrlimit(unix.RLIMIT_FSIZE, &old) }
	t.Cleanup(lift)
	return lift
}

func TestAFullDiskTearsNoLine(t *testing.T) {
	if os.Getenv(fullVariable) == "" {
		child := exec.Command(os.Args[0], "-test.run=^TestAFullDiskTearsNoLine$", "-test.v")
		child.Env = append(os.Environ(), fullVariable+"=1")
		out, err := child.CombinedOutput()
		if err != nil {
			t.Errorf("%v: %s", err, out)
		}
		if strings.Contains(string(out), "--- SKIP") {
			t.Skipf("%s", out)
		}
		return
	}
	dir := t.TempDir()
	r := create(t, dir)
	appendAll(t, r, step(1))
	journal := filepath.Join(r.Dir(), "events.jsonl")
	before, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}

	lift := limitFiles(t, int64(len(before)+20))
	warning := engine.Event{Kind: engine.KindWarning, Warning: &engine.WarningEvent{Text: strings.Repeat("x", 100)}}
	for range 2 {
		wantError(t, r.Append(warning), engine.BadFile, journal)
	}
	if after, err := os.ReadFile(journal); string(after) != string(before) {
		t.Errorf("the journal holds %q (%v), want %q", after, err, before)
	}
	lift()

	appendAll(t, r, step(2), step(3))
	if run := open(t, dir); run.Step != 3 || len(run.Losses) != 3 {
		t.Errorf("step %d, losses %v", run.Step, run.Losses)
	}
	r.Close()
	resumed, err := store.Resume(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer resumed.Close()
	appendAll(t, resumed, step(4))

	limitFiles(t, int64(len(before)+20)) // what a resumed run knows of its journal's length counts as well
	wantError(t, resumed.Append(warning), engine.BadFile, journal)
	if run := open(t, dir); run.Step != 4 {
		t.Errorf("step %d after resuming, want 4", run.Step)
	}
}
