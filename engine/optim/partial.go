package optim

// Partial is an Optimizer that can take the parameters of a step in several calls of Step, each once, so that a
// gradient need not wait for the others: all but Prodigy, which measures them together.
type Partial interface {
	Optimizer
	// Begin says that the calls of Step up to the next Begin are one step.
	Begin()
}

// parts counts a step that comes in several calls as one.
type parts struct{ begun, counted bool }

// Begin implements Partial.
func (p *parts) Begin() { p.begun, p.counted = true, false }

// count adds one to the number of steps, at the first call of a step.
func (p *parts) count(step *int32) {
	if !p.counted {
		*step++
	}
	p.counted = p.begun
}
