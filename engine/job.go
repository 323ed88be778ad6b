package engine

// Job is everything that a training run needs to know. The zero value of a field means the default that the
// method and model suggest; Train writes the resolved job into the run's folder.
type Job struct {
	Method     string `json:"method" toml:"method"`                   // a MethodInfo.Name
	Model      string `json:"model" toml:"model"`                     // "builtin", a checkpoint or a diffusers folder
	VAE        string `json:"vae,omitempty" toml:"vae"`               // file with a VAE in place of the model's own
	Prediction string `json:"prediction,omitempty" toml:"prediction"` // of the model: "epsilon" or "v"; empty decides by its files
	Images     string `json:"images" toml:"images"`                   // folder with pictures and .txt captions
	Word       string `json:"word" toml:"word"`                       // the new word that calls the subject
	Class      string `json:"class" toml:"class"`                     // what it is: "dog", "monster toy"
	Out        string `json:"out" toml:"out"`                         // project folder; made where absent
	Goal       string `json:"goal,omitempty" toml:"goal"`             // what is taught: "object", "person", "animal", "style", "trying"; chooses the presets

	Steps      int     `json:"steps" toml:"steps"`
	Batch      int     `json:"batch" toml:"batch"`
	Accumulate int     `json:"accumulate,omitempty" toml:"accumulate"` // batches a step, whose gradients are averaged
	Resolution int     `json:"resolution" toml:"resolution"`           // pixels, side of the square whose area buckets keep
	Seed       uint64  `json:"seed" toml:"seed"`
	Optimizer  string  `json:"optimizer" toml:"optimizer"`              // "adamw", "adamw8bit", "prodigy", "adafactor", "lion"
	Rate       float64 `json:"rate" toml:"rate"`                        // learning rate
	Schedule   string  `json:"schedule" toml:"schedule"`                // of the learning rate: "constant", "cosine", ...
	Warmup     int     `json:"warmup" toml:"warmup"`                    // steps
	Cycles     int     `json:"cycles,omitempty" toml:"cycles,omitzero"` // falls of "cosine_with_restarts"
	Power      float64 `json:"power,omitempty" toml:"power,omitzero"`   // of the fall of "polynomial"; 1 is a line
	MinSNR     float64 `json:"min_snr" toml:"min_snr"`                  // γ of min-SNR weighting; negative is off
	ClipNorm   float64 `json:"clip_norm" toml:"clip_norm"`              // largest global gradient norm; negative is off
	// Preserve is the weight with which the model is held to its own predictions for other prompts; negative is off.
	Preserve float64 `json:"preserve" toml:"preserve"`

	Loss     Loss     `json:"loss,omitzero" toml:"loss"`
	Noise    Noise    `json:"noise,omitzero" toml:"noise"`
	Captions Captions `json:"captions,omitzero" toml:"captions"`
	Views    Views    `json:"views,omitzero" toml:"views"`

	Prior Prior `json:"prior,omitzero" toml:"prior"`

	// EMA is the decay, at most, of a running average of the trained values, which is what is rendered and exported; 0 is off.
	EMA float64 `json:"ema,omitempty" toml:"ema,omitzero"`

	// From is a LoRA file whose values training begins with; empty begins anew.
	From string `json:"from,omitempty" toml:"from,omitempty"`

	// Settings are the method's own, by Setting.Name.
	Settings map[string]string `json:"settings,omitempty" toml:"settings"`

	Prompts     []string `json:"prompts,omitempty" toml:"prompts"` // columns of the before/after grid; {word} and {class} are filled in
	SampleSteps int      `json:"sample_steps" toml:"sample_steps"`
	Guidance    float64  `json:"guidance" toml:"guidance"`

	DType  string `json:"dtype" toml:"dtype"`   // "auto", "f32", "bf16"
	Memory int64  `json:"memory" toml:"memory"` // bytes that the process may take; 0 is what the machine has free
	Resume bool   `json:"resume" toml:"-"`      // go on from the newest checkpoint of Out
	Export string `json:"export" toml:"export"` // storage type of the exported file: "f16", "f32", "bf16"
	// Files are the forms of file to write, by FileForm.Name; empty writes the method's first.
	Files []string `json:"files,omitempty" toml:"files,omitempty"`

	// Plan is how a run uses memory. Train makes it, unless a resumed run has one on record.
	Plan Plan `json:"plan,omitzero" toml:"plan"`

	// Control steers the run from outside; nil where nobody does.
	Control *Control `json:"-" toml:"-"`
}

// Result is what a finished or cancelled run leaves.
type Result struct {
	Run        Run      `json:"run"`
	Export     string   `json:"export,omitempty"`     // the file for other programs
	Exports    []string `json:"exports,omitempty"`    // all files, where several forms were asked for
	Grid       string   `json:"grid,omitempty"`       // the before/after picture
	Checkpoint string   `json:"checkpoint,omitempty"` // from which Resume goes on
	Summary    Summary  `json:"summary"`
}

// Summary says in numbers what training did.
type Summary struct {
	Steps        int     `json:"steps"`
	Parameters   int64   `json:"parameters"` // trained numbers
	FileBytes    int64   `json:"file_bytes"`
	WeightChange float64 `json:"weight_change"` // ‖ΔW‖ / ‖W‖ over the layers that the method changes
	// Likeness is the mean similarity, 0 to 1, of the grid's pictures of the subject to the training pictures.
	LikenessBefore float64 `json:"likeness_before"`
	LikenessAfter  float64 `json:"likeness_after"`
	// LikenessOwn is that of the training pictures, each to the others; all three are 0 where it cannot be measured.
	LikenessOwn float64 `json:"likeness_own"`
	// Drift is how far the unrelated prompt's picture moved, mean absolute difference per channel, 0 to 1.
	Drift      float64 `json:"drift"`
	FirstLoss  float64 `json:"first_loss"` // mean of the first tenth of the steps
	LastLoss   float64 `json:"last_loss"`
	Seconds    float64 `json:"seconds"`     // of training, without sampling
	PeakMemory int64   `json:"peak_memory"` // bytes, resident
}

// Run is one training run of a project, as it lies on disk.
type Run struct {
	Dir  string `json:"dir"`
	Job  Job    `json:"job"`
	Step int    `json:"step"` // last finished
	// SecondsPerStep is the running mean at that step.
	SecondsPerStep float64 `json:"seconds_per_step"`

	Done    bool       `json:"done"`
	Grid    string     `json:"grid,omitempty"`
	Columns []string   `json:"columns,omitempty"` // prompts
	Rows    []GridRow  `json:"rows,omitempty"`
	Export  string     `json:"export,omitempty"`
	Losses  []StepLoss `json:"losses,omitempty"`
	// Validation is the loss of the pictures held out, at the steps of the grid.
	Validation []StepLoss `json:"validation,omitempty"`
	// Exported tells of the file in Export; zero where an older Easel wrote it.
	Exported ExportEvent `json:"exported,omitzero"`
}

// GridRow is one row of the before/after grid: one picture a column. Columns that were added later have none in the rows
// before; their places are empty, or missing at the end.
type GridRow struct {
	Step     int      `json:"step"`
	Pictures []string `json:"pictures"`
	// WeightChange is the Summary's, at this step.
	WeightChange float64 `json:"weight_change"`
}

// StepLoss is the loss of one step.
type StepLoss struct {
	Step int     `json:"step"`
	Loss float64 `json:"loss"`
}
