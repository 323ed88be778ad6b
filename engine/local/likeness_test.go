package local_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"easel/engine"
)

// copies makes a folder of n times the same picture.
func copies(t *testing.T, n int) string {
	t.Helper()
	dir := pictures(t, 1)
	data, err := os.ReadFile(filepath.Join(dir, "a.png"))
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < n; i++ {
		if err := os.WriteFile(filepath.Join(dir, string(rune('a'+i))+".png"), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLikenessIsMeasuredOrSaidNotToBe(t *testing.T) {
	eng := newEngine(t)
	cases := []struct {
		name     string
		pictures int
		prompts  []string
		own      float64 // the pictures are all the same
		warns    bool
	}{
		{"four pictures", 4, []string{"a {word} {class}", "a cat"}, 1, false},
		{"two pictures", 2, []string{"a {word} {class}", "a cat"}, 0, true},
		{"no column with the subject", 2, []string{"a cat"}, 0, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			job := tinyJob(t, copies(t, c.pictures))
			job.Steps, job.Prompts = 2, c.prompts
			warned := false
			result, err := eng.Train(context.Background(), job, func(e engine.Event) {
				warned = warned || e.Warning != nil && strings.Contains(e.Warning.Text, "likeness")
			})
			if err != nil {
				t.Fatal(err)
			}
			s := result.Summary
			if s.LikenessOwn != c.own || warned != c.warns {
				t.Errorf("own likeness %v, warned %v; want %v, %v", s.LikenessOwn, warned, c.own, c.warns)
			}
			for _, v := range []float64{s.LikenessBefore, s.LikenessAfter} {
				if v < 0 || v > 1 || c.own == 0 && v != 0 {
					t.Errorf("likeness %v before, %v after", s.LikenessBefore, s.LikenessAfter)
				}
			}
		})
	}
}
