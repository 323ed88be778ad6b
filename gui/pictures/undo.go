package pictures

// undoStack holds the changes that can be taken back, the last on top.
type undoStack struct{ steps []undoStep }

// undoStep takes a change back. undo may be called on any goroutine but Fyne's.
type undoStep struct {
	what string
	undo func() error
}

// push adds a change. Few people go back further than this.
func (u *undoStack) push(what string, undo func() error) {
	const most = 50
	u.steps = append(u.steps, undoStep{what, undo})
	if len(u.steps) > most {
		u.steps = u.steps[1:]
	}
}

func (u *undoStack) pop() (undoStep, bool) {
	if len(u.steps) == 0 {
		return undoStep{}, false
	}
	last := u.steps[len(u.steps)-1]
	u.steps = u.steps[:len(u.steps)-1]
	return last, true
}

// last names the change that pop would return; "" without one.
func (u *undoStack) last() string {
	if len(u.steps) == 0 {
		return ""
	}
	return u.steps[len(u.steps)-1].what
}
