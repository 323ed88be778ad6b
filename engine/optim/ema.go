package optim

import (
	"easel/engine"
	"easel/engine/kernel"
)

// EMA is an exponential moving average of parameters, which often gives better pictures than the last values
// (diffusers' EMAModel without warm-up). Like an Optimizer it has State and Restore.
type EMA struct {
	memory
	most float64
}

// NewEMA makes an average whose decay rises to most, such as 0.9999, or 0.99 for runs of a thousand steps. most
// outside 0 to 1 is engine.BadInput.
func NewEMA(most float64) (*EMA, error) {
	if !(most >= 0 && most < 1) {
		return nil, engine.Errorf("set up the average of weights", "", engine.BadInput, "decay %g must be at least 0 and below 1", most)
	}
	return &EMA{most: most}, nil
}

// Decay is the share of the average that its update number n (0 is the first) keeps: 0, then
// min((1+n)/(10+n), most).
func (e *EMA) Decay(n int) float64 {
	if n == 0 {
		return 0
	}
	return min((1+float64(n))/(10+float64(n)), e.most)
}

// Update takes the values of the parameters into the average; once after each optimizer step.
func (e *EMA) Update(params []Param) error {
	finished, err := e.counter("ema_step")
	if err != nil {
		return err
	}
	averages, err := e.averages(params)
	if err != nil {
		return err
	}
	part := 1 - e.Decay(int(*finished))
	for i, p := range params {
		for j, v := range p.Value.F32() {
			a := float64(averages[i][j])
			averages[i][j] = float32(a - part*(a-float64(v)))
		}
	}
	*finished++
	return nil
}

// Swap exchanges the parameters' values with their averages, for sampling or export; a second Swap puts them back.
// Before the first Update it does nothing.
func (e *EMA) Swap(params []Param) error {
	if len(e.states) == 0 {
		return nil
	}
	averages, err := e.averages(params)
	if err != nil {
		return err
	}
	for i, p := range params {
		for j, v := range p.Value.F32() {
			p.Value.F32()[j], averages[i][j] = averages[i][j], v
		}
	}
	return nil
}

func (e *EMA) averages(params []Param) ([][]float32, error) {
	averages := make([][]float32, len(params))
	for i, p := range params {
		t, made, err := e.tensor(p.Name+"/ema", kernel.F32, p.Value.Shape...)
		if err != nil {
			return nil, err
		}
		averages[i] = t.F32()
		if made {
			copy(averages[i], p.Value.F32())
		}
	}
	return averages, nil
}
