package engine

// Loss says what a training step makes small. spec/training.md §5.2 and §5.3 have the formulas.
type Loss struct {
	Kind string `json:"kind,omitempty" toml:"kind"` // "mse", "huber", "smooth_l1"
	// HuberC is the error at which the Huber losses turn from square to linear; HuberSchedule how it depends on the
	// timestep: "constant", "exponential", "snr".
	HuberC        float64 `json:"huber_c,omitempty" toml:"huber_c,omitzero"`
	HuberSchedule string  `json:"huber_schedule,omitempty" toml:"huber_schedule,omitempty"`
	Debiased      bool    `json:"debiased,omitempty" toml:"debiased"` // weighs timesteps by 1/√SNR
	Masked        bool    `json:"masked,omitempty" toml:"masked"`     // counts a picture only where its mask is white or its pixels opaque
}

// LogitNormal is the value of Noise.Timesteps beside "uniform".
const LogitNormal = "logit_normal"

// Noise says what is added to latents, and at which timesteps.
type Noise struct {
	Offset  float64 `json:"offset,omitempty" toml:"offset"`   // strength of a random shift of each channel; 0 is off
	Pyramid float64 `json:"pyramid,omitempty" toml:"pyramid"` // weight, level by level, of coarser noise, below 1; 0 is off
	Perturb float64 `json:"perturb,omitempty" toml:"perturb"` // strength of noise that the target does not tell of; 0 is off
	// From and To bound the timesteps, From ≤ t < To; To is the length of the model's schedule where it is 0.
	From int `json:"from,omitempty" toml:"from"`
	To   int `json:"to,omitempty" toml:"to"`
	// Timesteps is their distribution: "uniform", or "logit_normal", which prefers the middle, shifted by Bias: below 0
	// to details (little noise), above 0 to composition (much noise).
	Timesteps string  `json:"timesteps,omitempty" toml:"timesteps"`
	Bias      float64 `json:"bias,omitempty" toml:"bias"`
}

// Captions says what becomes of a picture's caption before it is the prompt of a step.
type Captions struct {
	Dropout float64 `json:"dropout,omitempty" toml:"dropout"` // probability of an empty prompt
	Shuffle bool    `json:"shuffle,omitempty" toml:"shuffle"` // reorders what stands between commas
	Keep    int     `json:"keep,omitempty" toml:"keep"`       // of these parts, how many at the front stay
	// Templates are texts around the caption, of which each step takes one: {caption}, {word} and {class} are filled in.
	Templates []string `json:"templates,omitempty" toml:"templates,omitempty"`
}

// Views says in which forms pictures are seen, and which are not trained on.
type Views struct {
	Flip  bool `json:"flip,omitempty" toml:"flip"`   // shows them mirrored half of the time
	Crops int  `json:"crops,omitempty" toml:"crops"` // random cuts of a picture that does not fit its shape; 1 is the middle
	// HoldOut is how many pictures, the last by name, are not trained on: their loss tells whether training still helps.
	HoldOut int `json:"hold_out,omitempty" toml:"hold_out"`
}
