package engine

// Prior is prior preservation (Ruiz et al., arXiv 2208.12242): pictures of the subject's class, not of the subject, are
// trained beside its own, so that the model goes on knowing the class. The zero value is off.
type Prior struct {
	Weight float64 `json:"weight,omitempty" toml:"weight"` // of the class pictures in the loss, beside 1 for the subject's; 0 is 1 where another field is set
	Count  int     `json:"count,omitempty" toml:"count"`   // of class pictures; 0 is as many as suit the subject's, or all of Images
	Prompt string  `json:"prompt,omitempty" toml:"prompt"` // that shows the class; empty is "a photo of a {class}"
	Images string  `json:"images,omitempty" toml:"images"` // folder with class pictures; empty lets the untrained model render them
}

// On says that prior preservation is asked for.
func (p Prior) On() bool { return p != Prior{} }
