//go:build cgo && linux && amd64

package onednn

/*
#include "ez.h"
*/
import "C"

// maxPrimitives bounds each of a backend's caches: keys hold shapes and a Linear's alpha, of which a long session may
// see any number. One network at one size needs some hundreds.
const maxPrimitives = 4096

// keep remembers what was made for key, nil where there is no implementation; a full cache starts anew.
func keep[K comparable](cache map[K]*C.ez_prim, key K, p *C.ez_prim) {
	if len(cache) >= maxPrimitives {
		forget(cache)
	}
	cache[key] = p
}

// forget frees all primitives of a cache.
func forget[K comparable](cache map[K]*C.ez_prim) {
	for _, p := range cache {
		C.ez_prim_free(p)
	}
	clear(cache)
}
