package lora_test

import (
	"math"
	"strings"
	"testing"

	"easel/engine"
	"easel/engine/internal/golden"
	"easel/engine/method"
)

// startJob starts a LoRA and makes its parameters known.
func startJob(t *testing.T, job engine.Job) (method.Tuning, error) {
	t.Helper()
	me, err := method.ByName("lora")
	if err != nil {
		t.Fatal(err)
	}
	m := loadTiny(t)
	tuning, err := me.Start(m, job)
	if err == nil {
		predict(t, m, tuning, golden.Open(t, "files/lora.eps.safetensors"))
	}
	return tuning, err
}

func TestPartsLearnAtRatesOfTheirOwn(t *testing.T) {
	for _, c := range []struct {
		text, plus                 string
		textDown, unetUp, unetDown float64
	}{
		{"", "", 1, 1, 1},
		{"50%", "", 0.5, 1, 1},
		{"5e-5", "16", 0.25, 16, 1},
		{"4e-4", "2.5", 2, 2.5, 1},
	} {
		tuning, err := startJob(t, engine.Job{Rate: 2e-4, Settings: map[string]string{"text-encoder": "on", "text-rate": c.text, "lora-plus": c.plus}})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range tuning.Parameters() {
			want, isUp := c.unetDown, strings.HasSuffix(p.Name, ".lora_up.weight")
			if isUp {
				want = c.unetUp
			}
			if strings.HasPrefix(p.Name, "lora_te_") {
				want *= c.textDown
			}
			if math.Abs(p.Rate-want) > 1e-12 {
				t.Fatalf("text-rate %q, lora-plus %q: %s learns at %g of the rate, want %g", c.text, c.plus, p.Name, p.Rate, want)
			}
		}
	}
}

func TestRatesThatCannotBe(t *testing.T) {
	for _, c := range []struct {
		settings  map[string]string
		optimizer string
		says      string
	}{
		{map[string]string{"text-rate": "50%", "text-encoder": "off"}, "", "no effect"},
		{map[string]string{"text-rate": "fast"}, "", "text-rate"},
		{map[string]string{"text-rate": "-1"}, "", "text-rate"},
		{map[string]string{"text-rate": "5e-5"}, "prodigy", "share"},
		{map[string]string{"lora-plus": "0"}, "", "lora-plus"},
	} {
		_, err := startJob(t, engine.Job{Rate: 1e-4, Optimizer: c.optimizer, Settings: c.settings})
		if engine.KindOf(err) != engine.BadInput || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: %v", c.settings, err)
		}
	}
}
