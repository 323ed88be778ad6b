package sample

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"easel/engine"
	"easel/engine/builtin"
	"easel/engine/dataset"
	"easel/engine/diffusion"
	"easel/engine/graph"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/kernel/onednn"
	"easel/engine/kernel/ref"
	"easel/engine/model"

	"github.com/google/go-cmp/cmp"
)

// featuresOf makes features of side·side vectors, position by position.
func featuresOf(side int, vectors ...[]float32) *Features {
	t := kernel.New(kernel.F32, 1, side, side, len(vectors[0]))
	for i, v := range vectors {
		copy(t.F32()[i*len(v):], v)
	}
	return newFeatures(t)
}

// unit is n numbers, 0 but for a 1 at i.
func unit(n, i int) []float32 {
	v := make([]float32, n)
	v[i] = 1
	return v
}

// TestBestBuddies has answers worked out by hand or, for random features, by what must be left of them.
func TestBestBuddies(t *testing.T) {
	const side = 12
	random := rand.New(rand.NewPCG(1, 2))
	draw := func() (vs [][]float32) {
		for range side * side {
			v := make([]float32, 4)
			for k := range v {
				v[k] = float32(random.NormFloat64())
			}
			vs = append(vs, v)
		}
		return vs
	}
	all, another := draw(), draw()
	var shuffled, moved [][]float32
	for _, i := range random.Perm(len(all)) {
		shuffled = append(shuffled, all[i])
	}
	for i := range all { // two to the right, around the border
		moved = append(moved, all[i/side*side+(i%side+side-2)%side])
	}
	every := func(side int) (vs, first [][]float32) { // all positions different; all like the first
		for i := range side * side {
			vs, first = append(vs, unit(side*side, i)), append(first, unit(side*side, 0))
		}
		return vs, first
	}
	two, firstOfTwo := every(2)
	three, firstOfThree := every(3)
	chance := 144.0 / (2*144 - 1)
	corner, edge := math.Exp(-2*4.0/9/0.5), math.Exp(-4.0/9/0.5)
	cases := []struct {
		name        string
		r, g        *Features
		least, most float64
	}{
		{"the same", featuresOf(side, all...), featuresOf(side, all...), 1, 1},
		// Between unrelated pictures, the largest of a row is also that of its column with chance n/(2n-1).
		{"moved", featuresOf(side, all...), featuresOf(side, moved...), 0.75, 0.99},
		{"shuffled", featuresOf(side, all...), featuresOf(side, shuffled...), chance - 0.1, chance + 0.1},
		{"another", featuresOf(side, all...), featuresOf(side, another...), chance - 0.1, chance + 0.1},
		{"one position", featuresOf(1, []float32{1, 0}), featuresOf(1, []float32{0, 1}), 1, 1},
		// A picture of nothing but r's first corner: all of r is most like its first position, which is most like r's
		// corner, for the corner's neighbourhood holds the corner four times.
		{"one of four", featuresOf(2, two...), featuresOf(2, firstOfTwo...), 0.25, 0.25},
		{"a corner of nine", featuresOf(3, three...), featuresOf(3, firstOfThree...), corner / (1 + 4*edge + 4*corner), corner / (1 + 4*edge + 4*corner)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := bestBuddies(ref.New(), c.r, c.g)
			if err != nil {
				t.Fatal(err)
			}
			if got < c.least-1e-9 || got > c.most+1e-9 {
				t.Errorf("similarity %.4f, want %.4f to %.4f", got, c.least, c.most)
			}
		})
	}
}

