package local

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"easel/engine"
	"easel/engine/diffusion"
	"easel/engine/kernel"
	"easel/engine/method"
)

// finish exports, reads the file back as another program would, and sums up. What is done by then is in s.result, also
// where it is cancelled on the way.
func (s *session) finish(ctx context.Context) error {
	s.clock = time.Now()
	s.result.Summary = s.summary()
	if _, err := s.export(ctx); err != nil {
		return err
	}
	s.pipeline.rest()
	if err := s.grid.measure(ctx, &s.result.Summary); err != nil {
		return err
	}
	s.setup("likeness", "measured on the grid's first and last row")
	s.finishJournal()
	result := s.result
	s.sink(engine.Event{Kind: engine.KindResult, Result: &result})
	return nil
}

// export writes the files for other programs and renders through the first.
func (s *session) export(ctx context.Context) (engine.ExportEvent, error) {
	if err := s.writeFiles(); err != nil {
		return engine.ExportEvent{}, err
	}
	s.pipeline.rest()
	e, err := s.grid.throughFile(ctx, s.readBack)
	if err != nil {
		return e, err
	}
	s.setup("export", "%s, read back: its picture differs from the trained one's by %.4f of the range", filepath.Base(e.Path), e.Difference)
	s.emit(engine.Event{Kind: engine.KindExport, Export: &e})
	return e, nil
}

// writeFiles writes the forms of file that the job asks for. The first is named after the word alone: it is what calls the
// subject elsewhere.
func (s *session) writeFiles() error {
	forms, err := fileForms(s.method, s.tuning, s.job.Files)
	if err != nil {
		return err
	}
	taken := map[string]bool{}
	for i, form := range forms {
		if err := s.exportForm(form, taken); err != nil {
			return err
		}
		if i == 0 {
			s.readBack = slices.Clone(s.result.Exports)
		}
		if r, ok := s.tuning.(method.Remarker); ok && r.Remark() != "" {
			s.setup("export", "%s: %s", filepath.Base(s.result.Exports[len(s.result.Exports)-1]), r.Remark())
		}
	}
	s.result.Export = s.result.Exports[0]
	s.result.Summary.FileBytes, err = sizeOf(s.result.Export)
	return err
}

// exportForm writes the files of a form. One whose name an earlier form took is told apart by the form's.
func (s *session) exportForm(form engine.FileForm, taken map[string]bool) error {
	first := method.Companion{Name: s.job.Word, Ending: form.Ending, Export: func(path string, about method.About, dtype kernel.DType) error {
		return s.tuning.Export(path, form.Name, about, dtype)
	}}
	for _, file := range append([]method.Companion{first}, method.CompanionsOf(s.tuning, form.Name)...) {
		name := file.Name
		if taken[name+file.Ending] {
			name += "-" + form.Name
		}
		taken[name+file.Ending] = true
		path, err := s.store.ExportPath(name, file.Ending)
		if err != nil {
			return err
		}
		if err := file.Export(path, s.about(path), storageTypes[s.job.Export]); err != nil {
			return err
		}
		s.result.Exports = append(s.result.Exports, path)
	}
	return nil
}

// fileForms are the forms by their names, of those that the tuning can write; the first one where none is named.
func fileForms(m method.Method, t method.Tuning, names []string) ([]engine.FileForm, error) {
	possible := m.Info().Files
	if c, ok := t.(method.Chooser); ok {
		possible = c.Forms()
	}
	if len(names) == 0 {
		return possible[:1], nil
	}
	var forms []engine.FileForm
	for _, name := range names {
		i := slices.IndexFunc(possible, func(f engine.FileForm) bool { return f.Name == name })
		if i < 0 {
			var known []string
			for _, f := range possible {
				known = append(known, f.Name)
			}
			return nil, engine.Errorf("check settings", "", engine.BadInput, "%s, with these settings, writes no file of the form %q; choose from %s", m.Info().Title, name, strings.Join(known, ", "))
		}
		forms = append(forms, possible[i])
	}
	return forms, nil
}

// sizeOf is the size of a file, or of all files in a folder, in bytes.
func sizeOf(path string) (n int64, err error) {
	err = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	if err != nil {
		return 0, engine.Errorf("read back the export", path, engine.BadFile, "%w", err)
	}
	return n, nil
}

// storageTypes are what the numbers of a file of weights can be, by their names.
var storageTypes = map[string]kernel.DType{"f16": kernel.F16, "bf16": kernel.BF16, "f32": kernel.F32}

// isStorage says whether name is one of those.
func isStorage(name string) bool {
	_, is := storageTypes[name]
	return is
}

func (s *session) about(path string) method.About {
	a := method.About{Job: s.job, Name: strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)),
		VPredicted: s.pipeline.schedule.Prediction == diffusion.Velocity, SD2: s.pipeline.model.SD2(), Steps: s.from,
		Width: s.job.Resolution, Height: s.job.Resolution, Started: s.started, Finished: time.Now()}
	if s.pictures == nil { // a row is chosen whose pictures are gone
		return a
	}
	a.Images = len(s.pictures.Items)
	for _, it := range s.pictures.Items {
		a.Captions = append(a.Captions, it.Caption)
	}
	return a
}

func (s *session) summary() engine.Summary {
	return engine.Summary{Steps: s.from, Parameters: s.parameters(), WeightChange: s.tuning.WeightChange(),
		FirstLoss: mean(s.losses[:(len(s.losses)+9)/10]), LastLoss: mean(s.losses[len(s.losses)-(len(s.losses)+9)/10:]),
		Seconds: s.seconds, PeakMemory: s.peak}
}

func mean(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// picturesHash changes with the names, sizes and captions of the pictures.
func (s *session) picturesHash() []byte {
	h := sha256.New()
	items := s.pictures.Items
	if s.class != nil {
		items = slices.Concat(items, s.class.Items)
	}
	for _, it := range items {
		fmt.Fprintf(h, "%q %q %v %d %d\n", filepath.Base(it.Path), it.Caption, it.Source, it.Width, it.Height)
	}
	return h.Sum(nil)[:8]
}

// fingerprint tells runs apart by what decides their trained values: a checkpoint is good for an equal one only. The
// number of threads is not in it: another number changes the last bits, which nobody who moves to another machine minds.
func (s *session) fingerprint() string {
	job := s.job
	job.Out, job.Resume, job.Export, job.Files = "", false, "", nil
	job.Memory, job.Plan = 0, engine.Plan{Weights: job.Plan.Weights, Trained: job.Plan.Trained, InPass: job.Plan.InPass} // all else of the plan changes no value
	job.From = s.beginning                                                                                               // wherever the file lies
	job.DType = s.pipeline.options.DType.String()
	for _, path := range []*string{&job.Images, &job.Model, &job.VAE, &job.Prior.Images} { // the recorded job has them absolute
		*path = absolute(*path)
	}
	text, err := json.Marshal(job)
	if err != nil { // a number that is not finite, which check refuses
		return err.Error()
	}
	return fmt.Sprintf("%s %x", text, s.picturesHash())
}
