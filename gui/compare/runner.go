package compare

import (
	"context"
	"time"

	"easel/engine"
	"easel/gui/post"
	"easel/gui/project"
)

// refreshGap is how often the page changes while methods are compared. Each change repaints the whole window.
const refreshGap = 350 * time.Millisecond

// runner implements project.Comparer: it compares methods on the open project's pictures, while nothing else runs.
type runner struct {
	eng     engine.Engine
	project *project.Project
	post    post.Func
	cancel  context.CancelFunc // ends the comparison in progress; nil where there is none
	number  int                // of the comparison that the page watches

	heard func([]engine.Event) // what it tells, a few times a second
	ended func(error)          // it has ended; what it left is on disk
}

var _ project.Comparer = (*runner)(nil)

// free tells whether a comparison can start.
func (r *runner) free() bool {
	return r.cancel == nil && !r.project.State().Busy() && r.project.Missing() == ""
}

func (r *runner) start(request engine.CompareRequest) {
	if !r.free() {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	r.number++
	number := r.number
	r.project.SetState(project.Comparing)
	updates := post.NewBatch(r.post, refreshGap, func(all []update) { r.hear(number, all) })
	go func() { // off Fyne's goroutine until post
		defer cancel()
		_, err := r.eng.Compare(ctx, request, func(e engine.Event) { updates.Put(update{event: e}) })
		updates.Put(update{end: func() { r.end(number, err) }})
	}()
}

// update is an event, or the end.
type update struct {
	event engine.Event
	end   func()
}

func (r *runner) hear(number int, updates []update) {
	last := updates[len(updates)-1]
	if last.end != nil {
		updates = updates[:len(updates)-1]
	}
	var events []engine.Event
	for _, u := range updates {
		events = append(events, u.event)
	}
	if number == r.number && len(events) > 0 {
		r.heard(events)
	}
	if last.end != nil {
		last.end()
	}
}

func (r *runner) end(number int, err error) {
	r.cancel = nil
	if number != r.number { // of a project that is open no more
		r.heard(nil)
		return
	}
	r.project.SetState(project.Idle)
	r.ended(err)
}

// Stop implements project.Comparer.
func (r *runner) Stop() {
	if r.cancel != nil {
		r.project.SetState(project.Stopping)
		r.cancel()
	}
}

// leave gives up what runs for a project that is open no more.
func (r *runner) leave() {
	r.number++
	if r.cancel != nil {
		r.cancel()
	}
}
