// Package engine is what the window and the command line see of Easel's engine: plain data and one interface.
//
// It imports no other package of Easel, so that every package may use its types. Package engine/local puts the
// parts together into an Engine; a test may use a fake instead.
//
//	eng, err := local.New(local.Options{})
//	result, err := eng.Train(ctx, engine.Job{Method: "lora", Model: "builtin", Images: dir, Word: "zorbit"}, sink)
package engine

import "context"

// Engine trains, samples and looks into files. Calls take turns: a second one waits for the first. Every call
// returns soon after its context is cancelled, with an error of kind Cancelled.
type Engine interface {
	// Device describes the processor that computes, as found at start.
	Device() Device
	// Methods lists the fine-tuning methods in the order in which a window shows them.
	Methods() []MethodInfo
	// Costs says what each method would cost on a model with its presets and eight pictures.
	Costs(ctx context.Context, model string) ([]MethodCost, error)
	// Plan says what Train would do with a job: every setting with its reason, memory, and with measure the time of
	// real steps. Nothing is written.
	Plan(ctx context.Context, job Job, measure bool, sink Sink) (Preview, error)
	// Train runs a job from pictures to an exported file. A cancelled run leaves a checkpoint, and the Result
	// says where; the same job with Resume set goes on from it, bit for bit.
	Train(ctx context.Context, job Job, sink Sink) (Result, error)
	// Promote exports the checkpoint of a step in the project's newest run, in place of the file that the run exported.
	// It can be resumed as before.
	Promote(ctx context.Context, project string, step int) (ExportEvent, error)
	// Compare trains several methods on the same pictures and writes a page that shows them side by side. A method that
	// cannot be trained is a row that says why. A cancelled comparison goes on with Resume.
	Compare(ctx context.Context, req CompareRequest, sink Sink) (Comparison, error)
	// OpenComparison reads the comparison in a folder, as far as it is. Its errors are of kind NotFound where there is none.
	OpenComparison(ctx context.Context, dir string) (Comparison, error)
	// Sample renders pictures from a prompt.
	Sample(ctx context.Context, req SampleRequest, sink Sink) ([]Picture, error)
	// Merge adds LoRA files to a model's weights and writes the changed model.
	Merge(ctx context.Context, req MergeRequest) (MergeResult, error)
	// Caption describes the pictures of a folder in words, and writes captions beside them. A cancelled run keeps those that
	// are done, and the same request goes on from there.
	Caption(ctx context.Context, req CaptionRequest, sink Sink) (CaptionResult, error)
	// Inspect says what a file or folder is, by its content.
	Inspect(ctx context.Context, path string) (FileInfo, error)
	// Models looks for models to train: in places, which are files or folders, and in the folders of programs that this user
	// may have. found hears of each once, one after the other. It does not wait for computing; any goroutine may ask.
	Models(ctx context.Context, places []string, found func(FileInfo)) error
	// Bench measures the machine and the model's parts on it; rows reach the sink as they are measured.
	Bench(ctx context.Context, req BenchRequest, sink Sink) ([]BenchRow, error)
	// OpenRun reads the newest run of a project folder.
	OpenRun(ctx context.Context, project string) (Run, error)
	// Folder gives access to a project's folder while a run is set up. The folder need not exist yet.
	Folder(dir string) Folder
	// CheckCaption looks at a caption of a picture of the subject; word and class may be empty. Any goroutine may ask.
	CheckCaption(caption, word, class string) CaptionCheck
	// Close frees what the engine holds.
	Close() error
}

// Device is the processor that computes.
type Device struct {
	Name    string `json:"name"`    // as the processor calls itself
	Backend string `json:"backend"` // "onednn (avx512_core_bf16)" or "ref"
	Threads int    `json:"threads"`
	BF16    bool   `json:"bf16"`   // computes bfloat16 in hardware
	Memory  int64  `json:"memory"` // bytes of RAM
}

// MethodInfo describes one fine-tuning method.
type MethodInfo struct {
	Name     string    `json:"name"`    // as in Job.Method: "lora"
	Title    string    `json:"title"`   // as people write it: "LoRA"
	Updates  string    `json:"updates"` // the element that the loss updates, one sentence
	Element  Element   `json:"element"` // the same for a picture of the pipeline
	Good     string    `json:"good"`    // what it is good at
	Harm     string    `json:"harm"`    // what it may harm
	Settings []Setting `json:"settings"`
	// Files are the forms of file that it can write; the first one unless asked otherwise.
	Files []FileForm `json:"files"`
}

// Element is a part of the pipeline that a loss can update.
type Element string

// The elements.
const (
	Weights        Element = "weights"   // of the UNet itself
	WordEmbedding  Element = "embedding" // of a new word in the prompt
	InsertedLayers Element = "inserted"  // beside the model's own
	Generator      Element = "generator" // a network that outputs the inserted layers
)

