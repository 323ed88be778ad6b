// Package method is what the fine-tuning methods have in common: next to nothing. There is one pipeline
// (prompt, text encoder, noised latent, UNet, loss); a method decides which element of it the loss updates. Each is
// one folder here and registers itself.
package method

import (
	"slices"
	"strings"
	"time"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/kernel"
	"easel/engine/model"
)

// Method is one way to fine-tune a model.
type Method interface {
	// Info describes the method and its settings.
	Info() engine.MethodInfo
	// Start prepares to tune m. Settings that cannot be used are errors of kind BadInput that name them.
	Start(m *model.Model, job engine.Job) (Tuning, error)
	// Reads says whether Apply takes files of a kind.
	Reads(kind format.FileKind) bool
	// Apply reads a file of this method for sampling with m; weight 1 adds it as it was trained. A file that was made for
	// another model is an error of kind BadFile.
	Apply(m *model.Model, path string, weight float64) (model.Adapter, error)
}

// Tuning is a method at work on one model. Its Adapter puts the method's parameters, with their present values, into
// every graph that is built with it, whether to train or to sample.
type Tuning interface {
	model.Adapter
	// Settings are all that the method goes by, those of the job completed, for the record.
	Settings() map[string]string
	// TrainsText says that the text encoder changes, so that its output cannot be computed once.
	TrainsText() bool
	// Parameters are what the loss updates. They are known after the first training graph was built.
	Parameters() []Parameter
	// WeightChange is ‖ΔW‖/‖W‖ (Frobenius) over the layers that the method changes.
	WeightChange() float64
	// BeforeStep prepares training step number step, counted from 0: what a method draws at random for a step, or changes
	// with time, changes here, as a function of (seed, step).
	BeforeStep(step int)
	// AfterStep may change the parameters after the optimizer has: to hold a norm, say. Between AfterStep and the next
	// BeforeStep the model is as it will be exported, without dropout.
	AfterStep(step int)
	// Export writes a file that other programs load, in one of the forms of Info().Files; values are stored as dtype.
	Export(path, form string, about About, dtype kernel.DType) error
}

// Steady is a Tuning's part that does nothing between steps. Embed it.
type Steady struct{}

// BeforeStep implements Tuning.
func (Steady) BeforeStep(int) {}

// AfterStep implements Tuning.
func (Steady) AfterStep(int) {}

// FileBytes is the expected size of the first form of file that t writes, values stored as dtype.
func FileBytes(t Tuning, dtype kernel.DType) int64 {
	if own, ok := t.(interface{ FileBytes(kernel.DType) int64 }); ok {
		return own.FileBytes(dtype)
	}
	n := int64(0)
	for _, p := range t.Parameters() { // most methods write what they train
		n += int64(kernel.Len(p.Value.Shape) * dtype.Size())
	}
	return n
}

// Parameter is a tensor that the loss updates. Its leaf in a graph has its name.
type Parameter struct {
	Name  string
	Value *kernel.Tensor // F32, or BF16 where little memory is to be taken
	Rate  float64        // multiplies the job's learning rate
	Until int            // step from which on it stays as it is; 0 trains it to the end
}

// Remarker is a Tuning that has something to tell of the file that it exported last: what was lost, say.
type Remarker interface {
	// Remark is a sentence, empty where there is nothing to tell.
	Remark() string
}

// About is what an exported file tells of its making.
type About struct {
	Job        engine.Job
	Name       string // of the file, without extension
	VPredicted bool   // the base model predicts velocity
	SD2        bool   // the base model is of the SD 2.x family
	Images     int
	Captions   []string
	Steps      int
	Width      int // resolution of training, pixels
	Height     int
	Started    time.Time
	Finished   time.Time
}

var registry []Method

// Register adds a method; called from init functions.
func Register(m Method) { registry = append(registry, m) }

// All lists the registered methods by name.
func All() []Method {
	all := slices.Clone(registry)
	slices.SortFunc(all, func(a, b Method) int { return strings.Compare(a.Info().Name, b.Info().Name) })
	return all
}

// ByName finds a method. An unknown name is an error of kind BadInput that lists the known ones.
func ByName(name string) (Method, error) {
	var names []string
	for _, m := range All() {
		if m.Info().Name == name {
			return m, nil
		}
		names = append(names, m.Info().Name)
	}
	return nil, engine.Errorf("choose method", "", engine.BadInput, "there is no method %q; choose one of %v", name, names)
}

// Apply reads a tuned file, whatever method wrote it, for sampling with m. A file that no method reads is an error of
// kind BadFile that says what it is.
func Apply(m *model.Model, path string, weight float64) (model.Adapter, error) {
	info, err := format.Inspect(path)
	if err != nil {
		return nil, err
	}
	for _, known := range All() {
		if known.Reads(info.Kind) {
			return known.Apply(m, path, weight)
		}
	}
	return nil, engine.Errorf("apply", path, engine.BadFile, "this is a file of kind %q, which adds nothing to a model", info.Kind)
}
