//go:build cgo && linux && amd64

package onednn

/*
#include "ez.h"
*/
import "C"

// The algorithms of Options.Convolution.
const (
	direct   = "direct"
	winograd = "winograd"
)

// prefersWinograd decides between the algorithms.
func (b *backend) prefersWinograd(c convolution) bool {
	return suits(c.shape) && b.fixed == winograd
}
