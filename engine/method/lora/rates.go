package lora

import (
	"strconv"
	"strings"

	"easel/engine"
	"easel/engine/method"
	"easel/engine/model"
)

// rates are the factors by which parts learn faster or slower than the job's rate says.
type rates struct {
	text float64 // of the text encoder
	up   float64 // of the up matrices (Hayou et al., LoRA+, arXiv 2402.12354)
}

func readRates(s *method.Settings, job engine.Job, trainsText bool) rates {
	r := rates{text: 1, up: s.Float("lora-plus", 1, 1000)}
	text := s.Text("text-rate")
	if text == "" {
		return r
	}
	share, isShare := strings.CutSuffix(text, "%")
	rate, err := strconv.ParseFloat(share, 64)
	switch {
	case err != nil || !(rate > 0) || rate > 1000:
		s.Fail("text-rate must be a rate above 0, as 5e-5, or a share of the learning rate, as 50%%, not %q", text)
	case !trainsText:
		s.Fail("text-rate %s has no effect while the text encoder stays frozen; add --text-encoder on", text)
	case isShare:
		r.text = rate / 100
	case job.Optimizer == "prodigy":
		s.Fail("prodigy finds the learning rate by itself; give text-rate as a share of it, as 50%%, not %q", text)
	case job.Rate > 0:
		r.text = rate / job.Rate
	}
	return r
}

// Parameters implements method.Tuning.
func (t *tuning) Parameters() []method.Parameter {
	var ps []method.Parameter
	for _, l := range t.order {
		rate := 1.0
		if l.Part == model.Text {
			rate = t.rates.text
		}
		ps = append(ps,
			method.Parameter{Name: l.module + downSuffix, Value: l.down, Rate: rate},
			method.Parameter{Name: l.module + upSuffix, Value: l.up, Rate: rate * t.rates.up})
		if l.magnitude != nil {
			ps = append(ps, method.Parameter{Name: l.module + magnitudeSuffix, Value: l.magnitude, Rate: rate})
		}
	}
	return ps
}
