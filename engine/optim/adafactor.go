package optim

import (
	"math"

	"easel/engine/kernel"
)

// The constants of Adafactor that nobody changes, as in transformers.
const (
	adafactorFloor     = 1e-30 // added to g²
	adafactorLeast     = 1e-3  // least root mean square of a parameter with ScaleParameter
	adafactorThreshold = 1     // largest root mean square of an update, before the rate
	adafactorDecay     = -0.8  // 1 - step^decay is the decay of the running means
)

// adafactor is Adam without first moment whose second moment is a product of row and column means (Shazeer and
// Stern, arXiv 1804.04235; as transformers' Adafactor without β1). It factors the last two dimensions, and keeps
// next to nothing for matrices.
type adafactor struct {
	memory
	settings Settings
	update   []float32 // scratch
}

func (*adafactor) Name() string { return "adafactor" }

// secondMoment is the running mean of g², either in full or as means over columns (one per row) and over rows.
type secondMoment struct{ full, rows, columns []float32 }

func (o *adafactor) Step(_ kernel.Backend, params []Param, rate float64, gradScale float32) error {
	if err := check(params); err != nil {
		return err
	}
	step, err := o.counter("step")
	if err != nil {
		return err
	}
	moments := make([]secondMoment, len(params))
	for i, p := range params {
		if moments[i], err = o.recall(p); err != nil {
			return err
		}
	}
	r, err := o.rounder(o.settings.Seed, params)
	if err != nil {
		return err
	}
	*step++
	decay := 1 - math.Pow(float64(*step), adafactorDecay)
	rate = o.rate(rate, float64(*step))
	for i, p := range params {
		o.direction(p, moments[i], decay, float64(gradScale))
		if err := o.move(r, p, rate*float64(p.Rate)); err != nil {
			return err
		}
	}
	return nil
}

func (o *adafactor) recall(p Param) (s secondMoment, err error) {
	n := len(p.Value.Shape)
	if n < 2 {
		s.full, err = o.moment(p, "v")
		return s, err
	}
	rows, _, err := o.tensor(p.Name+"/rows", kernel.F32, p.Value.Shape[:n-1]...)
	if err != nil {
		return s, err
	}
	shape := append([]int(nil), p.Value.Shape[:n-2]...)
	columns, _, err := o.tensor(p.Name+"/columns", kernel.F32, append(shape, p.Value.Shape[n-1])...)
	if err != nil {
		return s, err
	}
	return secondMoment{rows: rows.F32(), columns: columns.F32()}, nil
}

func (o *adafactor) rate(given, step float64) float64 {
	switch {
	case o.settings.WarmupInit:
		return min(1e-6*step, 1/math.Sqrt(step))
	case o.settings.RelativeStep:
		return min(1e-2, 1/math.Sqrt(step))
	}
	return given
}

// direction takes one gradient into the second moment and puts g/√moment into o.update.
func (o *adafactor) direction(p Param, s secondMoment, decay, gradScale float64) {
	grads := p.Grad.F32()
	if cap(o.update) < len(grads) {
		o.update = make([]float32, len(grads))
	}
	o.update = o.update[:len(grads)]
	if s.full != nil {
		for i, g32 := range grads {
			g := float64(g32) * gradScale
			v := decay*float64(s.full[i]) + (1-decay)*(g*g+adafactorFloor)
			s.full[i] = float32(v)
			o.update[i] = float32(g / math.Sqrt(v))
		}
		return
	}
	shape := p.Value.Shape
	rows, columns := shape[len(shape)-2], shape[len(shape)-1]
	for at := 0; at < len(grads)/(rows*columns); at++ {
		g, u := grads[at*rows*columns:][:rows*columns], o.update[at*rows*columns:][:rows*columns]
		factored(u, g, s.rows[at*rows:][:rows], s.columns[at*columns:][:columns], decay, gradScale)
	}
}

// factored does direction for one matrix, whose g² is taken to be rows·columns/mean(rows).
func factored(update, grads, rows, columns []float32, decay, gradScale float64) {
	n := len(columns)
	rowSums, columnSums := make([]float64, len(rows)), make([]float64, n)
	for i, g32 := range grads {
		g := float64(g32) * gradScale
		rowSums[i/n] += g*g + adafactorFloor
		columnSums[i%n] += g*g + adafactorFloor
	}
	mean := 0.0
	for r, sum := range rowSums {
		rows[r] = float32(decay*float64(rows[r]) + (1-decay)*sum/float64(n))
		mean += float64(rows[r]) / float64(len(rows))
	}
	for c, sum := range columnSums {
		columns[c] = float32(decay*float64(columns[c]) + (1-decay)*sum/float64(len(rows)))
	}
	for i, g32 := range grads {
		root := math.Sqrt(float64(rows[i/n])/mean) * math.Sqrt(float64(columns[i%n]))
		update[i] = float32(float64(g32) * gradScale / root)
	}
}

// move applies o.update, made smaller where its root mean square is above the threshold.
func (o *adafactor) move(r rounder, p Param, rate float64) error {
	if o.settings.ScaleParameter {
		rate *= max(adafactorLeast, rootMeanSquare(floats(p.Value)))
	}
	keep := 1 - rate*o.settings.WeightDecay
	rate /= max(1, rootMeanSquare(o.update)/adafactorThreshold)
	return r.edit(p, func(values []float32, from int) error {
		for i, v := range values {
			values[i] = float32(float64(v)*keep - rate*float64(o.update[from+i]))
		}
		return nil
	})
}

func rootMeanSquare(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(len(x)))
}
