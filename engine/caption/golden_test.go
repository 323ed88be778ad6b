package caption

import (
	"context"
	"math"
	"os"
	"slices"
	"testing"

	"easel/engine/dataset"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/kernel/onednn"
	"easel/engine/kernel/ref"
	"easel/engine/model/blip"

	"github.com/google/go-cmp/cmp"
)

func backends(t *testing.T) map[string]kernel.Backend {
	t.Helper()
	all := map[string]kernel.Backend{"ref": ref.New()}
	if onednn.Available() {
		b, err := onednn.New(onednn.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close() })
		all["onednn"] = b
	}
	return all
}

// goldenModel is the tiny captioner.
func goldenModel(t *testing.T) *blip.Model {
	t.Helper()
	m, err := blip.Open(golden.Path(t, "blip"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// endBias adds 3 to the end's score, as transformers' sequence_bias does.
func endBias(_ []int32, scores []float32) { scores[102] += 3 }

// TestGolden: the ids of transformers' generate, for each way of searching.
func TestGolden(t *testing.T) {
	f := golden.Open(t, "blip/blip.safetensors")
	m := goldenModel(t)
	prompt := []int32{30522, 1037, 3861, 1997}
	cases := map[string]func(s *search){
		"greedy/ids":               func(s *search) {},
		"greedy/ids_prompted":      func(s *search) { s.prompt = prompt },
		"beam3/ids":                func(s *search) { s.beams = 3 },
		"beam3/ids_prompted":       func(s *search) { s.beams, s.prompt = 3, prompt },
		"beam3_end/ids":            func(s *search) { s.beams, s.processes = 3, []process{endBias} },
		"beam3_end_min8/ids":       func(s *search) { s.beams, s.processes = 3, []process{endBias, minLength(8, 102)} },
		"beam3_end_penalty2/ids":   func(s *search) { s.beams, s.penalty, s.processes = 3, 2, []process{endBias} },
		"greedy_norepeat2/ids":     func(s *search) { s.processes = []process{noRepeat(2)} },
		"greedy_norepeat3/ids":     func(s *search) { s.processes = []process{noRepeat(3)} },
		"greedy_repetition1.5/ids": func(s *search) { s.processes = []process{repetitionPenalty(1.5)} },
	}
	for name, backend := range backends(t) {
		for which, change := range cases {
			t.Run(name+"/"+which, func(t *testing.T) {
				ids := f.Ints(which)
				for picture := range 2 {
					want := goldenText(ids[picture*len(ids)/2 : (picture+1)*len(ids)/2])
					c, err := New(m, backend, kernel.F32, Settings{Beams: 3, MaxLength: 12, Repetition: 1})
					if err != nil {
						t.Fatal(err)
					}
					defer c.Close()
					c.search.beams = 1
					change(&c.search)
					got, err := c.write(context.Background(), goldenPixels(f, picture))
					if err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(want, got.ids); diff != "" {
						t.Errorf("picture %d: %s", picture, diff)
					}
				}
			})
		}
	}
}

// goldenText cuts what transformers fills up with behind the end.
func goldenText(ids []int) []int32 {
	var text []int32
	for _, id := range ids {
		text = append(text, int32(id))
		if id == 102 {
			break
		}
	}
	return text
}

func goldenPixels(f *golden.File, picture int) *kernel.Tensor {
	all := f.Tensor("in/pixel_values")
	n, side := all.Len()/2, all.Shape[2]
	t := kernel.New(kernel.F32, 1, side, side, 3)
	for i, v := range all.F32()[picture*n : (picture+1)*n] {
		t.F32()[i%(side*side)*3+i/(side*side)] = v
	}
	return t
}

func TestPixelsEqualPillows(t *testing.T) {
	f := golden.Open(t, "blip/preprocess.safetensors")
	file, err := os.Open(golden.Path(t, "blip", "input_100x73.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	img, _, err := dataset.Decode(file, file.Name())
	if err != nil {
		t.Fatal(err)
	}
	const side = 384
	m := blip.New(blip.Base(), nil, nil)
	pixels := Pixels(img, side, m.Mean, m.Std).F32()
	for name, corner := range map[string][2]int{"[:, :24, :24]": {0, 0}, "[:, 180:204, 300:324]": {180, 300}, "[:, -24:, -24:]": {side - 24, side - 24}} {
		var got []float32
		for c := range 3 {
			for y := range 24 {
				for x := range 24 {
					got = append(got, pixels[((corner[0]+y)*side+corner[1]+x)*3+c])
				}
			}
		}
		f.Check(t, "", "pixel_values"+name, got)
	}
	var mean, deviation []float32
	for c := range 3 {
		sum, squares := 0.0, 0.0
		for i := c; i < len(pixels); i += 3 {
			sum, squares = sum+float64(pixels[i]), squares+float64(pixels[i])*float64(pixels[i])
		}
		n := float64(side * side)
		mean, deviation = append(mean, float32(sum/n)), append(deviation, float32(math.Sqrt(squares/n-sum*sum/n/n)))
	}
	f.Check(t, "", "channel_mean", mean)
	f.Check(t, "", "channel_std", deviation)
}

// TestDescribeCutsThePrompt: the words of the prompt are not in the sentence.
func TestDescribeCutsThePrompt(t *testing.T) {
	file, err := os.Open(golden.Path(t, "blip", "input_100x73.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	img, _, err := dataset.Decode(file, file.Name())
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(goldenModel(t), ref.New(), kernel.F32, Settings{Prompt: "a picture of", Beams: 2, MaxLength: 12, Repetition: 1.1, NoRepeat: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := c.search.prompt; !slices.Equal(got, []int32{30522, 1037, 3861, 1997}) {
		t.Errorf("prompt %v", got)
	}
	s, err := c.Describe(context.Background(), img)
	if err != nil {
		t.Fatal(err)
	}
	if s.Text == "" || s.Confidence() <= 0 || s.Confidence() > 1 || len(s.Logs) > 8 {
		t.Errorf("%+v, confidence %g", s, s.Confidence())
	}
}
