//go:build cgo && !headless

package main

import (
	"slices"
	"sync"
	"time"

	"fyne.io/fyne/v2"
	"github.com/go-gl/glfw/v3.3/glfw"
)

const (
	restTime  = 500 * time.Millisecond // at most, since what Fyne itself has to do meanwhile waits
	blinkTime = 120 * time.Millisecond // while a cursor blinks, which it does each half second, and need not fade
	frameTime = 20 * time.Millisecond  // a little more than that between two looks of Fyne's
	awakeTime = time.Second            // after something has happened, in which Fyne's animations end
)

// rest has the window sleep while nothing happens. Fyne 2.7.1 looks for events 60 times a second, which takes 1.5 % of a core
// although there are none (internal/driver/glfw/loop.go). It belongs to Fyne's goroutine, but for do.
type rest struct {
	mu      sync.RWMutex // held while another goroutine wakes GLFW, which must not end meanwhile
	running bool         // GLFW has begun and not ended
}

// do is fyne.Do, which ends the sleep.
func (r *rest) do(f func()) {
	fyne.Do(f)
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.running {
		glfw.PostEmptyEvent()
	}
}

// begin is called once Fyne looks for events.
func (r *rest) begin() {
	r.set(true)
	r.after(awakeTime)
}

// end is called before Fyne ends GLFW.
func (r *rest) end() { r.set(false) }

func (r *rest) set(running bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running = running
}

func (r *rest) after(pause time.Duration) {
	time.AfterFunc(pause, func() { fyne.Do(r.sleep) })
}

// sleep waits until something happens.
func (r *rest) sleep() {
	r.mu.RLock()
	running := r.running
	r.mu.RUnlock()
	if !running { // this may be another goroutine, as Fyne's has ended
		return
	}
	limit := restTime
	if slices.ContainsFunc(fyne.CurrentApp().Driver().AllWindows(), typing) {
		limit = blinkTime
	}
	begin := time.Now()
	glfw.WaitEventsTimeout(limit.Seconds())
	if time.Since(begin) < limit {
		r.after(awakeTime)
		return
	}
	r.after(frameTime)
}

// typing says that an entry has the focus.
func typing(w fyne.Window) bool {
	_, entry := w.Canvas().Focused().(interface{ SelectedText() string })
	return entry
}