func TestFeaturesOfManyPositionsAreAveraged(t *testing.T) {
	for _, from := range []int{1, 31, 32, 33, 64, 80} {
		big := kernel.New(kernel.F32, 1, from, from, 3)
		for p := range from * from { // a red half, and nothing below it
			if p/from < from/2 {
				big.F32()[3*p] = 7
			}
		}
		f := newFeatures(big)
		side := min(from, 32)
		if f.side != side || !cmp.Equal(f.vectors.Shape, []int{side * side, 3}) {
			t.Fatalf("%d x %d positions became %d, %v", from, from, f.side, f.vectors.Shape)
		}
		first, last := f.vectors.F32()[:3], f.vectors.F32()[3*(side*side-1):]
		if from > 1 && !cmp.Equal(first, []float32{1, 0, 0}) || !cmp.Equal(last, []float32{0, 0, 0}) {
			t.Errorf("%d x %d: first %v, last %v", from, from, first, last)
		}
	}
}

func tinyRenderer(t *testing.T) *Renderer {
	t.Helper()
	m := loadTiny(t)
	schedule, err := diffusion.ParseSchedule(m.Scheduler)
	if err != nil {
		t.Fatal(err)
	}
	r := &Renderer{Model: m, Schedule: schedule, Backend: ref.New()}
	t.Cleanup(func() { r.Close() })
	return r
}

