//go:build !linux

package kernel

// LetGo gives back the memory of a Mapped tensor where the system can.
func (t *Tensor) LetGo() {}

// Fetch makes the memory of a Mapped tensor present where the system can.
func (t *Tensor) Fetch() {}
