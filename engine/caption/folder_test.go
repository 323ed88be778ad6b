package caption_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"easel/engine"
	"easel/engine/caption"

	"github.com/google/go-cmp/cmp"
)

// lay writes files into a new folder; pictures need no content here.
func lay(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// lying reads a folder back, Easel's own files left out.
func lying(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".easel-") {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(raw)
	}
	return files
}

// describe runs over a folder and stops after most pictures; the sentence tells the picture.
func describe(t *testing.T, dir string, p caption.Policy, settings string, most int) (written int) {
	t.Helper()
	f, err := caption.OpenFolder(dir, p, ".txt", settings)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range f.Pictures {
		if written == most {
			break
		}
		if _, _, err := f.Put(e, "a dog in "+strings.TrimSuffix(filepath.Base(e.Path), filepath.Ext(e.Path))); err != nil {
			t.Fatal(err)
		}
		written++
	}
	if err := f.Close(written == len(f.Pictures)); err != nil {
		t.Fatal(err)
	}
	return written
}

const all = 1 << 30

func policy(m caption.Mode) caption.Policy { return caption.Policy{Mode: m, Word: "sks", Class: "dog"} }

func TestFolder(t *testing.T) {
	before := map[string]string{"one.png": "", "two.jpg": "", "two.txt": "my words\n", "three.png": "", "three.caption": " \n", "four.png": "",
		"four.txt": "\xff\xfeh\x00i\x00", "five.jpg": "", "five.png": "", "notes.txt": "not a picture's"}
	for _, c := range []struct {
		mode caption.Mode
		want map[string]string // of what changes
	}{
		{caption.Fill, map[string]string{"one.txt": "a sks dog in one\n", "three.caption": "a sks dog in three\n", "five.txt": "a sks dog in five\n"}},
		{caption.Append, map[string]string{"one.txt": "a sks dog in one\n", "three.caption": "a sks dog in three\n", "five.txt": "a sks dog in five\n",
			"two.txt": "my words, a sks dog in two\n", "four.txt": "hi, a sks dog in four\n"}},
		{caption.Replace, map[string]string{"one.txt": "a sks dog in one\n", "three.caption": "a sks dog in three\n", "five.txt": "a sks dog in five\n",
			"two.txt": "a sks dog in two\n", "four.txt": "a sks dog in four\n"}},
	} {
		t.Run(string(c.mode), func(t *testing.T) {
			dir := lay(t, before)
			describe(t, dir, policy(c.mode), "s", all)
			want := map[string]string{}
			for _, from := range []map[string]string{before, c.want} {
				for name, text := range from {
					want[name] = text
				}
			}
			if diff := cmp.Diff(want, lying(t, dir)); diff != "" {
				t.Error(diff)
			}
			restored, left, err := caption.Undo(dir)
			if err != nil || len(restored) != len(c.want) || len(left) > 0 {
				t.Errorf("undo: %d restored, %v left, %v", len(restored), left, err)
			}
			if diff := cmp.Diff(before, lying(t, dir)); diff != "" {
				t.Errorf("after undo: %s", diff)
			}
			if _, _, err := caption.Undo(dir); engine.KindOf(err) != engine.NotFound {
				t.Errorf("a second undo: %v", err)
			}
		})
	}
}

