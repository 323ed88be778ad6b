// Package theme is how Easel looks: its colours, sizes and icons.
package theme

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"easel/icons"
)

// The distances between things, in Fyne's units. Nothing else is used.
const (
	Tight  = 4  // between a thing and its name
	Near   = 8  // between things that belong together
	Normal = 16 // between groups
	Wide   = 32 // around what stands alone
)

// Variant says whether the window is light or dark.
type Variant int

// The variants. System follows the desktop.
const (
	System Variant = iota
	Light
	Dark
)

// Theme implements fyne.Theme.
type Theme struct {
	Variant Variant
	// Scale enlarges text and what must grow with it; 1 is the usual size.
	Scale float32
}

var _ fyne.Theme = Theme{}

// Color implements fyne.Theme.
func (t Theme) Color(name fyne.ThemeColorName, variant fyne.ThemeVariant) color.Color {
	switch t.Variant {
	case Light:
		variant = theme.VariantLight
	case Dark:
		variant = theme.VariantDark
	}
	palette := light
	if variant == theme.VariantDark {
		palette = dark
	}
	if c, ok := palette[name]; ok {
		return c
	}
	return theme.DefaultTheme().Color(name, variant)
}

// Font implements fyne.Theme.
func (t Theme) Font(style fyne.TextStyle) fyne.Resource { return theme.DefaultTheme().Font(style) }

// Icon implements fyne.Theme.
func (t Theme) Icon(name fyne.ThemeIconName) fyne.Resource { return theme.DefaultTheme().Icon(name) }

// Size implements fyne.Theme.
func (t Theme) Size(name fyne.ThemeSizeName) float32 {
	size, own := sizes[name]
	if !own {
		size = theme.DefaultTheme().Size(name)
	}
	if t.Scale > 0 && grows[name] {
		size *= t.Scale
	}
	return size
}

var sizes = map[fyne.ThemeSizeName]float32{
	theme.SizeNameHeadingText:     22,
	theme.SizeNameSubHeadingText:  17,
	theme.SizeNameCaptionText:     12,
	theme.SizeNameInputRadius:     6,
	theme.SizeNameSelectionRadius: 6,
}

// grows are the sizes that Scale enlarges.
var grows = map[fyne.ThemeSizeName]bool{
	theme.SizeNameText: true, theme.SizeNameHeadingText: true, theme.SizeNameSubHeadingText: true, theme.SizeNameCaptionText: true,
	theme.SizeNameInlineIcon: true,
}

// Icon is one of Easel's icons in the colour of text.
func Icon(name string) fyne.Resource {
	return theme.NewThemedResource(fyne.NewStaticResource(name+".svg", icons.SVG(name)))
}

// ColoredIcon is one of Easel's icons in another colour of the theme.
func ColoredIcon(name string, c fyne.ThemeColorName) fyne.Resource {
	return theme.NewColoredResource(fyne.NewStaticResource(name+"-"+string(c)+".svg", icons.SVG(name)), c)
}