// TestFeaturesAgainstGolden compares BuildFeatures with diffusers' output of the block.
func TestFeaturesAgainstGolden(t *testing.T) {
	f := golden.Open(t, "unet.safetensors")
	m := loadTiny(t)
	for _, scope := range f.Cases() {
		name := fmt.Sprintf("%s/up_blocks.%d", scope, len(m.UNet.BlockOutChannels)-2)
		if !f.Has(name) {
			continue
		}
		t.Run(scope, func(t *testing.T) {
			x, step, empty := transpose(f.Tensor(scope+"/in/x"), false), f.Tensor(scope+"/in/t"), f.Tensor(scope+"/in/context")
			g := graph.New()
			in := []*graph.Node{g.Input("x", x.Shape...), g.Input("t", step.Shape...), g.Input("context", empty.Shape...)}
			features, err := graph.NewFunction(g, ref.New(), in, m.BuildFeatures(g, in[0], in[1], in[2]), graph.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer features.Close()
			out, err := features.Call(context.Background(), x, step, empty)
			if err != nil {
				t.Fatal(err)
			}
			f.Check(t, "", name, transpose(out, true).F32())
		})
	}
}

// picture is one of noise; the same number gives the same picture.
func picture(number uint64) image.Image {
	random := rand.New(rand.NewPCG(number, 0))
	img := image.NewNRGBA(image.Rect(0, 0, 50, 40))
	for i := range img.Pix {
		img.Pix[i] = uint8(random.Uint32()) | 255*uint8(i%4/3)
	}
	return img
}

func TestFeaturesAreAFunctionOfThePicture(t *testing.T) {
	r := tinyRenderer(t)
	of := func(img image.Image) *Features {
		t.Helper()
		f, err := r.Features(context.Background(), pixels(img, r.Model.Resolution()))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	first, other, again := of(picture(1)), of(picture(2)), of(picture(1))
	if want := min(r.Model.UNet.SampleSize, 32); first.side != want || first.vectors.Shape[0] != want*want {
		t.Errorf("%d x %d positions, vectors %v; want %d", first.side, first.side, first.vectors.Shape, want)
	}
	if !cmp.Equal(first.vectors.F32(), again.vectors.F32()) {
		t.Error("the same picture has two features")
	}
	if cmp.Equal(first.vectors.F32(), other.vectors.F32()) {
		t.Error("two pictures have the same features")
	}
	if _, err := r.Features(context.Background(), make([]float32, 5)); err == nil {
		t.Error("5 values were taken for a picture")
	}
}

// renders stands for the rendering of bare pictures.
func renders(pictures ...image.Image) func(context.Context) ([]image.Image, error) {
	return func(context.Context) ([]image.Image, error) { return pictures, nil }
}

func repeated(r *Renderer, numbers ...uint64) (training [][]float32) {
	for _, n := range numbers {
		training = append(training, pixels(picture(n), r.Model.Resolution()))
	}
	return training
}

func TestLikenessScale(t *testing.T) {
	r := tinyRenderer(t)
	ctx := context.Background()
	l, err := NewLikeness(ctx, r, repeated(r, 1, 1, 1), renders(picture(2)))
	if err != nil {
		t.Fatal(err)
	}
	for number, want := range map[uint64]float64{1: 1, 2: 0} {
		if got, err := l.Of(ctx, picture(number)); err != nil || got != want {
			t.Errorf("picture %d: likeness %v, %v; want %v", number, got, err, want)
		}
	}
	if l.Own() != 1 {
		t.Errorf("the training pictures' own likeness is %v", l.Own())
	}
	far := Likeness{lo: 0.2, hi: 0.4, own: []float64{0.1, 0.3, 0.4}}
	for score, want := range map[float64]float64{0.1: 0, 0.2: 0, 0.3: 0.5, 0.4: 1, 0.9: 1} {
		if got := far.scale(score); math.Abs(got-want) > 1e-9 {
			t.Errorf("score %v is likeness %v, want %v", score, got, want)
		}
	}
	if math.Abs(far.Own()-0.5) > 1e-9 {
		t.Errorf("own likeness %v, want 0.5", far.Own())
	}
}

func TestLikenessThatCannotBeMeasured(t *testing.T) {
	r := tinyRenderer(t)
	failed := errors.New("rendering failed")
	cases := []struct {
		name     string
		training []uint64
		bare     func(context.Context) ([]image.Image, error)
		says     string
	}{
		{"two pictures", []uint64{1, 1}, nil, "3 training pictures"},
		{"no pictures", nil, nil, "3 training pictures"},
		{"the class is the subject", []uint64{1, 1, 1}, renders(picture(1)), "no more alike"},
		{"no bare pictures", []uint64{1, 1, 1}, func(context.Context) ([]image.Image, error) { return nil, failed }, failed.Error()},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := NewLikeness(context.Background(), r, repeated(r, c.training...), c.bare)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want one that says %q", err, c.says)
			}
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := NewLikeness(ctx, r, repeated(r, 1, 2, 3), nil); engine.KindOf(err) != engine.Cancelled {
		t.Errorf("a cancelled measurement returned %v", err)
	}
}

// TestLikenessTellsSubjectsApart: with any weights that are worth anything, the pictures of one subject are more like
// each other than like those of another.
func TestLikenessTellsSubjectsApart(t *testing.T) {
	if !onednn.Available() {
		t.Skip("needs the fast backend")
	}
	m, err := model.Load(builtin.Model())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	schedule, err := diffusion.ParseSchedule(m.Scheduler)
	if err != nil {
		t.Fatal(err)
	}
	b, err := onednn.New(onednn.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	r := &Renderer{Model: m, Schedule: schedule, Backend: b}
	defer r.Close()
	bare := func(context.Context) ([]image.Image, error) {
		var pictures []image.Image
		for _, p := range subject(t, "dotmug", m.Resolution()) {
			pictures = append(pictures, toImage(kernel.FromF32(p, 1, m.Resolution(), m.Resolution(), 3)))
		}
		return pictures, nil
	}
	l, err := NewLikeness(context.Background(), r, subject(t, "zorbit", m.Resolution()), bare)
	if err != nil {
		t.Fatal(err)
	}
	own := 0.0
	for _, score := range l.own {
		own += score / float64(len(l.own))
	}
	if own <= l.lo {
		t.Errorf("pictures of one subject score %.3f among each other, those of another %.3f", own, l.lo)
	}
}

// subject reads the pictures of one of the example subjects.
func subject(t *testing.T, name string, side int) (pictures [][]float32) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "samples", name, "*.png"))
	if err != nil || len(files) == 0 {
		t.Skipf("no pictures of %s in samples", name)
	}
	for _, path := range files {
		p, err := dataset.Item{Path: path, Width: side, Height: side}.Pixels()
		if err != nil {
			t.Fatal(err)
		}
		pictures = append(pictures, p)
	}
	return pictures
}
