package local_test

import (
	"context"
	"math"
	"testing"

	"easel/engine"
	"easel/engine/kernel/onednn"
)

// TestBenchPicture: a picture is the prompt and the empty one, twenty calls of the UNet and one of the decoder.
func TestBenchPicture(t *testing.T) {
	if !onednn.Available() {
		t.Skip("takes minutes in plain Go")
	}
	rows, err := newEngine(t).Bench(context.Background(), engine.BenchRequest{Shape: "builtin", DType: "f32", Runs: 1}, ignore)
	if err != nil {
		t.Fatal(err)
	}
	operations := map[string]float64{} // in 10⁹
	for _, r := range rows {
		operations[r.Part] = r.GFLOPS * r.Seconds
	}
	want := 2*operations["text"] + 20*operations["unet"] + operations["vae decode"]
	if got := operations["picture"]; math.Abs(got-want) > 1e-6*want || want == 0 {
		t.Errorf("%g operations, want %g", got, want)
	}
}

func TestBenchRefusesWhatItDoesNotKnow(t *testing.T) {
	eng := newEngine(t)
	for _, req := range []engine.BenchRequest{{Shape: "sd3"}, {Part: "painting"}, {DType: "f8"}, {Runs: -1}, {File: "f8", Shape: "sd15"}, {File: "f16"}} {
		if _, err := eng.Bench(context.Background(), req, ignore); engine.KindOf(err) != engine.BadInput {
			t.Errorf("%+v gives %v, want BadInput", req, err)
		}
	}
}
