package compare

import (
	"context"
	"errors"
	"reflect"

	"easel/engine"
	"easel/gui/post"
	"easel/gui/speech"
)

// price is what a method takes for a project, or why it cannot run.
type price struct {
	preview engine.Preview
	problem string
}

// prices are measured by a few steps of each method, one after another, as long as the engine has nothing else to do.
type prices struct {
	eng     engine.Engine
	post    post.Func
	changed func()

	job      engine.Job // for which they hold
	pictures int        // of it
	known    map[string]price
	cancel   context.CancelFunc // ends measuring; nil where nothing is measured
	number   int                // of the measuring in progress
}

// ask measures what is not known yet of the methods.
func (p *prices) ask(job engine.Job, pictures int, methods []engine.MethodInfo) {
	if p.known == nil || !reflect.DeepEqual(job, p.job) || pictures != p.pictures {
		p.stop()
		p.job, p.pictures, p.known = job, pictures, map[string]price{}
	}
	var unknown []string
	for _, m := range methods {
		if _, ok := p.known[m.Name]; !ok {
			unknown = append(unknown, m.Name)
		}
	}
	if p.cancel != nil || len(unknown) == 0 {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	p.number++
	number := p.number
	go func() { // off Fyne's goroutine until post
		defer cancel()
		for _, name := range unknown {
			job := job
			job.Method = name
			preview, err := p.eng.Plan(ctx, job, true, func(engine.Event) {})
			if ctx.Err() != nil {
				return
			}
			p.post(func() { p.arrived(number, name, preview, err) })
		}
		p.post(func() { p.done(number) })
	}()
}

func (p *prices) arrived(number int, name string, preview engine.Preview, err error) {
	if number != p.number || p.cancel == nil {
		return // it is about another project, or another job
	}
	known := price{preview: preview}
	if err != nil {
		known.problem = reason(err)
	}
	p.known[name] = known
	p.changed()
}

func (p *prices) done(number int) {
	if number == p.number {
		p.cancel = nil
	}
}

// stop ends measuring: the engine is wanted for something else.
func (p *prices) stop() {
	if p.cancel != nil {
		p.cancel()
		p.cancel = nil
	}
}

// reason is an error without the operation that failed: that is said already.
func reason(err error) string {
	var e *engine.Error
	if errors.As(err, &e) {
		return speech.Of(e.Err.Error())
	}
	return speech.Error(err)
}