// TestStoppedRunsGoOn: 300 pictures, stopped twice, in each mode: every caption is written once, and none of a person's
// is lost.
func TestStoppedRunsGoOn(t *testing.T) {
	for _, mode := range []caption.Mode{caption.Fill, caption.Append, caption.Replace} {
		t.Run(string(mode), func(t *testing.T) {
			files := map[string]string{}
			for i := range 300 {
				files[fmt.Sprintf("p%d.png", i)] = ""
				if i%3 == 0 {
					files[fmt.Sprintf("p%d.txt", i)] = "mine"
				}
			}
			dir := lay(t, files)
			written := describe(t, dir, policy(mode), "s", 100)
			written += describe(t, dir, policy(mode), "s", 50)
			written += describe(t, dir, policy(mode), "s", all)
			want := map[caption.Mode]int{caption.Fill: 200, caption.Append: 300, caption.Replace: 300}[mode]
			if written != want {
				t.Errorf("%d captions were made, want %d", written, want)
			}
			for name, text := range lying(t, dir) {
				stem, isCaption := strings.CutSuffix(name, ".txt")
				if !isCaption {
					continue
				}
				made := "a sks dog in " + stem + "\n"
				_, had := files[name]
				switch {
				case had && mode == caption.Fill:
					made = "mine"
				case had && mode == caption.Append:
					made = "mine, " + made
				}
				if text != made {
					t.Fatalf("%s: %q, want %q", name, text, made)
				}
			}
			if restored, left, err := caption.Undo(dir); err != nil || len(restored) != want || len(left) > 0 {
				t.Errorf("undo: %d restored, %d left, %v", len(restored), len(left), err)
			}
			if diff := cmp.Diff(files, lying(t, dir)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestAnotherRun: a run that came to its end, or with other settings, is not gone on with; undo takes back one at a time.
func TestAnotherRun(t *testing.T) {
	dir := lay(t, map[string]string{"a.png": "", "b.png": ""})
	describe(t, dir, policy(caption.Append), "s", all)
	if n := describe(t, dir, policy(caption.Append), "s", all); n != 2 {
		t.Errorf("after a complete run %d pictures are looked at, want 2", n)
	}
	describe(t, dir, caption.Policy{Mode: caption.Replace, Word: "other"}, "other", 1)
	if n := describe(t, dir, caption.Policy{Mode: caption.Replace, Word: "sks"}, "third", all); n != 2 {
		t.Errorf("with other settings %d pictures are looked at, want 2", n)
	}
	want := []string{"an other dog in a", "a sks dog in a", ""} // the second run changed nothing
	for _, text := range want {
		if _, _, err := caption.Undo(dir); err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(lying(t, dir)["a.txt"]); got != text {
			t.Errorf("undone to %q, want %q", got, text)
		}
	}
}

// TestAPersonWritesMeanwhile: what counts is what is on the disk when a caption is written, or taken back.
func TestAPersonWritesMeanwhile(t *testing.T) {
	dir := lay(t, map[string]string{"a.png": "", "b.png": ""})
	f, err := caption.OpenFolder(dir, policy(caption.Fill), ".txt", "s")
	if err != nil {
		t.Fatal(err)
	}
	mine := func(name string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	mine("a.txt")
	if text, did, err := f.Put(f.Pictures[0], "a dog"); text != "mine" || did != caption.Kept || err != nil {
		t.Errorf("%q %s %v", text, did, err)
	}
	if _, did, err := f.Put(f.Pictures[1], "a dog"); did != caption.Wrote || err != nil {
		t.Errorf("%s %v", did, err)
	}
	if err := f.Close(true); err != nil {
		t.Fatal(err)
	}
	mine("b.txt")
	if restored, left, err := caption.Undo(dir); len(restored) > 0 || !slices.Equal(left, []string{filepath.Join(dir, "b.txt")}) || err != nil {
		t.Errorf("%v %v %v", restored, left, err)
	}
	if lying(t, dir)["b.txt"] != "mine" {
		t.Error("undo took a person's words")
	}
}

// TestATornJournal: a crash in the middle of a line costs nothing but the line.
func TestATornJournal(t *testing.T) {
	dir := lay(t, map[string]string{"a.png": "", "b.png": ""})
	describe(t, dir, policy(caption.Replace), "s", 1)
	path := filepath.Join(dir, ".easel-captions.jsonl")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(raw, `{"change":{"file":"b.t`...), 0o666); err != nil {
		t.Fatal(err)
	}
	if n := describe(t, dir, policy(caption.Replace), "s", all); n != 1 {
		t.Errorf("%d pictures are looked at, want 1", n)
	}
	if restored, _, err := caption.Undo(dir); len(restored) != 2 || err != nil {
		t.Errorf("%v %v", restored, err)
	}
}

// FuzzUndo: a journal of anybody's making changes nothing outside the folder.
func FuzzUndo(f *testing.F) {
	f.Add([]byte(`{"begin":{"settings":"s"}}` + "\n" + `{"change":{"file":"a.txt","existed":true,"before":"aGk=","after":"x"}}` + "\n"))
	f.Add([]byte(`{"begin":{"settings":"s"}}` + "\n" + `{"change":{"file":"../a.txt","existed":true,"before":"aGk=","after":"x"}}` + "\n"))
	f.Add([]byte("{}\n{\"begin\":null}\n"))
	f.Fuzz(func(t *testing.T, journal []byte) {
		above := t.TempDir()
		dir := filepath.Join(above, "pictures")
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		for path, text := range map[string]string{filepath.Join(above, "a.txt"): "x", filepath.Join(dir, ".easel-captions.jsonl"): string(journal)} {
			if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if f, err := caption.OpenFolder(dir, policy(caption.Fill), ".txt", "s"); err == nil {
			f.Close(false)
		}
		caption.Undo(dir)
		if raw, err := os.ReadFile(filepath.Join(above, "a.txt")); string(raw) != "x" || err != nil {
			t.Fatalf("%q %v", raw, err)
		}
	})
}
