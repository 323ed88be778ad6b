package train_test

import (
	"context"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"easel/engine"
	"easel/engine/dataset"
	"easel/engine/graph"
	"easel/engine/internal/rng"
	"easel/engine/kernel/ref"
	"easel/engine/model"
	"easel/engine/train"

	"github.com/google/go-cmp/cmp"
)

// pictures are a folder's, one of 48 x 32 pixels for each caption, mirrored where that is asked for.
func pictures(t *testing.T, mirrored bool, captions ...string) *dataset.Set {
	t.Helper()
	dir := t.TempDir()
	for i, caption := range captions {
		img := image.NewNRGBA(image.Rect(0, 0, 48, 32))
		for x := range 48 {
			for y := range 32 {
				at := x
				if mirrored {
					at = 47 - x
				}
				alpha := uint8(255)
				if x < 16 {
					alpha = 51
				}
				img.SetNRGBA(at, y, color.NRGBA{uint8(5 * x), uint8(7 * y), uint8(60 * i), alpha})
			}
		}
		name := filepath.Join(dir, string(rune('a'+i)))
		f, err := os.Create(name + ".png")
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(f, img); err != nil {
			t.Fatal(err)
		}
		f.Close()
		if err := os.WriteFile(name+".txt", []byte(caption), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set, err := dataset.Load(context.Background(), dir, dataset.Options{Buckets: dataset.Buckets{Resolution: 32, Min: 32, Max: 32, Step: 32}})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// newData makes data for the tiny model; text says whether the text encoder is trained.
func newData(t *testing.T, m *model.Model, set *dataset.Set, text string, job engine.Job) *train.Data {
	t.Helper()
	tr := newTrainer(t, m, map[string]string{"rank": "1", "text-encoder": text}, ref.New(), 1e-3, 1, graph.Options{})
	job.Seed, job.Word, job.Class = 5, "zorbit", "toy"
	if job.Batch == 0 {
		job.Batch = 2
	}
	d, err := train.NewData(context.Background(), tr.Config, set, job)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func batchOf(t *testing.T, d *train.Data, number int) train.Batch {
	t.Helper()
	b, err := d.Batch(context.Background(), number)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestPrompts counts which prompts the captions become, by their token ids.
func TestPrompts(t *testing.T) {
	m := loadTiny(t)
	set := pictures(t, false, "red, dog, big, wet")
	for name, c := range map[string]struct {
		captions engine.Captions
		want     []string // all that may occur
		least    int      // of them that do
	}{
		"plain":             {engine.Captions{}, []string{"red, dog, big, wet"}, 1},
		"dropout":           {engine.Captions{Dropout: 0.4}, []string{"red, dog, big, wet", ""}, 2},
		"templates":         {engine.Captions{Templates: []string{"a {word} {class}: {caption}", "{caption}", "art of {word}"}}, []string{"a zorbit toy: red, dog, big, wet", "red, dog, big, wet", "art of zorbit"}, 3},
		"shuffle, two kept": {engine.Captions{Shuffle: true, Keep: 2}, []string{"red, dog, big, wet", "red, dog, wet, big"}, 2},
		"shuffle, one kept": {engine.Captions{Shuffle: true, Keep: 1}, []string{"red, dog, big, wet", "red, dog, wet, big", "red, big, dog, wet",
			"red, big, wet, dog", "red, wet, dog, big", "red, wet, big, dog"}, 6},
		"keep more than there are": {engine.Captions{Shuffle: true, Keep: 9}, []string{"red, dog, big, wet"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			d := newData(t, m, set, "on", engine.Job{Captions: c.captions})
			counts := make([]int, len(c.want))
			const batches = 100
			for n := range batches {
				b := batchOf(t, d, n)
				for row := range 2 {
					ids := b.IDs.I32()[row*model.Tokens : (row+1)*model.Tokens]
					k := slices.IndexFunc(c.want, func(text string) bool { return slices.Equal(m.IDs(text).I32(), ids) })
					if k < 0 {
						t.Fatalf("batch %d has a prompt that cannot be: %v", n, ids[:12])
					}
					counts[k]++
				}
			}
			occur := 0
			for _, n := range counts {
				if n > 0 {
					occur++
				}
			}
			if occur < c.least {
				t.Errorf("the prompts occur %v times", counts)
			}
			if p := c.captions.Dropout; p > 0 {
				if got := float64(counts[1]) / (2 * batches); math.Abs(got-p) > 4*math.Sqrt(p*(1-p)/(2*batches)) {
					t.Errorf("%g of the prompts are empty, want %g", got, p)
				}
			}
		})
	}
}

// TestContextsAreThoseOfThePrompts: whether encoded before the run or in each step.
func TestContextsAreThoseOfThePrompts(t *testing.T) {
	m := loadTiny(t)
	set := pictures(t, false, "red, dog", "blue, cat")
	for name, c := range map[string]struct {
		captions engine.Captions
		once     int // prompts that are encoded before the run
	}{
		"once":         {engine.Captions{Dropout: 0.3, Templates: []string{"a {caption}", "the {caption}"}}, 5},
		"in each step": {engine.Captions{Dropout: 0.3, Shuffle: true}, 0},
	} {
		job := engine.Job{Captions: c.captions, Word: "zorbit", Class: "toy"}
		if got := len(train.Prompts(set, job)); got != c.once {
			t.Errorf("%s: %d prompts are encoded before, want %d", name, got, c.once)
		}
		trained, frozen := newData(t, m, set, "on", job), newData(t, m, set, "off", job)
		for n := range 4 {
			want := encode(t, m, batchOf(t, trained, n).IDs)
			if diff := cmp.Diff(want.F32(), batchOf(t, frozen, n).Context.F32()); diff != "" {
				t.Fatalf("%s, batch %d: %s", name, n, diff)
			}
		}
	}
}

// TestNoiseOfBatches compares with the plain noise, which every setting leaves its stream.
func TestNoiseOfBatches(t *testing.T) {
	m := loadTiny(t)
	set := pictures(t, false, "a", "b")
	make := func(n engine.Noise) train.Batch { return batchOf(t, newData(t, m, set, "on", engine.Job{Noise: n}), 3) }
	plain, offset, pyramid, perturbed := make(engine.Noise{}), make(engine.Noise{Offset: 0.5}), make(engine.Noise{Pyramid: 0.4}), make(engine.Noise{Perturb: 0.1})
	want := make(engine.Noise{})
	rng.Normal(want.Noise.F32(), 5, 3, rng.Noise)
	if diff := cmp.Diff(want.Noise.F32(), plain.Noise.F32()); diff != "" || plain.Added != nil {
		t.Errorf("plain noise: %s", diff)
	}
	shifts := map[float32]bool{}
	for i, v := range offset.Noise.F32() {
		shift := v - plain.Noise.F32()[i]
		if first := offset.Noise.F32()[i/64*64+i%4] - plain.Noise.F32()[i/64*64+i%4]; math.Abs(float64(shift-first)) > 1e-6 {
			t.Fatalf("value %d is shifted by %g, the first of its channel by %g", i, shift, first)
		}
		if i%64 < 4 {
			shifts[shift] = true
		}
	}
	if len(shifts) != 8 { // two pictures of four channels
		t.Errorf("%d different shifts, want 8", len(shifts))
	}
	sum := 0.0
	for _, v := range pyramid.Noise.F32()[:64] {
		sum += float64(v) * float64(v) / 64
	}
	if cmp.Equal(pyramid.Noise.F32(), plain.Noise.F32()) || sum < 0.9 || sum > 3 { // its variance is 1 about its mean
		t.Errorf("pyramid noise has a mean square of %g", sum)
	}
	if !cmp.Equal(perturbed.Noise.F32(), plain.Noise.F32()) || perturbed.Added == nil {
		t.Fatal("input perturbation changed the target")
	}
	sum = 0
	for i, v := range perturbed.Added.F32() {
		d := float64(v-plain.Noise.F32()[i]) / 0.1
		sum += d * d / 128
	}
	if sum < 0.5 || sum > 1.6 {
		t.Errorf("the noise beside the target has a variance of %g", sum)
	}
}

// TestTimesteps: uniform ones are those that every run has had, and a range holds.
func TestTimesteps(t *testing.T) {
	m := loadTiny(t)
	set := pictures(t, false, "a")
	plain := newData(t, m, set, "on", engine.Job{})
	part := newData(t, m, set, "on", engine.Job{Noise: engine.Noise{From: 300, To: 310}})
	early := newData(t, m, set, "on", engine.Job{Noise: engine.Noise{Timesteps: engine.LogitNormal, Bias: -2}})
	mean, seen := 0.0, map[int]bool{}
	for n := range 200 {
		for i, step := range batchOf(t, plain, n).Timesteps {
			if want := rng.Intn(1000, 5, n, rng.Timestep, uint64(i)); step != want {
				t.Fatalf("batch %d has timestep %d, want %d", n, step, want)
			}
		}
		for _, step := range batchOf(t, part, n).Timesteps {
			seen[step] = true
		}
		for _, step := range batchOf(t, early, n).Timesteps {
			mean += float64(step) / 400
		}
	}
	if len(seen) != 10 || !seen[300] || !seen[309] {
		t.Errorf("a range of 300 to 310 gave %v", seen)
	}
	if mean < 120 || mean > 190 { // the mean of a logit-normal distribution about -2 is 0.155
		t.Errorf("the mean timestep is %g", mean)
	}
}

// TestFlippedPicturesAreEncoded: a batch is that of the picture or of its mirrored file, with the mask that belongs to it.
func TestFlippedPicturesAreEncoded(t *testing.T) {
	m := loadTiny(t)
	masked := engine.Job{Loss: engine.Loss{Masked: true}, Batch: 1}
	flipping := masked
	flipping.Views.Flip = true
	plain, mirrored := newData(t, m, pictures(t, false, "a"), "on", masked), newData(t, m, pictures(t, true, "a"), "on", masked)
	both := newData(t, m, pictures(t, false, "a"), "on", flipping)
	flipped := 0
	for n := range 30 {
		a, b, got := batchOf(t, plain, n), batchOf(t, mirrored, n), batchOf(t, both, n)
		if cmp.Equal(a.Latents.F32(), b.Latents.F32()) || cmp.Equal(a.Mask.F32(), b.Mask.F32()) {
			t.Fatal("the mirrored picture is the same: the test shows nothing")
		}
		want := a
		if !cmp.Equal(got.Latents.F32(), a.Latents.F32()) {
			want = b
			flipped++
		}
		if diff := cmp.Diff(want.Latents.F32(), got.Latents.F32()) + cmp.Diff(want.Mask.F32(), got.Mask.F32()); diff != "" {
			t.Fatalf("batch %d: %s", n, diff)
		}
	}
	if flipped < 5 || flipped > 25 {
		t.Errorf("%d of 30 are flipped", flipped)
	}
}

// TestCropsDiffer: pictures that are wider than their bucket are cut in as many ways as asked for.
func TestCropsDiffer(t *testing.T) {
	m := loadTiny(t)
	set := pictures(t, false, "a")
	count := func(crops int) int {
		d := newData(t, m, set, "on", engine.Job{Batch: 1, Loss: engine.Loss{Masked: true}, Views: engine.Views{Crops: crops}})
		masks := map[[16]float32]bool{}
		for n := range 60 {
			masks[[16]float32(batchOf(t, d, n).Mask.F32())] = true
		}
		return len(masks)
	}
	if one, four := count(1), count(4); one != 1 || four < 2 || four > 4 {
		t.Errorf("%d and %d different cuts, want 1 and some of 4", one, four)
	}
}

// TestValidation: the same values give the same loss whatever the run's settings, and learning the picture lowers it.
func TestValidation(t *testing.T) {
	m := loadTiny(t)
	set := pictures(t, false, "a zorbit")
	tr := newTrainer(t, m, map[string]string{"rank": "4", "text-encoder": "off", "targets": "all"}, fast(t), 0.02, 1, graph.Options{})
	measure := func(job engine.Job) *train.Validation {
		v, err := train.NewValidation(context.Background(), tr.Config, set, job)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { v.Close() })
		return v
	}
	loss := func(v *train.Validation) float64 {
		l, err := v.Loss(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	v := measure(engine.Job{Seed: 5})
	before := loss(v)
	tr.Loss = train.Loss{Masked: true}
	other := measure(engine.Job{Seed: 5, Loss: engine.Loss{Masked: true}, Noise: engine.Noise{Offset: 0.5, From: 900}, Captions: engine.Captions{Dropout: 0.9, Shuffle: true}, Views: engine.Views{Flip: true}})
	tr.Loss = train.Loss{}
	if again, same := loss(v), loss(other); again != before || same != before {
		t.Errorf("loss %g, then %g, with other settings %g", before, again, same)
	}
	if reseeded := loss(measure(engine.Job{Seed: 6})); reseeded == before {
		t.Error("another seed has the same noise")
	}
	d, err := train.NewData(context.Background(), tr.Config, set, engine.Job{Seed: 5, Batch: 4})
	if err != nil {
		t.Fatal(err)
	}
	loop := train.Loop{Trainer: tr, Batches: d.Batch, Steps: 30, AfterStep: func(context.Context, train.Progress) error { return nil }}
	if err := loop.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if after := loss(v); after >= 0.98*before {
		t.Errorf("loss %g before, %g after learning the picture itself", before, after)
	}
}
