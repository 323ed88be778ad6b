package optim

import (
	"math"
	"runtime"
	"sync"

	"easel/engine/kernel"
)

const (
	blockSize   = 256  // numbers that share a scale
	least8bit   = 4096 // smaller parameters keep float32 moments, as in bitsandbytes
	codesOfI32  = 4
	blockOfI32s = blockSize / codesOfI32
)

// adamW8bit is AdamW whose moments are stored in 8 bits: codes of a dynamic map, scaled by the largest of each block of
// 256 (Dettmers et al., arXiv 2110.02861; bitsandbytes' AdamW8bit). It keeps two bytes for each trained number.
type adamW8bit struct{ adamW }

func (*adamW8bit) Name() string { return "adamw8bit" }

// moments8 are the codes and scales of a parameter's moments.
type moments8 struct {
	m, v           []byte    // codes, a whole number of blocks
	mScale, vScale []float32 // by block
}

func (o *adamW8bit) Step(b kernel.Backend, params []Param, rate float64, gradScale float32) error {
	if err := check(params); err != nil {
		return err
	}
	step, err := o.counter("step")
	if err != nil {
		return err
	}
	full, coded := make([]moments, len(params)), make([]moments8, len(params))
	for i, p := range params {
		if p.Value.Len() < least8bit {
			full[i], err = o.recall(p)
		} else {
			coded[i], err = o.recall8(p)
		}
		if err != nil {
			return err
		}
	}
	r, err := o.rounder(o.settings.Seed, params)
	if err != nil {
		return err
	}
	*step++
	for i, p := range params {
		h := o.adamStep(p, rate, gradScale, int(*step))
		if full[i].m == nil {
			o.move8(r, p, coded[i], h)
		} else if err := o.move(b, r, p, full[i], h); err != nil {
			return err
		}
	}
	return nil
}

func (o *adamW8bit) recall8(p Param) (s moments8, err error) {
	blocks := (p.Value.Len() + blockSize - 1) / blockSize
	for _, part := range []struct {
		suffix string
		codes  *[]byte
		scale  *[]float32
	}{{"m", &s.m, &s.mScale}, {"v", &s.v, &s.vScale}} {
		codes, _, err := o.tensor(p.Name+"/"+part.suffix+"8", kernel.I32, blocks*blockOfI32s) // four codes in each
		if err != nil {
			return s, err
		}
		scale, _, err := o.tensor(p.Name+"/"+part.suffix+"_scale", kernel.F32, blocks)
		if err != nil {
			return s, err
		}
		*part.codes, *part.scale = codes.Data, scale.F32()
	}
	return s, nil
}

// move8 makes the step of one parameter, pieces of it at the same time.
func (o *adamW8bit) move8(r rounder, p Param, s moments8, h kernel.AdamStep) {
	parallel(p.Value.Len(), func(from, to int) {
		g, stored := p.Grad.F32()[from:to], p.Value.DType
		values := make([]float32, to-from)
		if stored == kernel.F32 {
			values = p.Value.F32()[from:to]
		} else {
			read(p.Value, values, from)
		}
		for at := 0; at < len(g); at += blockSize {
			end := min(at+blockSize, len(g))
			s.move((from+at)/blockSize, values[at:end], g[at:end], h)
		}
		if stored != kernel.F32 {
			r.write(p, values, from)
		}
	})
}

// move makes AdamW's step for the numbers of one block.
func (s moments8) move(block int, values, g []float32, h kernel.AdamStep) {
	codesM, codesV := s.m[block*blockSize:][:blockSize], s.v[block*blockSize:][:blockSize]
	scaleM, scaleV := s.mScale[block], s.vScale[block]
	correct1 := float32(1 - math.Pow(float64(h.Beta1), float64(h.Step)))
	correct2 := float32(math.Sqrt(1 - math.Pow(float64(h.Beta2), float64(h.Step))))
	keep := 1 - h.Rate*h.WeightDecay
	var m, v [blockSize]float32
	var mostM, mostV float32
	for i, grad := range g {
		grad *= h.GradScale
		m1 := h.Beta1*signedCodes.value[codesM[i]]*scaleM + (1-h.Beta1)*grad
		v1 := h.Beta2*unsignedCodes.value[codesV[i]]*scaleV + (1-h.Beta2)*grad*grad
		values[i] = values[i]*keep - h.Rate*m1/correct1/(float32(math.Sqrt(float64(v1)))/correct2+h.Eps)
		m[i], v[i] = m1, v1
		mostM, mostV = max(mostM, m1, -m1), max(mostV, v1)
	}
	s.mScale[block], s.vScale[block] = mostM, mostV
	for i := range g {
		codesM[i] = signedCodes.signOf(m[i], mostM)
		codesV[i] = unsignedCodes.of(v[i], mostV)
	}
}

// parallel calls f for pieces of 0 to n.
func parallel(n int, f func(from, to int)) {
	var all sync.WaitGroup
	pieces := (n + piece - 1) / piece
	workers := min(runtime.GOMAXPROCS(0), pieces)
	for w := range workers {
		all.Go(func() {
			for i := w; i < pieces; i += workers {
				f(i*piece, min((i+1)*piece, n))
			}
		})
	}
	all.Wait()
}
