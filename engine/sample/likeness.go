package sample

import (
	"context"
	"image"
	"math"

	"easel/engine"
	"easel/engine/dataset"
	"easel/engine/graph"
	"easel/engine/kernel"
)

// Likeness says how much pictures show the subject of the training pictures: 0 is what the untrained model makes of the
// subject's class, 1 the training picture that is most like the others.
//
// A picture's score is the mean, over the training pictures, of the share of their parts that have a best buddy in it
// (best-buddies similarity; Dekel et al., CVPR 2015). Parts are compared by features of the untrained model's UNet (DIFT;
// Tang et al., arXiv 2306.03881).
type Likeness struct {
	base     *Renderer
	training []*Features
	own      []float64 // score of each training picture against the others
	lo, hi   float64   // scores that count as 0 and 1
}

// What a likeness needs: fewer pictures, or a narrower range of scores, would give noise for a number.
const (
	leastTraining = 3
	leastRange    = 0.05
)

// NewLikeness measures the scale. base has no adapter and must stay open. training are the training pictures as
// Renderer.Features wants them; bare renders pictures of the class without the subject. A likeness that cannot be
// measured, for too few pictures or because the features do not tell them from bare ones, is a BadInput error.
func NewLikeness(ctx context.Context, base *Renderer, training [][]float32, bare func(context.Context) ([]image.Image, error)) (*Likeness, error) {
	if len(training) < leastTraining {
		return nil, engine.Errorf("measure likeness", "", engine.BadInput, "it takes %d training pictures or more, and there are %d", leastTraining, len(training))
	}
	l := &Likeness{base: base}
	for _, p := range training {
		f, err := base.Features(ctx, p)
		if err != nil {
			return nil, err
		}
		l.training = append(l.training, f)
	}
	for i, f := range l.training {
		s, err := l.score(f, i)
		if err != nil {
			return nil, err
		}
		l.own = append(l.own, s)
		l.hi = max(l.hi, s)
	}
	pictures, err := bare(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range pictures {
		s, err := l.scoreOf(ctx, p)
		if err != nil {
			return nil, err
		}
		l.lo += s / float64(len(pictures))
	}
	return l, l.check()
}

// check refuses a scale that tells nothing.
func (l *Likeness) check() error {
	if l.hi-l.lo >= leastRange {
		return nil
	}
	return engine.Errorf("measure likeness", "", engine.BadInput,
		"the training pictures are no more alike (%.2f) than they are like pictures of the class (%.2f)", l.hi, l.lo)
}

// Of is the likeness of a picture, 0 to 1.
func (l *Likeness) Of(ctx context.Context, img image.Image) (float64, error) {
	s, err := l.scoreOf(ctx, img)
	return l.scale(s), err
}

// Own is the mean likeness of the training pictures, each measured against the others: as good as pictures get that
// show the subject in as many ways.
func (l *Likeness) Own() float64 {
	sum := 0.0
	for _, s := range l.own {
		sum += l.scale(s)
	}
	return sum / float64(len(l.own))
}

func (l *Likeness) scale(score float64) float64 {
	return min(max((score-l.lo)/(l.hi-l.lo), 0), 1)
}

func (l *Likeness) scoreOf(ctx context.Context, img image.Image) (float64, error) {
	f, err := l.base.Features(ctx, pixels(img, l.base.Model.Resolution()))
	if err != nil {
		return 0, err
	}
	return l.score(f, -1)
}

// score is the mean of the best-buddies similarities to all training pictures but one; -1 leaves none out.
func (l *Likeness) score(f *Features, except int) (float64, error) {
	sum, n := 0.0, 0
	for i, r := range l.training {
		if i == except {
			continue
		}
		b, err := bestBuddies(l.base.Backend, r, f)
		if err != nil {
			return 0, err
		}
		sum, n = sum+b, n+1
	}
	return sum / float64(n), nil
}

// pixels cuts a picture to a square [side, side, 3] in [-1, 1].
func pixels(img image.Image, side int) []float32 {
	square := dataset.Fit(img, image.Pt(side, side))
	out := make([]float32, 0, 3*side*side)
	for i := 0; i < len(square.Pix); i += 4 {
		for _, v := range square.Pix[i : i+3] {
			out = append(out, float32(v)/127.5-1)
		}
	}
	return out
}

// centre is the standard deviation of the weight that the middle of a training picture has over its border, where the
// subject seldom is; half a picture is 1.
const centre = 0.5

// bestBuddies is the share of r's positions, weighted towards r's middle, that have a best buddy in g: a position that
// is most like them of all in g, and that they are most like of all in r. Both have the same number of positions.
func bestBuddies(b kernel.Backend, r, g *Features) (float64, error) {
	s, err := similarities(b, r, g)
	if err != nil {
		return 0, err
	}
	n := r.side * r.side
	inR, inG := make([]int, n), make([]int, n) // most like q in r, most like p in g
	for p := range n {
		for q := range n {
			if s[p*n+q] > s[p*n+inG[p]] {
				inG[p] = q
			}
			if s[p*n+q] > s[inR[q]*n+q] {
				inR[q] = p
			}
		}
	}
	found, all := 0.0, 0.0
	for p := range n {
		y, x := 2*(float64(p/r.side)+.5)/float64(r.side)-1, 2*(float64(p%r.side)+.5)/float64(r.side)-1
		w := math.Exp(-(x*x + y*y) / (2 * centre * centre))
		all += w
		if inR[inG[p]] == p {
			found += w
		}
	}
	return found / all, nil
}

// similarities is S [n, n] for r's positions p and g's q: the mean, over a neighbourhood of 3 x 3, of the cosines of
// the features at p+d and q+d. Beyond the border the border's positions count again.
func similarities(b kernel.Backend, r, g *Features) ([]float32, error) {
	n := r.side * r.side
	cos := kernel.New(kernel.F32, n, n)
	if err := b.Linear(cos, r.vectors, g.vectors, nil, nil, 1); err != nil {
		return nil, err
	}
	s := make([]float32, n*n)
	for dy := -1; dy <= 1; dy++ {
		for dx := -1; dx <= 1; dx++ {
			to := shifted(r.side, dy, dx)
			for p := range n {
				from, into := cos.F32()[to[p]*n:(to[p]+1)*n], s[p*n:(p+1)*n]
				for q := range into {
					into[q] += from[to[q]] / 9
				}
			}
		}
	}
	return s, nil
}

// shifted is the position at distance (dy, dx) from each position of a square, kept inside it.
func shifted(side, dy, dx int) []int {
	to := make([]int, 0, side*side)
	for y := range side {
		for x := range side {
			to = append(to, min(max(y+dy, 0), side-1)*side+min(max(x+dx, 0), side-1))
		}
	}
	return to
}

// Features describe the parts of a picture: side x side positions, each with a vector of length 1.
type Features struct {
	side    int
	vectors *kernel.Tensor // [side·side, channels]
}

const (
	featureTime = 15 // timestep at which features are taken, percent of the schedule
	mostSide    = 32 // more positions are averaged: comparing costs their square
)

// Features computes the features of a picture, given as [side, side, 3] in [-1, 1] with side the model's Resolution:
// those that the UNet, without adapter, has inside when it sees the picture's latent and the empty prompt. The latent is
// the mean of the VAE's posterior, and no noise is added, so that the same picture has the same features.
func (r *Renderer) Features(ctx context.Context, pixels []float32) (*Features, error) {
	side := r.Model.Resolution()
	if len(pixels) != 3*side*side {
		return nil, engine.Errorf("compute features", "", engine.Internal, "%d values for %d x %d pixels", len(pixels), side, side)
	}
	z, err := r.encode(ctx, kernel.FromF32(pixels, 1, side, side, 3))
	if err != nil {
		return nil, err
	}
	empty, err := r.contexts(ctx, []string{""})
	if err != nil {
		return nil, err
	}
	unet, err := r.features(z.Shape, empty.Shape)
	if err != nil {
		return nil, err
	}
	t := kernel.FromF32([]float32{float32(r.Schedule.Len() * featureTime / 100)}, 1)
	out, err := unet.Call(ctx, z, t, empty)
	if err != nil {
		return nil, err
	}
	return newFeatures(out), nil
}

// encode is the scaled mean of the latent of a picture: [1, h, w, c].
func (r *Renderer) encode(ctx context.Context, picture *kernel.Tensor) (*kernel.Tensor, error) {
	encode, err := r.encoder(picture.Shape)
	if err != nil {
		return nil, err
	}
	moments, err := encode.Call(ctx, picture)
	if err != nil {
		return nil, err
	}
	c := moments.Channels() / 2
	z := kernel.New(kernel.F32, 1, moments.Shape[1], moments.Shape[2], c)
	for i := range z.F32() {
		z.F32()[i] = float32(float64(moments.F32()[i/c*2*c+i%c]) * r.Model.VAE.ScalingFactor)
	}
	return z, nil
}

func (r *Renderer) encoder(picture []int) (*graph.Function, error) {
	return r.function([5]int{isEncoder, picture[0], picture[1], picture[2], picture[3]}, func(g *graph.Graph) ([]*graph.Node, *graph.Node) {
		in := g.Input("picture", picture...)
		return []*graph.Node{in}, r.Model.BuildEncoder(g, in)
	})
}

func (r *Renderer) features(z, context []int) (*graph.Function, error) {
	return r.function([5]int{isFeatures, z[0], z[1], z[2], z[3]}, func(g *graph.Graph) ([]*graph.Node, *graph.Node) {
		in := []*graph.Node{g.Input("z", z...), g.Input("t", z[0]), g.Input("context", context...)}
		return in, r.Model.BuildFeatures(g, in[0], in[1], in[2])
	})
}

// newFeatures averages a square [1, from, from, c] to at most 32 x 32 positions and makes their vectors' length 1.
func newFeatures(t *kernel.Tensor) *Features {
	from, c := t.Shape[1], t.Channels()
	side := min(from, mostSide)
	f := &Features{side, kernel.New(kernel.F32, side*side, c)}
	start := func(i int) int { return i * from / side }
	end := func(i int) int { return ((i+1)*from + side - 1) / side }
	for p := range side * side {
		v := f.vectors.F32()[p*c : (p+1)*c]
		for y := start(p / side); y < end(p/side); y++ {
			for x := start(p % side); x < end(p%side); x++ {
				for k, u := range t.F32()[(y*from+x)*c : (y*from+x+1)*c] {
					v[k] += u // a sum has the mean's direction
				}
			}
		}
		normalise(v)
	}
	return f
}

func normalise(v []float32) {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if sum == 0 {
		return
	}
	for k, x := range v {
		v[k] = float32(float64(x) / math.Sqrt(sum))
	}
}
