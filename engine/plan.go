package engine

// Plan is how a run uses memory: the first rung of a ladder, fastest first, whose predicted peak fits the budget.
type Plan struct {
	// Recompute is how much of the forward pass is computed again in the backward pass, 0 (nothing) to 4.
	Recompute int `json:"recompute" toml:"recompute"`
	// Together is how many pictures are rendered side by side.
	Together int `json:"together" toml:"together"`
	// Stream lets frozen weights go after each use; they come back from their file.
	Stream bool `json:"stream" toml:"stream"`
	// Weights is the type in which the UNet's frozen matrices are stored: "f32", "bf16" or "f16".
	Weights string `json:"weights" toml:"weights"`
	// Trained is the type in which matrices of the UNet's own are held while they are trained, where a method does: "bf16",
	// which is rounded at random, or empty for "f32".
	Trained string `json:"trained,omitempty" toml:"trained,omitempty"`
	// InPass says that a parameter changes as soon as its gradient is there, within the backward pass, so that gradients
	// never all live at once. They are then clipped by the norm of the last step's.
	InPass bool `json:"in_pass,omitempty" toml:"in_pass,omitempty"`
	// Resolution is the side of the training pictures in pixels.
	Resolution int `json:"resolution" toml:"resolution"`
	// Peak is the predicted most memory of the process, Budget what it may be, in bytes.
	Peak   int64 `json:"peak" toml:"peak"`
	Budget int64 `json:"budget" toml:"budget"`
	// Why says in a sentence what was chosen and for what reason.
	Why string `json:"why" toml:"why"`
}
