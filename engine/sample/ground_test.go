package sample_test

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"testing"

	"easel/engine/sample"
)

func TestGround(t *testing.T) {
	red, green, blue := color.RGBA{230, 40, 30, 255}, color.RGBA{40, 180, 60, 255}, color.RGBA{40, 80, 220, 255}
	for _, c := range []struct {
		name, prompt string
		colours      []color.RGBA // from the left, equal parts
		subject      color.RGBA
		want         float64
		ok           bool
	}{
		{"obeyed", "a photo of a zorbit toy on a red background", []color.RGBA{red}, blue, 1, true},
		{"not obeyed", "a zorbit on a red background", []color.RGBA{green}, red, 0, true},
		{"half", "a zorbit on a red background", []color.RGBA{red, blue}, green, 0.5, true},
		{"in shadow", "a zorbit on a red background", []color.RGBA{{140, 30, 30, 255}}, green, 1, true},
		{"an", "a zorbit on an orange background", []color.RGBA{{245, 140, 40, 255}}, green, 1, true},
		{"no ground", "a zorbit on the beach", []color.RGBA{red}, green, 0, false},
		{"no colour", "a zorbit on a busy background", []color.RGBA{red}, green, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := image.NewRGBA(image.Rect(5, 5, 105, 105))
			for i, colour := range c.colours {
				part := image.Rect(5+100*i/len(c.colours), 5, 5+100*(i+1)/len(c.colours), 105)
				draw.Draw(p, part, image.NewUniform(colour), image.Point{}, draw.Src)
			}
			draw.Draw(p, image.Rect(30, 30, 80, 80), image.NewUniform(c.subject), image.Point{}, draw.Src)
			got, ok := sample.Ground(c.prompt, p)
			if math.Abs(got-c.want) > 1e-9 || ok != c.ok {
				t.Errorf("%g, %v; want %g, %v", got, ok, c.want, c.ok)
			}
		})
	}
}
