package theme_test

import (
	"image"
	"image/color"
	"math"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
	fynetheme "fyne.io/fyne/v2/theme"

	"easel/gui/theme"
)

// luminance and contrast are those of WCAG 2.2.
func luminance(c color.Color) float64 {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	channel := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(n.R) + 0.7152*channel(n.G) + 0.0722*channel(n.B)
}

func contrast(a, b color.Color) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestContrast(t *testing.T) {
	grounds := []fyne.ThemeColorName{fynetheme.ColorNameBackground, fynetheme.ColorNameOverlayBackground, fynetheme.ColorNameHeaderBackground, theme.ColorNameCard, theme.ColorNameCanvas}
	type pair struct {
		text, ground fyne.ThemeColorName
		least        float64
	}
	pairs := []pair{
		{fynetheme.ColorNameForeground, fynetheme.ColorNameButton, 4.5},
		{fynetheme.ColorNameForeground, fynetheme.ColorNameInputBackground, 4.5},
		{fynetheme.ColorNamePlaceHolder, fynetheme.ColorNameInputBackground, 4.5},
		{fynetheme.ColorNameInputBorder, fynetheme.ColorNameInputBackground, 3},
		{fynetheme.ColorNameForegroundOnPrimary, fynetheme.ColorNamePrimary, 4.5},
		{fynetheme.ColorNameForegroundOnError, fynetheme.ColorNameError, 4.5},
		{fynetheme.ColorNameForegroundOnWarning, fynetheme.ColorNameWarning, 4.5},
		{fynetheme.ColorNameForegroundOnSuccess, fynetheme.ColorNameSuccess, 4.5},
	}
	for _, ground := range grounds {
		for _, text := range []fyne.ThemeColorName{fynetheme.ColorNameForeground, fynetheme.ColorNamePrimary, fynetheme.ColorNameError, fynetheme.ColorNameWarning, fynetheme.ColorNameSuccess, fynetheme.ColorNamePlaceHolder,
			fynetheme.ColorNameDisabled /* of labels of low importance */} {
			pairs = append(pairs, pair{text, ground, 4.5})
		}
	}
	for name, variant := range map[string]theme.Variant{"light": theme.Light, "dark": theme.Dark} {
		th := theme.Theme{Variant: variant}
		for _, p := range pairs {
			if got := contrast(th.Color(p.text, 0), th.Color(p.ground, 0)); got < p.least {
				t.Errorf("%s: %s on %s has a contrast of %.2f, want %.1f", name, p.text, p.ground, got, p.least)
			}
		}
	}
}

func TestScaleEnlargesText(t *testing.T) {
	usual, large := theme.Theme{Scale: 1}, theme.Theme{Scale: 1.5}
	if a, b := usual.Size(fynetheme.SizeNameText), large.Size(fynetheme.SizeNameText); b != 1.5*a {
		t.Errorf("text of %v becomes %v", a, b)
	}
	if usual.Size(fynetheme.SizeNamePadding) != large.Size(fynetheme.SizeNamePadding) {
		t.Error("distances grow too")
	}
}

func TestTheSystemDecidesWhereNothingIsSet(t *testing.T) {
	th := theme.Theme{}
	l, d := th.Color(fynetheme.ColorNameBackground, fynetheme.VariantLight), th.Color(fynetheme.ColorNameBackground, fynetheme.VariantDark)
	if luminance(l) <= luminance(d) {
		t.Errorf("light %v, dark %v", l, d)
	}
}

// TestIconsAreDrawn guards against SVG that Fyne leaves out without a word.
func TestIconsAreDrawn(t *testing.T) {
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.Theme{Variant: theme.Light})
	for _, name := range []string{"pictures", "method", "train", "export", "settings", "start", "pause", "stop", "add", "folder", "remove", "undo",
		"replace", "warning", "bad", "note", "check", "caption", "report"} {
		shown := canvas.NewImageFromResource(theme.Icon(name))
		w := test.NewTempWindow(t, shown)
		w.Resize(fyne.NewSize(48, 48))
		if inked := inkShare(w.Canvas().Capture()); inked < 0.02 || inked > 0.6 {
			t.Errorf("%s covers %.3f of its square", name, inked)
		}
		if content := string(theme.ColoredIcon(name, fynetheme.ColorNameError).Content()); !strings.Contains(content, "#b3261e") {
			t.Errorf("%s does not take a colour", name)
		}
	}
}

// inkShare is the share of pixels that differ from the first.
func inkShare(m image.Image) float64 {
	b, n := m.Bounds(), 0
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if m.At(x, y) != m.At(b.Min.X, b.Min.Y) {
				n++
			}
		}
	}
	return float64(n) / float64(b.Dx()*b.Dy())
}