// FileForm is a form of file that a method can write.
type FileForm struct {
	Name   string `json:"name"`   // as in Job.Files: "kohya"
	Ending string `json:"ending"` // ".safetensors"; empty for a folder
	Title  string `json:"title"`  // what it is and who reads it
}

// Setting is a number or choice that a method understands, beside those that every method has.
type Setting struct {
	Name    string   `json:"name"`    // flag and key: "rank"
	Default string   `json:"default"` // in the form that Job.Settings takes
	Help    string   `json:"help"`    // one line, with the unit
	Choices []string `json:"choices,omitempty"`
}

// Choice is a setting of a job with the reason for its value.
type Choice struct {
	Name   string `json:"name"` // as in a recorded job: "rate", "settings.rank"
	Value  string `json:"value"`
	Reason string `json:"reason"`
	Source string `json:"source,omitempty"` // where the value was taken from
}

// Preview is what Train would do with a job.
type Preview struct {
	Job        Job      `json:"job"` // completed
	Choices    []Choice `json:"choices"`
	Pictures   int      `json:"pictures"`
	Plan       Plan     `json:"plan"`
	Parameters int64    `json:"parameters"` // trained numbers
	FileBytes  int64    `json:"file_bytes"` // expected
	// SecondsPerStep is measured, 0 where it is not; Seconds is that of all steps, without the grid's pictures.
	SecondsPerStep float64 `json:"seconds_per_step"`
	Seconds        float64 `json:"seconds"`
}

// MethodCost is what a method costs on a model.
type MethodCost struct {
	Method     string `json:"method"`
	Parameters int64  `json:"parameters"`        // trained numbers
	Peak       int64  `json:"peak"`              // bytes, predicted
	FileBytes  int64  `json:"file_bytes"`        // expected
	Problem    string `json:"problem,omitempty"` // why it cannot run here
}

// Picture is a rendered picture on disk.
type Picture struct {
	Path   string `json:"path"`
	Prompt string `json:"prompt"`
	Seed   uint64 `json:"seed"`
}

// SampleRequest asks for pictures of one prompt.
type SampleRequest struct {
	Model      string      `json:"model"`                // "builtin", a checkpoint or a diffusers folder
	VAE        string      `json:"vae,omitempty"`        // file with a VAE in place of the model's own
	Prediction string      `json:"prediction,omitempty"` // of the model: "epsilon" or "v"; empty decides by its files
	Tuned      []TunedFile `json:"tuned,omitempty"`
	Prompt     string      `json:"prompt"`
	Negative   string      `json:"negative,omitempty"`
	Sampler    string      `json:"sampler"` // "ddim", "euler", "euler_karras", "euler_a", "dpmpp_2m", "dpmpp_2m_karras"
	Steps      int         `json:"steps"`
	Guidance   float64     `json:"guidance"` // 1 switches guidance off
	Seed       uint64      `json:"seed"`
	Width      int         `json:"width"` // pixels; 0 takes the model's own size
	Height     int         `json:"height"`
	Out        string      `json:"out"` // a .png file
	DType      string      `json:"dtype"`
}

// TunedFile is a file that a fine-tuning method wrote, and the weight with which it is added to the model.
type TunedFile struct {
	Path   string  `json:"path"`
	Weight float64 `json:"weight"` // 1 adds it as trained
}

// MergeRequest asks for a model with LoRA files added to its weights: W + weight·alpha/rank·up·down.
type MergeRequest struct {
	Model string      `json:"model"` // "builtin", a diffusers folder or a checkpoint in one file
	LoRAs []TunedFile `json:"loras"`
	Out   string      `json:"out"`             // of the model's own form: a new folder, or a new .safetensors file
	DType string      `json:"dtype,omitempty"` // storage type: "f32", "f16", "bf16"; empty keeps each tensor's own
	// Replace lets Out take the place of a file, which must be none of those that are read. Otherwise nothing is replaced.
	Replace bool `json:"replace,omitempty"`
	// Progress hears, on the engine's goroutine, how many tensors of all are written; it may be nil.
	Progress func(done, all int) `json:"-"`
}

// MergeResult says what was written.
type MergeResult struct {
	Path    string `json:"path"`
	Tensors int    `json:"tensors"` // of the networks that a LoRA can change, or of the whole file
	Changed int    `json:"changed"` // of them
	Size    int64  `json:"size"`    // bytes
}

// FileInfo is what Inspect found.
type FileInfo struct {
	Path       string            `json:"path"`
	Kind       string            `json:"kind"` // "LoRA", "checkpoint", "diffusers folder", ...
	Base       string            `json:"base,omitempty"`
	Note       string            `json:"note,omitempty"` // what is special, or hinders use
	Ranks      []int             `json:"ranks,omitempty"`
	Tensors    int               `json:"tensors"`
	Parameters int64             `json:"parameters"`
	Size       int64             `json:"size"` // bytes
	DTypes     []string          `json:"dtypes,omitempty"`
	Shapes     []string          `json:"shapes,omitempty"` // the first few, "name [shape]"
	Metadata   map[string]string `json:"metadata,omitempty"`
}
