// Package clipboard reads pictures from the system's clipboard, of which Fyne gives the text only.
package clipboard

import (
	"context"
	"time"
)

const (
	// wait is how long the program that owns the clipboard has for each part of its answer.
	wait = 3 * time.Second
	// most is the size of the largest picture that is taken, in bytes.
	most = 256 << 20
)

// Picture returns the PNG file that the clipboard holds, as browsers and picture programs put it there; nothing where it holds
// no picture, or where this system is not known.
func Picture(ctx context.Context) ([]byte, error) { return picture(ctx) }
