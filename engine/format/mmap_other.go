//go:build !unix

package format

import (
	"errors"
	"os"
)

// mapFile is not available here; the caller reads the file instead.
func mapFile(*os.File, int64) (data []byte, release func() error, err error) {
	return nil, nil, errors.ErrUnsupported
}
