package diffusion_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/diffusion"
	"easel/engine/internal/golden"
)

// float32Rounding bounds the relative error of a float64 table that was read back through float32.
const float32Rounding = 1.0 / (1 << 23)

func mustParse(t *testing.T, text string) *diffusion.Schedule {
	t.Helper()
	s, err := diffusion.ParseSchedule([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// table evaluates f at every timestep.
func table(s *diffusion.Schedule, f func(t int) float64) []float64 {
	values := make([]float64, s.Len())
	for t := range values {
		values[t] = f(t)
	}
	return values
}

func float32s(values []float64) []float32 {
	narrow := make([]float32, len(values))
	for i, v := range values {
		narrow[i] = float32(v)
	}
	return narrow
}

func TestTablesAreTheReferences(t *testing.T) {
	f := golden.Open(t, "schedule.safetensors")
	s := mustParse(t, f.Meta()["config"])
	v := *s
	v.Prediction = diffusion.Velocity
	zero, err := v.ZeroTerminalSNR()
	if err != nil {
		t.Fatal(err)
	}
	beta := func(t int) float64 {
		if t == 0 {
			return 1 - s.AlphaBar(0)
		}
		return 1 - s.AlphaBar(t)/s.AlphaBar(t-1)
	}
	f.Check(t, "", "betas", float32s(table(s, beta)))
	f.Check(t, "", "alphas_cumprod", float32s(table(s, s.AlphaBar)))
	weight := func(s *diffusion.Schedule, w diffusion.Weighting) func(int) float64 {
		return func(t int) float64 { return w.Weight(s, t) }
	}
	for name, at := range map[string]func(int) float64{
		"betas":                            beta,
		"alphas_cumprod":                   s.AlphaBar,
		"sigmas":                           s.Sigma,
		"snr":                              s.SNR,
		"weight_min_snr5_eps":              weight(s, diffusion.MinSNR(5)),
		"weight_min_snr5_v":                weight(&v, diffusion.MinSNR(5)),
		"weight_debiased":                  weight(s, diffusion.Debiased{}),
		"zero_terminal_snr_alphas_cumprod": zero.AlphaBar,
		"sqrt_alphas_cumprod":              func(t int) float64 { return math.Sqrt(s.AlphaBar(t)) },
		"sqrt_one_minus_alphas_cumprod":    func(t int) float64 { return math.Sqrt(1 - s.AlphaBar(t)) },
	} {
		want := f.Tensor("f64/" + name).F32()
		if len(want) != s.Len() {
			t.Fatalf("%s: %d values for %d timesteps", name, len(want), s.Len())
		}
		for i, w := range want {
			if got := at(i); !(math.Abs(got-float64(w)) <= float32Rounding*math.Abs(float64(w))) {
				t.Errorf("%s[%d] = %.9g, want %.9g", name, i, got, w)
				break
			}
		}
	}
}

func TestZeroTerminalSNREndsInNoise(t *testing.T) {
	zero, err := diffusion.StableDiffusion(diffusion.Velocity).ZeroTerminalSNR()
	if err != nil {
		t.Fatal(err)
	}
	last := zero.Len() - 1
	if got := zero.AlphaBar(last); got != 0 {
		t.Errorf("ᾱ at the end is %g, want 0", got)
	}
	if got := zero.Sigma(last); math.Abs(got-4096) > 1 {
		t.Errorf("σ at the end is %g, want about 4096", got)
	}
	for _, w := range []diffusion.Weighting{diffusion.MinSNR(5), diffusion.Debiased{}, diffusion.Debiased{OneTrainer: true}} {
		if got := w.Weight(zero, last); math.IsNaN(got) || math.IsInf(got, 0) {
			t.Errorf("%T at SNR 0 is %g", w, got)
		}
	}
	_, err = diffusion.StableDiffusion(diffusion.Epsilon).ZeroTerminalSNR()
	if engine.KindOf(err) != engine.Unsupported || err == nil {
		t.Errorf("for ε the error is %v, want one of kind unsupported", err)
	}
}

func TestParseSchedule(t *testing.T) {
	type fields struct {
		Prediction    diffusion.Prediction
		Spacing       diffusion.Spacing
		Offset        int
		FinalAlphaOne bool
		T             int
		Last          float64 // ᾱ of the last timestep, four digits
	}
	const sd = `"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"`
	tests := []struct {
		name, text string
		want       fields
	}{
		{"empty takes diffusers' defaults", `{}`, fields{FinalAlphaOne: true, T: 1000, Last: 0.00004}},
		{"SD 1.5's PNDM", `{"_class_name": "PNDMScheduler", ` + sd + `, "steps_offset": 1, "trained_betas": null}`,
			fields{Offset: 1, T: 1000, Last: 0.00466}},
		{"Euler spaces evenly", `{"_class_name": "EulerDiscreteScheduler", ` + sd + `}`,
			fields{Spacing: diffusion.Linspace, FinalAlphaOne: true, T: 1000, Last: 0.00466}},
		{"all said", `{` + sd + `, "prediction_type": "v_prediction", "timestep_spacing": "trailing", "set_alpha_to_one": false}`,
			fields{Prediction: diffusion.Velocity, Spacing: diffusion.Trailing, T: 1000, Last: 0.00466}},
		{"zero terminal SNR", `{` + sd + `, "prediction_type": "v_prediction", "rescale_betas_zero_snr": true}`,
			fields{Prediction: diffusion.Velocity, FinalAlphaOne: true, T: 1000, Last: 0}},
		{"Python's infinities", `{"_class_name": "a \" -Infinity", "lambda_min_clipped": -Infinity, "x": NaN, "num_train_timesteps": 4}`,
			fields{FinalAlphaOne: true, T: 4, Last: 0.96029}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := mustParse(t, test.text)
			got := fields{s.Prediction, s.Spacing, s.Offset, s.FinalAlphaOne, s.Len(), math.Round(s.AlphaBar(s.Len()-1)*1e5) / 1e5}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseScheduleRefuses(t *testing.T) {
	tests := []struct {
		text string
		want engine.Kind
	}{
		{``, engine.BadFile},
		{`[1]`, engine.BadFile},
		{`{"beta_start": "x"}`, engine.BadFile},
		{`{"beta_start": 0}`, engine.BadFile},
		{`{"beta_start": NaN, "beta_end": 1}`, engine.BadFile},
		{`{"beta_start": 0.03}`, engine.BadFile},
		{`{"beta_start": 1e-30}`, engine.BadFile},
		{`{"beta_end": 0.9}`, engine.BadFile},
		{`{"num_train_timesteps": 1}`, engine.BadFile},
		{`{"num_train_timesteps": 2000000000}`, engine.BadFile},
		{`{"steps_offset": -1}`, engine.BadFile},
		{`{"steps_offset": 1000}`, engine.BadFile},
		{`{"beta_schedule": "squaredcos_cap_v2"}`, engine.Unsupported},
		{`{"prediction_type": "sample"}`, engine.Unsupported},
		{`{"timestep_spacing": "random"}`, engine.Unsupported},
		{`{"trained_betas": [0.1, 0.2]}`, engine.Unsupported},
		{`{"rescale_betas_zero_snr": true}`, engine.Unsupported},
	}
	for _, test := range tests {
		if _, err := diffusion.ParseSchedule([]byte(test.text)); err == nil || engine.KindOf(err) != test.want {
			t.Errorf("%s: error %v, want one of kind %v", test.text, err, test.want)
		}
	}
}

func FuzzParseSchedule(f *testing.F) {
	f.Add([]byte(`{"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}`))
	f.Add([]byte(`{"lambda_min_clipped": -Infinity, "timestep_spacing": "trailing", "prediction_type": "v_prediction"}`))
	f.Add([]byte(`{"num_train_timesteps": 2, "rescale_betas_zero_snr": true, "_class_name": "a\"b`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := diffusion.ParseSchedule(text)
		if err != nil {
			return
		}
		for t0 := range s.Len() {
			if a := s.AlphaBar(t0); !(a >= 0 && a < 1) || !(s.Sigma(t0) > 0) {
				t.Fatalf("ᾱ[%d] = %g, σ = %g", t0, a, s.Sigma(t0))
			}
		}
	})
}
