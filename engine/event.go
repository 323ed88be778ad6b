package engine

// Sink receives events in order. It is called on the engine's goroutine and must return at once.
type Sink func(Event)

// Event reports progress. Exactly one of the pointers is set, the one that Kind names. Its JSON form is one line
// of `--json` output and of a run's events.jsonl.
type Event struct {
	Kind       string           `json:"kind"`
	Setup      *SetupEvent      `json:"setup,omitempty"`
	Step       *StepEvent       `json:"step,omitempty"`
	Sampling   *SamplingEvent   `json:"sampling,omitempty"`
	Grid       *GridEvent       `json:"grid,omitempty"`
	Validation *StepLoss        `json:"validation,omitempty"`
	Checkpoint *CheckpointEvent `json:"checkpoint,omitempty"`
	Pause      *PauseEvent      `json:"pause,omitempty"`
	View       *ViewEvent       `json:"view,omitempty"`
	Export     *ExportEvent     `json:"export,omitempty"`
	Warning    *WarningEvent    `json:"warning,omitempty"`
	Caption    *CaptionEvent    `json:"caption,omitempty"`
	Compare    *CompareEvent    `json:"compare,omitempty"`
	Bench      *BenchRow        `json:"bench,omitempty"`
	Result     *Result          `json:"result,omitempty"`
}

// The values of Event.Kind.
const (
	KindSetup      = "setup"
	KindStep       = "step"
	KindSampling   = "sampling"
	KindGrid       = "grid"
	KindValidation = "validation" // the loss of the pictures held out
	KindCheckpoint = "checkpoint"
	KindPause      = "pause"
	KindView       = "view"
	KindExport     = "export"
	KindWarning    = "warning"
	KindCaption    = "caption"
	KindCompare    = "compare"
	KindBench      = "bench"
	KindResult     = "result"
)

// SetupEvent is one line about a finished preparation.
type SetupEvent struct {
	What    string  `json:"what"` // "model", "pictures", "latents", ...
	Detail  string  `json:"detail"`
	Seconds float64 `json:"seconds"`
}

// StepEvent reports a finished training step.
type StepEvent struct {
	Step           int     `json:"step"` // 1 after the first
	Steps          int     `json:"steps"`
	Loss           float64 `json:"loss"`
	Smooth         float64 `json:"smooth"` // running mean of the loss
	Rate           float64 `json:"rate"`
	GradNorm       float64 `json:"grad_norm"`
	SecondsPerStep float64 `json:"seconds_per_step"` // running mean
	SecondsLeft    float64 `json:"seconds_left"`     // of training
	Memory         int64   `json:"memory"`           // resident bytes
}

// SamplingEvent reports progress of rendering.
type SamplingEvent struct {
	Picture  int `json:"picture"` // 1 for the first
	Pictures int `json:"pictures"`
	Step     int `json:"step"`
	Steps    int `json:"steps"`
}

// GridEvent reports a new row of the before/after grid.
type GridEvent struct {
	Row     GridRow  `json:"row"`
	Columns []string `json:"columns"`
}

// CheckpointEvent reports a state that Resume can go on from.
type CheckpointEvent struct {
	Step int    `json:"step"`
	Path string `json:"path"`
}

// PauseEvent reports that a run began to wait, or goes on.
type PauseEvent struct {
	Paused bool `json:"paused"`
	Step   int  `json:"step"` // the last finished
}

// ViewEvent shows one step in pictures, for the first picture of its batch. Each is a PNG file, decoded from the latent
// that the step works on; Error is a heat map, black where the prediction is right.
type ViewEvent struct {
	Step     int     `json:"step"`     // 1 is the first
	Timestep int     `json:"timestep"` // t, of Timesteps; the higher, the more noise
	Of       int     `json:"of"`       // timesteps of the noise schedule
	Caption  string  `json:"caption"`
	Source   string  `json:"source"` // the picture's file
	Loss     float64 `json:"loss"`   // mean squared error of this picture, before weighting

	Clean     string `json:"clean"`     // x0, the training picture
	Noised    string `json:"noised"`    // x_t
	Noise     string `json:"noise"`     // ε, the noise in it
	Predicted string `json:"predicted"` // the noise that the model sees in x_t; derived where the model predicts velocity
	Denoised  string `json:"denoised"`  // what is left without it: the model's guess at x0
	Error     string `json:"error"`     // |predicted - noise|
}

// ExportEvent reports an exported file that was read back and rendered through.
type ExportEvent struct {
	Step       int     `json:"step"` // whose values are in it
	Path       string  `json:"path"`
	Size       int64   `json:"size"`       // bytes
	Trained    string  `json:"trained"`    // picture of the grid's first column at that step
	Through    string  `json:"through"`    // the same rendered through the file
	Difference float64 `json:"difference"` // of the two, mean of absolute values, 0 to 1
}

// WarningEvent tells of something the user should know: a skipped picture, a step left out.
type WarningEvent struct {
	Text string `json:"text"`
	Path string `json:"path,omitempty"`
}

// BenchRequest says what to measure. Empty strings and zeros mean everything, or the usual.
type BenchRequest struct {
	Shape  string `json:"shape"` // "builtin" or "sd15" (full size, random weights)
	Part   string `json:"part"`  // "step", "unet", "vae", "text"
	Method string `json:"method"`
	DType  string `json:"dtype"`
	// File is the type of the numbers in the model's file, "f32", "f16" or "bf16"; empty is as DType. The full size only.
	File  string `json:"file,omitempty"`
	Res   int    `json:"res"` // pixels
	Batch int    `json:"batch"`
	Rank  int    `json:"rank"`
	Runs  int    `json:"runs"`
	// Memory is what the process may take, in bytes; 0 is what the machine has free.
	Memory int64 `json:"memory"`
	// Profile asks for the share of each operator.
	Profile bool `json:"profile"`
}

// BenchRow is one measurement.
type BenchRow struct {
	Shape           string       `json:"shape"`
	Part            string       `json:"part"`
	Method          string       `json:"method"`
	DType           string       `json:"dtype"`
	Res             int          `json:"res"`
	Batch           int          `json:"batch"`
	Seconds         float64      `json:"seconds"` // median
	GFLOPS          float64      `json:"gflops"`  // achieved, 10⁹ operations a second
	RooflinePercent float64      `json:"roofline_percent"`
	PeakBytes       int64        `json:"peak_bytes"`     // resident, whole process
	Plan            *Plan        `json:"plan,omitempty"` // of a training step
	Predicted       int64        `json:"predicted"`      // bytes; what PeakBytes was expected to be
	Device          string       `json:"device"`
	Profile         []ProfileRow `json:"profile,omitempty"`
}

// ProfileRow is one operator's share of a run.
type ProfileRow struct {
	Op      string  `json:"op"`
	Calls   int     `json:"calls"`
	Seconds float64 `json:"seconds"`
	Share   float64 `json:"share"` // 0 to 1
}
