package engine

import "time"

// CompareRequest asks for several methods to be trained on the same pictures.
type CompareRequest struct {
	// Job is what all methods are given: pictures, word, class, model, seed, prompts. Its Out is the folder for the
	// results; Method, Steps, Rate and Settings are each method's own, from the presets, and are not read. With Resume the
	// comparison that was interrupted in Out goes on: what was asked for then counts, and of Job only where things lie.
	Job     Job      `json:"job"`
	Methods []string `json:"methods,omitempty"` // by MethodInfo.Name; empty is all
	// Seconds is the time that each method trains; 0 gives each the steps of its presets.
	Seconds float64 `json:"seconds"`
}

// FewestCompared are the steps that are made whatever the time of a CompareRequest: fewer say nothing about a method.
const FewestCompared = 20

// Comparison is what methods made of the same pictures.
type Comparison struct {
	Request CompareRequest `json:"request"` // with the names of all its methods
	Began   time.Time      `json:"began"`
	// Turn is the method that is trained, or was when the comparison was interrupted; empty when all have had their turn.
	Turn    string     `json:"turn,omitempty"`
	Page    string     `json:"page,omitempty"` // an HTML file that holds its pictures
	Device  string     `json:"device"`         // that trained them
	Columns []string   `json:"columns"`        // prompts
	Before  []string   `json:"before"`         // pictures of the untrained model, one a column
	Rows    []Compared `json:"rows"`           // of the methods that have had their turn
	// ObeyedBefore is what Compared.Obeyed is for the untrained model.
	ObeyedBefore float64 `json:"obeyed_before"`
	// Best are, for each Figure, the methods that do best by it.
	Best map[Figure][]string `json:"best,omitempty"`
}

// Figure is a measure by which methods are compared.
type Figure string

// The figures. Of the first two more is better, of the others less.
const (
	FigureLikeness   Figure = "likeness"   // Summary.LikenessAfter
	FigureObeyed     Figure = "obeyed"     // Compared.Obeyed
	FigureDrift      Figure = "drift"      // Summary.Drift
	FigureParameters Figure = "parameters" // Summary.Parameters
	FigureFile       Figure = "file"       // Summary.FileBytes
	FigureSeconds    Figure = "seconds"    // Compared.SecondsPerStep
	FigureMemory     Figure = "memory"     // Summary.PeakMemory
)

// CompareEvent reports that a method's turn begins, or that the last one has ended.
type CompareEvent struct {
	Comparison Comparison `json:"comparison"` // so far
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
