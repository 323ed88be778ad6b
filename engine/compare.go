package engine

// CompareRequest asks for several methods to be trained on the same pictures.
type CompareRequest struct {
	// Job is what all methods are given: pictures, word, class, model, seed, prompts. Its Out is the folder for the
	// results; Method, Steps, Rate and Settings are each method's own, from the presets, and are not read.
	Job     Job      `json:"job"`
	Methods []string `json:"methods,omitempty"` // by MethodInfo.Name; empty is all
	// Seconds is the time that each method trains; 0 gives each the steps of its presets.
	Seconds float64 `json:"seconds"`
}

// Comparison is what methods made of the same pictures.
type Comparison struct {
	Page    string     `json:"page"`    // an HTML file that holds its pictures
	Device  string     `json:"device"`  // that trained them
	Columns []string   `json:"columns"` // prompts
	Before  []string   `json:"before"`  // pictures of the untrained model, one a column
	Rows    []Compared `json:"rows"`
	// ObeyedBefore is what Compared.Obeyed is for the untrained model.
	ObeyedBefore float64 `json:"obeyed_before"`
}

// Compared is one method's part of a comparison.
type Compared struct {
	Method         string   `json:"method"`
	Title          string   `json:"title"`
	Updates        string   `json:"updates"`
	Problem        string   `json:"problem,omitempty"` // why it could not be trained; all else is empty then
	Pictures       []string `json:"pictures"`          // after training, one a column
	Export         string   `json:"export"`            // the file for other programs
	SecondsPerStep float64  `json:"seconds_per_step"`
	// Obeyed is how far backgrounds have the colours that prompts of the subject ask for, 0 to 1; -1 where no prompt names one.
	Obeyed  float64 `json:"obeyed"`
	Summary Summary `json:"summary"`
}
