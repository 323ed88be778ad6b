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
	// Train runs a job from pictures to an exported file. A cancelled run leaves a checkpoint, and the Result
	// says where; the same job with Resume set goes on from it, bit for bit.
	Train(ctx context.Context, job Job, sink Sink) (Result, error)
	// Promote exports the checkpoint of a step in the project's newest run, in place of the file that the run exported.
	// It can be resumed as before.
	Promote(ctx context.Context, project string, step int) (ExportEvent, error)
	// Sample renders pictures from a prompt.
	Sample(ctx context.Context, req SampleRequest, sink Sink) ([]Picture, error)
	// Merge adds LoRA files to a model's weights and writes the changed model.
	Merge(ctx context.Context, req MergeRequest) (MergeResult, error)
	// Inspect says what a file or folder is, by its content.
	Inspect(ctx context.Context, path string) (FileInfo, error)
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
	Element  string    `json:"element"` // of the pipeline, that the loss updates: one of the Element constants
	Good     string    `json:"good"`    // what it is good at, one sentence
	Harm     string    `json:"harm"`    // what it may harm, one sentence
	Settings []Setting `json:"settings"`
}

// The values of MethodInfo.Element.
const (
	ElementUNet      = "unet"      // the network's own weights
	ElementEmbedding = "embedding" // the vectors of a new word
	ElementInserted  = "inserted"  // layers inserted beside frozen ones
	ElementGenerator = "generator" // a second network that makes the inserted layers
)

// Setting is a number or choice that a method understands, beside those that every method has.
type Setting struct {
	Name    string   `json:"name"`    // flag and key: "rank"
	Default string   `json:"default"` // in the form that Job.Settings takes
	Help    string   `json:"help"`    // one line, with the unit
	Choices []string `json:"choices,omitempty"`
}

// Picture is a rendered picture on disk.
type Picture struct {
	Path   string `json:"path"`
	Prompt string `json:"prompt"`
	Seed   uint64 `json:"seed"`
}

// SampleRequest asks for pictures of one prompt.
type SampleRequest struct {
	Model      string     `json:"model"`                // "builtin", a checkpoint or a diffusers folder
	VAE        string     `json:"vae,omitempty"`        // file with a VAE in place of the model's own
	Prediction string     `json:"prediction,omitempty"` // of the model: "epsilon" or "v"; empty decides by its files
	LoRAs      []LoRAFile `json:"loras,omitempty"`
	Prompt     string     `json:"prompt"`
	Negative   string     `json:"negative,omitempty"`
	Sampler    string     `json:"sampler"` // "ddim", "euler", "euler_a", "dpmpp_2m", "dpmpp_2m_karras"
	Steps      int        `json:"steps"`
	Guidance   float64    `json:"guidance"` // 1 switches guidance off
	Seed       uint64     `json:"seed"`
	Width      int        `json:"width"` // pixels; 0 takes the model's own size
	Height     int        `json:"height"`
	Out        string     `json:"out"` // a .png file
	DType      string     `json:"dtype"`
}

// LoRAFile is a LoRA and the weight with which it is added to the model.
type LoRAFile struct {
	Path   string  `json:"path"`
	Weight float64 `json:"weight"` // 1 adds it as trained
}

// MergeRequest asks for a model with LoRA files added to its weights: W + weight·alpha/rank·up·down.
type MergeRequest struct {
	Model string     `json:"model"` // "builtin", a diffusers folder or a checkpoint in one file
	LoRAs []LoRAFile `json:"loras"`
	Out   string     `json:"out"`             // of the model's own form: a new folder, or a new .safetensors file
	DType string     `json:"dtype,omitempty"` // storage type: "f32", "f16", "bf16"; empty keeps each tensor's own
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
