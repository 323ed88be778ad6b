// Package icons holds the pictures that the window is drawn with.
package icons

import "embed"

// App is the program's icon, a PNG of 256 by 256 pixels drawn from icon.svg.
//
//go:embed icon.png
var App []byte

// The icons are SVGs of one colour, 24 by 24. outline.py makes them of strokes.txt.
//
//go:embed *.svg
var files embed.FS

// SVG is the icon of a name, such as "pictures"; nil where there is none.
func SVG(name string) []byte {
	data, err := files.ReadFile(name + ".svg")
	if err != nil {
		return nil
	}
	return data
}
