package terms

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"easel/gui/guitest"
	"easel/gui/widgets"
)

func TestTermsAreSentencesOfOneMeaning(t *testing.T) {
	seen := map[string]bool{}
	for _, term := range All() {
		for _, name := range term.Names {
			if key := strings.ToLower(name); seen[key] {
				t.Errorf("%q is there twice", name)
			} else {
				seen[key] = true
			}
			if got, ok := Of(name); !ok || got.Text != term.Text {
				t.Errorf("%q is not found", name)
			}
		}
		if n := len([]rune(term.Text)); !strings.HasSuffix(term.Text, ".") || n < 20 || n > 220 {
			t.Errorf("%s is explained in %d characters: %q", term.Names[0], n, term.Text)
		}
	}
}

// TestArt holds the table to the terms that users ask about.
func TestArt(t *testing.T) {
	for _, name := range strings.Split("rank, alpha, latent, timestep, epsilon, guidance, CFG, sampler, seed, min-SNR, prior preservation, drift, likeness, "+
		"learning rate, LoRA, DreamBooth, textual inversion, hypernetwork, U-Net, VAE, text encoder, loss, batch, optimizer, token, trigger, class noun, bucket", ", ") {
		if _, ok := Of(name); !ok {
			t.Errorf("%q is not explained", name)
		}
	}
}

func TestExplain(t *testing.T) {
	test.NewTempApp(t)
	label := widget.NewLabel("Rank")
	if e, ok := Explain(label, label.Text).(*widgets.Explained); !ok || !strings.Contains(e.Text(), "inserted layers") {
		t.Errorf("rank is not explained: %v", e)
	}
	if o := Explain(label, "Colours"); o != fyne.CanvasObject(label) {
		t.Errorf("plain words became %T", o)
	}
}

func TestGlossary(t *testing.T) {
	test.NewTempApp(t)
	w := test.NewTempWindow(t, widget.NewLabel(""))
	w.Resize(fyne.NewSize(800, 600))
	ShowGlossary(w)
	dialog := w.Canvas().Overlays().Top()
	guitest.WantText(t, dialog, "Alpha", "Min-SNR", "Weight change")
	test.Type(w.Canvas().Focused(), "COARSER")
	if text := guitest.Text(dialog); !strings.Contains(text, "Sampler") || strings.Contains(text, "Alpha") {
		t.Errorf("the search shows:\n%s", text)
	}
	w.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	guitest.Tap(t, dialog, "Close")
	if w.Canvas().Overlays().Top() != nil {
		t.Error("it does not close")
	}
}
