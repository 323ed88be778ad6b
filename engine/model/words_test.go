package model_test

import (
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/internal/golden"
	"easel/engine/model"
)

// TestAddedWordsAreTheModelsOwn: a word has new ids in this model's prompts alone, keeps them when it is added again, and
// has no vectors to begin another with.
func TestAddedWordsAreTheModelsOwn(t *testing.T) {
	load := func() *model.Model {
		m, err := model.Load(os.DirFS(golden.Path(t, "tiny-sd1")))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Close() })
		return m
	}
	m, other := load(), load()
	first, err := m.AddWord("zorbit", 2)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := m.AddWord("Zorbit", 2); again != first || err != nil {
		t.Errorf("added again it has id %d, before %d (%v)", again, first, err)
	}
	if _, err := m.AddWord("zorbit", 3); engine.KindOf(err) != engine.BadInput {
		t.Errorf("with another number of vectors: %v", err)
	}
	if got := m.IDs("a zorbit").I32()[2:4]; !slices.Equal(got, []int32{int32(first), int32(first) + 1}) || first < m.Text.VocabSize {
		t.Errorf("the prompt has ids %v, want %d and %d, beyond %d", got, first, first+1, m.Text.VocabSize)
	}
	if slices.Max(other.IDs("a zorbit").I32()) >= 49408 {
		t.Error("another model knows the word")
	}
	if _, err := m.WordVectors("a zorbit"); engine.KindOf(err) != engine.BadInput {
		t.Errorf("vectors of the new word: %v", err)
	}
	one, err := m.WordVectors("cat")
	if err != nil {
		t.Fatal(err)
	}
	both, err := m.WordVectors("cat cat")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(append(one.Floats(), one.Floats()...), both.Floats()); diff != "" || one.Rows() != 1 {
		t.Errorf("%d rows: %s", one.Rows(), diff)
	}
}
