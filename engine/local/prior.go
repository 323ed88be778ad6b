package local

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/BurntSushi/toml"

	"easel/engine"
	"easel/engine/dataset"
	"easel/engine/format"
	"easel/engine/internal/atomicfile"
	"easel/engine/sample"
	"easel/engine/train"
)

// completePrior fills in what a job with prior preservation leaves open. Numbers are those of spec/training.md 4.1.
func (p *pipeline) completePrior(job *engine.Job, images int) {
	if !job.Prior.On() {
		return
	}
	set(&job.Prior.Weight, 1, 1, p.small())
	if job.Prior.Images == "" {
		set(&job.Prior.Count, min(max(10*images, 50), 200), min(max(4*images, 16), 64), p.small())
	}
	if job.Prior.Prompt == "" && (job.Prior.Images == "" || job.Class != "") {
		job.Prior.Prompt = "a photo of a {class}"
	}
	if job.Preserve == 0 {
		job.Preserve = -1 // the class pictures do that
	}
}

// priorRules are those of prior preservation.
func priorRules(job engine.Job) []rule {
	prior := job.Prior
	if !prior.On() {
		return nil
	}
	return []rule{
		refuse(!finite(prior.Weight) || prior.Weight > 1000, "the weight of the class pictures must be a number from 0 to 1000, not %g", prior.Weight),
		refuse(prior.Count < 0 || prior.Count > 10_000, "class pictures must be from 1 to 10000, not %d", prior.Count),
		refuse(prior.Images == "" && strings.Contains(prior.Prompt, "{class}") && strings.TrimSpace(job.Class) == "",
			"prior preservation shows the model its own pictures of the subject's class, and none is named: add --class, such as --class dog, or --class-prompt"),
		refuse(job.Word != "" && strings.Contains(fill(prior.Prompt, job), job.Word),
			"the class prompt %q holds the subject's word %s, which class pictures must not show", prior.Prompt, job.Word),
	}
}

// classPictures renders the class pictures of prior preservation, or takes in the user's.
func (s *session) classPictures(ctx context.Context) error {
	prior := s.job.Prior
	if !prior.On() {
		return nil
	}
	dir, prompt := prior.Images, fill(prior.Prompt, s.job)
	rendered := 0
	if dir == "" {
		var err error
		if dir, rendered, err = s.renderClass(ctx, prompt); err != nil {
			return err
		}
	}
	loaded, err := dataset.Load(ctx, dir, dataset.Options{Buckets: s.pipeline.buckets(s.job.Resolution), Class: s.job.Class})
	if err != nil {
		return fmt.Errorf("class pictures: %w", err)
	}
	s.class = loaded
	if prior.Count > 0 && len(loaded.Items) > prior.Count {
		loaded.Items = loaded.Items[:prior.Count]
	}
	for i := range loaded.Items {
		if prompt != "" {
			loaded.Items[i].Caption = prompt
		}
	}
	s.setup("class", "%d class pictures from %s, %d of them rendered now; they count %g beside the subject's", len(loaded.Items), dir, rendered, prior.Weight)
	return nil
}

// classRecord is what decides how the class pictures of a folder look. The folder's name tells records apart.
type classRecord struct {
	Model      string  `toml:"model"`
	VAE        string  `toml:"vae"`
	Prediction string  `toml:"prediction"`
	Prompt     string  `toml:"prompt"`
	Sampler    string  `toml:"sampler"`
	Steps      int     `toml:"steps"`
	Guidance   float64 `toml:"guidance"`
	Seed       uint64  `toml:"seed"` // of the first picture; each further one has the next
	Size       int     `toml:"size"` // pixels
}

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// folder is the record's name: the prompt, for people, and a hash of all.
func (r classRecord) folder() string {
	name := strings.Trim(notInNames.ReplaceAllString(strings.ToLower(r.Prompt), "-"), "-")
	hash := sha256.Sum256(fmt.Appendf(nil, "%+v", r))
	return name[:min(len(name), 40)] + "-" + hex.EncodeToString(hash[:4])
}

