package tokenizer_test

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"easel/engine"
	"easel/engine/internal/golden"
	"easel/engine/tokenizer"

	"github.com/google/go-cmp/cmp"
)

// wordPieces are what transformers' BertTokenizer makes of awkward texts, with a small vocabulary.
type wordPieces struct {
	Vocab          []string
	Encode, Decode []struct {
		Text string
		IDs  []int32
	}
}

func goldenWordPieces(t testing.TB) (wordPieces, *tokenizer.WordPiece) {
	t.Helper()
	var g wordPieces
	golden.JSON(t, "wordpiece.json", &g)
	w, err := tokenizer.ParseWordPiece([]byte(strings.Join(g.Vocab, "\n") + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return g, w
}

func TestWordPieceEqualsTransformers(t *testing.T) {
	g, w := goldenWordPieces(t)
	if w.Len() != len(g.Vocab) {
		t.Errorf("%d tokens, want %d", w.Len(), len(g.Vocab))
	}
	for _, c := range g.Encode {
		if diff := cmp.Diff(c.IDs, w.Encode(c.Text)); diff != "" {
			t.Errorf("%q: %s", c.Text, diff)
		}
	}
	for _, c := range g.Decode {
		if got := w.Decode(c.IDs); got != c.Text {
			t.Errorf("decoded %q, want %q", got, c.Text)
		}
	}
}

func TestWordPieceRefusesWhatIsNoVocabulary(t *testing.T) {
	for name, text := range map[string]string{"empty": "", "no [UNK]": "a\nb\n", "not text": "[UNK]\n\xff\n", "too many": "[UNK]" + strings.Repeat("\n", 1<<20+1)} {
		if _, err := tokenizer.ParseWordPiece([]byte(text)); engine.KindOf(err) != engine.BadFile {
			t.Errorf("%s: %v, want a bad file", name, err)
		}
	}
	w, err := tokenizer.ParseWordPiece([]byte("[UNK]\r\na\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if id, ok := w.ID("a"); !ok || id != 1 {
		t.Errorf("line ends of Windows: %d %v", id, ok)
	}
}

// FuzzWordPiece: any text gives ids of the vocabulary, and any ids a text.
func FuzzWordPiece(f *testing.F) {
	g, w := goldenWordPieces(f)
	for _, c := range g.Encode {
		f.Add(c.Text, int32(7))
	}
	f.Fuzz(func(t *testing.T, text string, odd int32) {
		ids := w.Encode(text)
		for _, id := range ids {
			if id < 0 || int(id) >= w.Len() {
				t.Fatalf("%q gives id %d", text, id)
			}
		}
		if out := w.Decode(append(ids, odd)); !utf8.ValidString(out) {
			t.Fatalf("%q comes back as %q", text, out)
		}
	})
}

// TestBERTIsThePublishedVocabulary, by the hash of the file (spec/captioner.md §2), and has its ids.
func TestBERTIsThePublishedVocabulary(t *testing.T) {
	f, err := os.Open("bert_uncased_vocab.txt.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	if _, err := io.Copy(h, z); err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3" {
		t.Errorf("sha256 %s", got)
	}
	if diff := cmp.Diff([]int32{1037, 3861, 1997}, tokenizer.BERT().Encode("A picture of")); diff != "" {
		t.Error(diff)
	}
}
