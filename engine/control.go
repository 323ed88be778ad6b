package engine

import "sync"

// Control steers a training run while it runs: a caller puts one into Job.Control and keeps it. The run acts between two
// steps, so what is asked for takes effect when the step in progress is done, and changes no trained value: a run that
// was paused and sampled equals one that was left alone, bit for bit.
//
// All methods may be called from any goroutine and return at once. A nil Control asks for nothing.
type Control struct {
	mu      sync.Mutex
	paused  bool
	asked   Asked
	changed chan struct{} // closed at the next request
}

// Asked is what a run is to do once, between two steps.
type Asked struct {
	Sample   bool       // add a row to the grid
	Save     bool       // write a checkpoint
	Look     bool       // show the step at hand in pictures
	Step     bool       // make one step although the run is paused
	Prompts  []string   // new columns of the grid
	Reworded []Reworded // columns that get another prompt, before there are new ones
}

// Reworded is a column of the grid with the prompt that it is to have.
type Reworded struct {
	Column int // from 0
	Prompt string
}

// Pause holds the run after the step in progress, with its memory. A paused run can be cancelled.
func (c *Control) Pause() { c.ask(func() { c.paused = true }) }

// Resume lets a paused run go on.
func (c *Control) Resume() { c.ask(func() { c.paused = false }) }

// Step lets a paused run make one step and wait again.
func (c *Control) Step() { c.ask(func() { c.asked.Step = true }) }

// SampleNow adds a row of pictures to the grid, and writes a checkpoint, so that the row can be chosen later.
func (c *Control) SampleNow() { c.ask(func() { c.asked.Sample = true }) }

// SaveNow writes a checkpoint.
func (c *Control) SaveNow() { c.ask(func() { c.asked.Save = true }) }

// Look asks for a ViewEvent of the step at hand.
func (c *Control) Look() { c.ask(func() { c.asked.Look = true }) }

// AddPrompt adds a column to the grid; {word} and {class} are filled in. Its pictures begin with step 0 and the present
// step.
func (c *Control) AddPrompt(prompt string) {
	c.ask(func() { c.asked.Prompts = append(c.asked.Prompts, prompt) })
}

// ChangePrompt gives a column of the grid, from 0, another prompt, as AddPrompt does for a new one. Of the rows before, all
// but step 0 then have no picture there.
func (c *Control) ChangePrompt(column int, prompt string) {
	c.ask(func() { c.asked.Reworded = append(c.asked.Reworded, Reworded{column, prompt}) })
}

func (c *Control) ask(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
	if c.changed != nil {
		close(c.changed)
		c.changed = nil
	}
}

// Take is for the run: what was asked for since the last call, whether to pause, and a channel that the next request
// closes.
func (c *Control) Take() (asked Asked, paused bool, changed <-chan struct{}) {
	if c == nil {
		return Asked{}, false, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	asked, c.asked = c.asked, Asked{}
	if c.changed == nil {
		c.changed = make(chan struct{})
	}
	return asked, c.paused, c.changed
}
