package optim

import "easel/engine/kernel"

const (
	least8bit  = 4096 // smaller parameters keep float32 moments, as in bitsandbytes
	codesOfI32 = 4
)

// adamW8bit is AdamW whose moments are stored in 8 bits: codes of a dynamic map, scaled by the largest of each block of
// 256 (Dettmers et al., arXiv 2110.02861; bitsandbytes' AdamW8bit). It keeps two bytes for each trained number.
type adamW8bit struct{ adamW }

func (*adamW8bit) Name() string { return "adamw8bit" }

// moments8 are the codes and scales of a parameter's moments.
type moments8 struct{ m, v, mScale, vScale *kernel.Tensor }

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
	o.count(step)
	for i, p := range params {
		h := o.adamStep(r, p, rate, gradScale, int(*step))
		if f, c := full[i], coded[i]; f.m != nil {
			err = b.Adam(p.Value, p.Grad, f.m, f.v, h)
		} else {
			err = b.Adam8(p.Value, p.Grad, c.m, c.v, c.mScale, c.vScale, h)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (o *adamW8bit) recall8(p Param) (s moments8, err error) {
	blocks := kernel.AdamBlocks(p.Value.Len())
	for _, part := range []struct {
		suffix       string
		codes, scale **kernel.Tensor
	}{{"m", &s.m, &s.mScale}, {"v", &s.v, &s.vScale}} {
		if *part.codes, _, err = o.tensor(p.Name+"/"+part.suffix+"8", kernel.I32, blocks*kernel.AdamBlock/codesOfI32); err != nil {
			return s, err
		}
		if *part.scale, _, err = o.tensor(p.Name+"/"+part.suffix+"_scale", kernel.F32, blocks); err != nil {
			return s, err
		}
	}
	return s, nil
}
