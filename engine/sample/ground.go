package sample

import (
	"image"
	"image/color"
	"math"
	"regexp"
)

// grounds are the colours that a prompt can ask a background to have.
var grounds = map[string]color.RGBA{
	"red": {215, 45, 45, 255}, "green": {70, 160, 80, 255}, "blue": {60, 105, 205, 255}, "yellow": {245, 215, 70, 255},
	"orange": {240, 145, 50, 255}, "purple": {135, 75, 175, 255}, "pink": {245, 150, 185, 255}, "brown": {130, 90, 60, 255},
	"cyan": {90, 205, 215, 255}, "white": {245, 245, 245, 255}, "gray": {130, 130, 130, 255}, "black": {25, 25, 25, 255},
}

var groundOf = regexp.MustCompile(`\bon an? (\w+) background\b`)

// Ground says how much of a picture's border has the colour of the background that its prompt asks for, 0 to 1: the share
// of pixels, in the outer tenth, to which no other of twelve named colours is nearer (CIE76 in L*a*b*, of which lightness
// counts half: shadows fall on grounds). ok is false for a prompt that names none.
func Ground(prompt string, p image.Image) (share float64, ok bool) {
	m := groundOf.FindStringSubmatch(prompt)
	if m == nil {
		return 0, false
	}
	if _, ok := grounds[m[1]]; !ok {
		return 0, false
	}
	b := p.Bounds()
	margin := max(min(b.Dx(), b.Dy())/10, 1)
	inner := b.Inset(margin)
	right, all := 0, 0
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if (image.Point{x, y}).In(inner) {
				continue
			}
			all++
			if nearest(p.At(x, y)) == m[1] {
				right++
			}
		}
	}
	return float64(right) / float64(all), true
}

// nearest is the name of the colour that is most like c.
func nearest(c color.Color) string {
	best, name := math.Inf(1), ""
	at := lab(c)
	for n, g := range grounds {
		l := lab(g)
		if d := math.Hypot(math.Hypot((at[0]-l[0])/2, at[1]-l[1]), at[2]-l[2]); d < best || d == best && n < name {
			best, name = d, n
		}
	}
	return name
}

// lab is CIE L*a*b* of an sRGB colour, for the white D65 (IEC 61966-2-1; CIE 15).
func lab(c color.Color) [3]float64 {
	r, g, b, _ := c.RGBA()
	linear := func(v uint32) float64 {
		s := float64(v) / 0xffff
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	lr, lg, lb := linear(r), linear(g), linear(b)
	f := func(v float64) float64 {
		if v > 216.0/24389 {
			return math.Cbrt(v)
		}
		return (24389.0/27*v + 16) / 116
	}
	x := f((0.4124564*lr + 0.3575761*lg + 0.1804375*lb) / 0.95047)
	y := f(0.2126729*lr + 0.7151522*lg + 0.0721750*lb)
	z := f((0.0193339*lr + 0.1191920*lg + 0.9503041*lb) / 1.08883)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}
