package dataset

import (
	"image"
	"math/bits"

	"github.com/disintegration/imaging"
)

// near is the number of bits by which the hashes of near-duplicates differ at most.
const near = 4

// dHash is a picture's difference hash (N. Krawetz, Kind of like that, hackerfactor.com, 2013): shrunk to 9 by 8 greys,
// each of its 64 bits tells whether brightness rises from one to the next. Scaling and compression change few bits.
func dHash(img *image.NRGBA) uint64 {
	gray, w, h := luma(imaging.Resize(img, 9, 8, imaging.Box))
	var hash uint64
	for y := range h {
		for x := range w - 1 {
			hash <<= 1
			if gray[y*w+x] < gray[y*w+x+1] {
				hash |= 1
			}
		}
	}
	return hash
}

// alike tells whether two hashes are those of near-duplicates.
func alike(a, b uint64) bool { return bits.OnesCount64(a^b) <= near }
