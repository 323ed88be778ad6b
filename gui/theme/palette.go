package theme

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// Colours of Easel's own.
const (
	ColorNameCanvas fyne.ThemeColorName = "easelCanvas" // ground behind pictures
	ColorNameShade  fyne.ThemeColorName = "easelShade"  // over what is cut off a picture
	ColorNameCard   fyne.ThemeColorName = "easelCard"   // ground of a card
)

func rgb(v uint32) color.NRGBA {
	return color.NRGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255}
}

func alpha(v uint32, a uint8) color.NRGBA {
	c := rgb(v)
	c.A = a
	return c
}

var light = map[fyne.ThemeColorName]color.NRGBA{
	theme.ColorNameBackground:          rgb(0xfaf8f4), // paper
	theme.ColorNameForeground:          rgb(0x1c1924),
	theme.ColorNamePrimary:             rgb(0x6236c4),
	theme.ColorNameForegroundOnPrimary: rgb(0xffffff),
	theme.ColorNameHyperlink:           rgb(0x6236c4),
	theme.ColorNameButton:              rgb(0xeae6de),
	theme.ColorNameDisabledButton:      rgb(0xf0ede7),
	theme.ColorNameDisabled:            rgb(0x686372),
	theme.ColorNamePlaceHolder:         rgb(0x645f6e),
	theme.ColorNameInputBackground:     rgb(0xffffff),
	theme.ColorNameInputBorder:         rgb(0x8f8a98),
	theme.ColorNameHeaderBackground:    rgb(0xf1ede6),
	theme.ColorNameMenuBackground:      rgb(0xffffff),
	theme.ColorNameOverlayBackground:   rgb(0xfffdf9),
	theme.ColorNameSeparator:           rgb(0xdcd6cb),
	theme.ColorNameHover:               alpha(0x24212b, 16),
	theme.ColorNamePressed:             alpha(0x24212b, 40),
	theme.ColorNameFocus:               alpha(0x6236c4, 90),
	theme.ColorNameSelection:           alpha(0x6236c4, 56),
	theme.ColorNameScrollBar:           alpha(0x24212b, 110),
	theme.ColorNameShadow:              alpha(0x24212b, 40),
	theme.ColorNameError:               rgb(0xb3261e),
	theme.ColorNameForegroundOnError:   rgb(0xffffff),
	theme.ColorNameWarning:             rgb(0x8a5000),
	theme.ColorNameForegroundOnWarning: rgb(0xffffff),
	theme.ColorNameSuccess:             rgb(0x1f6b3a),
	theme.ColorNameForegroundOnSuccess: rgb(0xffffff),
	ColorNameCanvas:                    rgb(0xe9e5dd),
	ColorNameShade:                     alpha(0xfaf8f4, 185),
	ColorNameCard:                      rgb(0xffffff),
}

var dark = map[fyne.ThemeColorName]color.NRGBA{
	theme.ColorNameBackground:          rgb(0x1b1a20),
	theme.ColorNameForeground:          rgb(0xeeebf3),
	theme.ColorNamePrimary:             rgb(0xb79df5),
	theme.ColorNameForegroundOnPrimary: rgb(0x1d1433),
	theme.ColorNameHyperlink:           rgb(0xb79df5),
	theme.ColorNameButton:              rgb(0x33313b),
	theme.ColorNameDisabledButton:      rgb(0x27262d),
	theme.ColorNameDisabled:            rgb(0x9a95a6),
	theme.ColorNamePlaceHolder:         rgb(0xa29dae),
	theme.ColorNameInputBackground:     rgb(0x25242b),
	theme.ColorNameInputBorder:         rgb(0x787383),
	theme.ColorNameHeaderBackground:    rgb(0x232229),
	theme.ColorNameMenuBackground:      rgb(0x2a2931),
	theme.ColorNameOverlayBackground:   rgb(0x232229),
	theme.ColorNameSeparator:           rgb(0x3a3843),
	theme.ColorNameHover:               alpha(0xeeebf3, 20),
	theme.ColorNamePressed:             alpha(0xeeebf3, 48),
	theme.ColorNameFocus:               alpha(0xb79df5, 110),
	theme.ColorNameSelection:           alpha(0xb79df5, 70),
	theme.ColorNameScrollBar:           alpha(0xeeebf3, 110),
	theme.ColorNameShadow:              alpha(0x000000, 120),
	theme.ColorNameError:               rgb(0xff8a80),
	theme.ColorNameForegroundOnError:   rgb(0x2b0605),
	theme.ColorNameWarning:             rgb(0xf0b45a),
	theme.ColorNameForegroundOnWarning: rgb(0x2a1a00),
	theme.ColorNameSuccess:             rgb(0x7fd39a),
	theme.ColorNameForegroundOnSuccess: rgb(0x06210f),
	ColorNameCanvas:                    rgb(0x111015),
	ColorNameShade:                     alpha(0x111015, 185),
	ColorNameCard:                      rgb(0x25242b),
}
