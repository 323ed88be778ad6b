// Package icons holds the pictures that the window is drawn with.
package icons

import _ "embed"

// App is the program's icon, a PNG of 256 by 256 pixels drawn from icon.svg.
//
//go:embed icon.png
var App []byte
