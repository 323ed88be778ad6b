package caption

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"easel/engine/dataset"

	"github.com/disintegration/imaging"
)

// side of the pictures that the built-in captioner learned from, pixels.
const side = 128

// ground is a named colour of the built-in captioner's world (the composites it learned from).
type ground struct {
	name  string
	shade color.NRGBA
}

var grounds = []ground{
	{"white", color.NRGBA{245, 245, 245, 255}}, {"black", color.NRGBA{25, 25, 28, 255}}, {"gray", color.NRGBA{140, 140, 145, 255}},
	{"red", color.NRGBA{205, 45, 45, 255}}, {"orange", color.NRGBA{240, 140, 40, 255}}, {"yellow", color.NRGBA{245, 215, 70, 255}},
	{"green", color.NRGBA{70, 165, 80, 255}}, {"blue", color.NRGBA{60, 110, 215, 255}}, {"purple", color.NRGBA{130, 70, 175, 255}},
	{"pink", color.NRGBA{245, 160, 190, 255}}, {"brown", color.NRGBA{125, 85, 55, 255}}, {"cyan", color.NRGBA{90, 205, 220, 255}},
}

// scene is a picture with what is known of it.
type scene struct {
	kind   string
	noun   string // "" where it has none of the captioner's world
	ground string
	img    *image.NRGBA
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func decoded(t *testing.T, path string) *image.NRGBA {
	t.Helper()
	img, _, err := dataset.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// rendered are pictures that the built-in model made from "a NOUN on a COLOUR background"; NOUN-COLOUR-NN.jpg. What it
// made of the noun is often hard to tell.
func rendered(t *testing.T) []scene {
	var all []scene
	files, _ := filepath.Glob(filepath.Join(root(t), "testdata/captions/*.jpg"))
	for _, path := range files {
		parts := strings.Split(filepath.Base(path), "-")
		img := decoded(t, path)
		all = append(all, scene{"rendered", parts[0], nearest(img), img})
	}
	return all
}

// nearest names the colour at a picture's border, whatever was asked for.
func nearest(img *image.NRGBA) string {
	var sum [3]float64
	n := 0.0
	for i := range side {
		for _, p := range []image.Point{{i, 2}, {i, side - 3}, {2, i}, {side - 3, i}} {
			c := img.NRGBAAt(p.X, p.Y)
			sum[0], sum[1], sum[2] = sum[0]+float64(c.R), sum[1]+float64(c.G), sum[2]+float64(c.B)
			n++
		}
	}
	best, name := math.Inf(1), ""
	for _, g := range grounds {
		d := math.Hypot(math.Hypot(sum[0]/n-float64(g.shade.R), sum[1]/n-float64(g.shade.G)), sum[2]/n-float64(g.shade.B))
		if d < best {
			best, name = d, g.name
		}
	}
	return name
}

// composites are the sample subjects, cut out where they stand on a plain ground, on grounds of every named colour. The
// captioner has never seen the subjects; of their kinds it knows mugs.
func composites(t *testing.T) []scene {
	var all []scene
	for _, c := range []struct{ file, noun string }{{"zorbit/zorbit_06", "monster"}, {"zorbit/zorbit_08", "monster"}, {"birdbot/birdbot_03", "robot"},
		{"birdbot/birdbot_04", "robot"}, {"dotmug/dotmug_03", "mug"}, {"dotmug/dotmug_05", "mug"}} {
		img := imaging.Resize(decoded(t, filepath.Join(root(t), "samples", c.file+".png")), side, side, imaging.Lanczos)
		for _, g := range grounds {
			all = append(all, scene{"composite", c.noun, g.name, onGround(img, g.shade)})
		}
	}
	return all
}

// onGround replaces a plain ground, which is what is like the picture's corner.
func onGround(img *image.NRGBA, shade color.NRGBA) *image.NRGBA {
	out := imaging.Clone(img)
	corner := img.NRGBAAt(2, 2)
	for i := 0; i < len(out.Pix); i += 4 {
		d := max(distance(out.Pix[i], corner.R), distance(out.Pix[i+1], corner.G), distance(out.Pix[i+2], corner.B))
		part := min(max((d-20)/30, 0), 1)
		for c, to := range []uint8{shade.R, shade.G, shade.B} {
			out.Pix[i+c] = uint8(part*float64(out.Pix[i+c]) + (1-part)*float64(to))
		}
	}
	return out
}

func distance(a, b uint8) float64 { return math.Abs(float64(a) - float64(b)) }

// photographs are crops of what lies about on a machine with Go and our modules.
func photographs(t *testing.T) []scene {
	var all []scene
	module := func(name, file string) string {
		dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", name).Output()
		if err != nil {
			return ""
		}
		return filepath.Join(strings.TrimSpace(string(dir)), file)
	}
	goroot, _ := exec.Command("go", "env", "GOROOT").Output()
	for _, path := range []string{
		module("golang.org/x/image", "testdata/go-turns-two-280x360.jpeg"), module("github.com/disintegration/imaging", "testdata/branches.jpg"),
		module("gorgonia.org/gorgonia", "examples/tiny-yolo-v2-coco/data/dog.jpg"), filepath.Join(strings.TrimSpace(string(goroot)), "src/image/testdata/video-001.jpeg"),
	} {
		if _, err := os.Stat(path); err != nil {
			continue
		}
		img := decoded(t, path)
		w, h := img.Rect.Dx(), img.Rect.Dy()
		all = append(all, scene{kind: "photograph", img: img})
		for _, part := range []float64{0.5, 0.7} { // the corners and the middle
			cw, ch := int(part*float64(w)), int(part*float64(h))
			for _, p := range []image.Point{{0, 0}, {w - cw, 0}, {0, h - ch}, {w - cw, h - ch}, {(w - cw) / 2, (h - ch) / 2}} {
				all = append(all, scene{kind: "photograph", img: imaging.Crop(img, image.Rectangle{p, p.Add(image.Pt(cw, ch))})})
			}
		}
	}
	return all
}

// drawn are textures and scenes: noise of several grains, stripes, checks, dead leaves, landscapes.
func drawn() []scene {
	r := rand.New(rand.NewPCG(8, 8))
	shade := func() color.NRGBA {
		return color.NRGBA{uint8(r.IntN(256)), uint8(r.IntN(256)), uint8(r.IntN(256)), 255}
	}
	paint := func(at func(x, y int) color.NRGBA) *image.NRGBA {
		img := image.NewNRGBA(image.Rect(0, 0, side, side))
		for y := range side {
			for x := range side {
				img.SetNRGBA(x, y, at(x, y))
			}
		}
		return img
	}
	var all []scene
	add := func(kind string, img *image.NRGBA) { all = append(all, scene{kind: kind, img: img}) }
	for i := range 16 {
		grain := 2 << (i % 5)
		small := image.NewNRGBA(image.Rect(0, 0, max(side/grain, 2), max(side/grain, 2)))
		for p := 0; p < len(small.Pix); p += 4 {
			c := shade()
			copy(small.Pix[p:], []uint8{c.R, c.G, c.B, 255})
		}
		add("noise", imaging.Resize(small, side, side, imaging.CatmullRom))
		a, b, n := shade(), shade(), 4+r.IntN(28)
		switch i % 2 {
		case 0:
			add("pattern", paint(func(x, y int) color.NRGBA { return []color.NRGBA{a, b}[(x/n+y/n)%2] }))
		default:
			add("pattern", paint(func(x, y int) color.NRGBA { return []color.NRGBA{a, b}[(x+y)/n%2] }))
		}
		leaves := image.NewNRGBA(image.Rect(0, 0, side, side))
		for range 400 {
			cx, cy, radius, c := r.IntN(side), r.IntN(side), 3+r.IntN(18), shade()
			for y := max(cy-radius, 0); y < min(cy+radius, side); y++ {
				for x := max(cx-radius, 0); x < min(cx+radius, side); x++ {
					if (x-cx)*(x-cx)+(y-cy)*(y-cy) < radius*radius {
						leaves.SetNRGBA(x, y, c)
					}
				}
			}
		}
		add("leaves", leaves)
		sky, near, far, sun := shade(), shade(), shade(), r.IntN(side)
		add("landscape", paint(func(x, y int) color.NRGBA {
			hill := func(height, width, shift float64) bool {
				return float64(y) > height+12*math.Sin(float64(x)/width+shift)+5*math.Sin(float64(x)/7+shift)
			}
			switch {
			case hill(95, 20, float64(i)):
				return near
			case hill(70, 13, float64(2*i)):
				return far
			case (x-sun)*(x-sun)+(y-25)*(y-25) < 150:
				return color.NRGBA{250, 230, 120, 255}
			}
			fade := uint8(y / 2)
			return color.NRGBA{max(sky.R, fade), max(sky.G, fade), max(sky.B, fade), 255}
		}))
	}
	return all
}