// renderClass renders the class pictures that the project does not hold yet, and says how many.
func (s *session) renderClass(ctx context.Context, prompt string) (dir string, rendered int, err error) {
	r := classRecord{Model: absolute(s.job.Model), VAE: absolute(s.job.VAE), Prediction: s.job.Prediction, Prompt: prompt, Sampler: gridSampler,
		Steps: s.job.SampleSteps, Guidance: s.job.Guidance, Seed: s.job.Seed + 1_000_000, Size: s.job.Resolution}
	dir = filepath.Join(s.job.Out, "class", r.folder())
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return dir, 0, engine.Errorf("render class pictures", dir, engine.BadInput, "%w", err)
	}
	record := filepath.Join(s.job.Out, "class", r.folder()+".toml") // beside the pictures, which are taken in as a folder
	if err := atomicfile.Write("render class pictures", record, func(w io.Writer) error { return toml.NewEncoder(w).Encode(r) }); err != nil {
		return dir, 0, err
	}
	var missing []int
	for i := range s.job.Prior.Count {
		if _, err := os.Stat(classPicture(dir, i)); err != nil {
			missing = append(missing, i)
		}
	}
	if len(missing) == 0 {
		return dir, 0, nil
	}
	if err := s.renderMissing(ctx, dir, r, missing); err != nil {
		return dir, 0, err
	}
	// Pictures and captions are encoded next, with exact weights.
	s.pipeline.options.Memory.Close()
	err = s.pipeline.follow(s.job.Plan, s.tuning.TrainsText())
	release()
	return dir, len(missing), err
}

func classPicture(dir string, i int) string { return filepath.Join(dir, fmt.Sprintf("%04d.png", i+1)) }

// renderMissing renders pictures by their numbers, and writes each group when it is done: what is cancelled goes on from
// there.
func (s *session) renderMissing(ctx context.Context, dir string, r classRecord, missing []int) error {
	base := s.pipeline.renderer(nil)
	defer base.Close()
	for at := 0; at < len(missing); at += keptTogether {
		group := missing[at:min(at+keptTogether, len(missing))]
		q := sample.Request{Sampler: r.Sampler, Steps: r.Steps, Guidance: r.Guidance, Width: r.Size, Height: r.Size}
		for _, i := range group {
			q.Prompts, q.Seeds = append(q.Prompts, r.Prompt), append(q.Seeds, r.Seed+uint64(i))
		}
		pictures, err := base.Render(ctx, q, func(step int) {
			s.sink(engine.Event{Kind: engine.KindSampling, Sampling: &engine.SamplingEvent{Picture: at + 1, Pictures: len(missing), Step: step, Steps: r.Steps}})
		})
		if err != nil {
			return err
		}
		for k, i := range group {
			p := format.Parameters{Prompt: r.Prompt, Steps: r.Steps, Sampler: samplerTitle(r.Sampler), CFGScale: r.Guidance,
				Seed: int64((r.Seed + uint64(i)) &^ (1 << 63)), Width: r.Size, Height: r.Size, Model: modelName(r.Model), Version: "Easel"}
			if err := format.WritePNG(classPicture(dir, i), pictures[k], p.String()); err != nil {
				return err
			}
		}
	}
	return nil
}

// absolute is a path independent of the working folder, where there is something.
func absolute(path string) string {
	if _, err := os.Stat(path); err != nil || path == builtinName {
		return path
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	return abs
}

// encodeClass encodes the class pictures.
func (s *session) encodeClass(ctx context.Context) (err error) {
	if s.class != nil {
		s.prior, err = train.NewPrior(ctx, s.trainer.Config, s.pictures, s.class, s.job)
	}
	return err
}

// batch makes the batch of a number.
func (s *session) batch(ctx context.Context, number int) (train.Batch, error) {
	b, err := s.data.Batch(ctx, number)
	if err == nil && s.prior != nil {
		err = s.prior.Add(ctx, &b, number)
	}
	return b, err
}
