package train

import (
	"context"
	"reflect"

	"easel/engine"
	"easel/gui/post"
	"easel/gui/project"
)

// runner implements project.Runner: it trains the open project, one run at a time.
type runner struct {
	eng     engine.Engine
	project *project.Project
	post    post.Func
	opened  engine.Job // as it was when the project was opened or a run began
	control *engine.Control
	cancel  context.CancelFunc // ends the run in progress; nil where there is none
	then    []func()           // to be done when it has ended

	began   func(run engine.Run)       // a run begins, or goes on from what is on disk
	planned func(engine.Preview)       // what a new run will take
	heard   func([]engine.Event)       // what it tells, a few times a second
	ended   func(engine.Result, error) // it has ended
}

var _ project.Runner = (*runner)(nil)

// GoesOn implements project.Runner.
func (r *runner) GoesOn() bool {
	return r.project.Interrupted() && reflect.DeepEqual(r.opened, r.project.Job())
}

// Start implements project.Runner. An interrupted run goes on unless its job was changed meanwhile.
func (r *runner) Start() {
	switch {
	case r.cancel != nil && r.project.State() == project.Paused:
		r.Resume()
	case !r.free():
	case r.GoesOn():
		r.goOn()
	default:
		r.begin()
	}
}

// free tells whether a run can start.
func (r *runner) free() bool { return r.cancel == nil && !r.project.State().Busy() }

// begin starts a new run.
func (r *runner) begin() {
	if r.free() && r.project.Missing() == "" {
		job := r.project.Job()
		job.Resume = false
		r.train(job, engine.Run{Job: job})
	}
}

// goOn resumes the run on disk, with the settings that it has on record.
func (r *runner) goOn() {
	if r.free() && r.project.Interrupted() {
		run := r.project.Run()
		job := run.Job
		job.Resume, job.Out = true, r.project.Dir()
		r.train(job, run)
	}
}

func (r *runner) train(job engine.Job, from engine.Run) {
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel, r.control = cancel, &engine.Control{}
	r.opened = r.project.Job()
	job.Control = r.control
	r.began(from)
	r.project.SetState(project.Planning)
	updates := post.NewBatch(r.post, refreshGap, r.hear)
	dir := r.project.Dir()
	go func() { // off Fyne's goroutine until post
		defer cancel()
		result, err := r.run(ctx, job, updates)
		run, _ := r.eng.OpenRun(context.Background(), dir) // where there is none, nothing has begun
		updates.Put(update{end: func() { r.end(dir, run, result, err) }})
	}()
}

// run measures what a new run will take, so that none starts that must fail, and trains. It may be called on any goroutine.
func (r *runner) run(ctx context.Context, job engine.Job, updates *post.Batch[update]) (engine.Result, error) {
	if !job.Resume {
		plan, err := r.eng.Plan(ctx, job, true, func(engine.Event) {})
		if err != nil {
			return engine.Result{}, err
		}
		updates.Put(update{plan: &plan})
	}
	updates.Put(update{starts: true})
	return r.eng.Train(ctx, job, func(e engine.Event) { updates.Put(update{event: e}) })
}

// update is an event, or what else a run tells.
type update struct {
	event  engine.Event
	plan   *engine.Preview
	starts bool // training
	end    func()
}

func (r *runner) hear(updates []update) {
	var events []engine.Event
	for _, u := range updates {
		e := u.event
		switch {
		case e.Kind != "":
			events = append(events, e)
		case u.plan != nil:
			r.planned(*u.plan)
		case u.starts && r.project.State() == project.Planning:
			r.project.SetState(project.Training)
		}
		if e.Pause != nil && r.cancel != nil && r.project.State() != project.Stopping {
			state := project.Training
			if e.Pause.Paused {
				state = project.Paused
			}
			r.project.SetState(state)
		}
	}
	r.heard(events)
	if last := updates[len(updates)-1]; last.end != nil {
		last.end()
	}
}

func (r *runner) end(dir string, run engine.Run, result engine.Result, err error) {
	r.cancel, r.control = nil, nil
	if dir == r.project.Dir() {
		r.project.SetRun(run)
		r.ended(result, err)
	}
	r.project.SetState(project.Idle)
	then := r.then
	r.then = nil
	for _, f := range then {
		f()
	}
}

// Pause implements project.Runner.
func (r *runner) Pause() {
	if r.control != nil {
		r.control.Pause()
	}
}

// Resume implements project.Runner.
func (r *runner) Resume() {
	if r.control != nil {
		r.control.Resume()
	}
}

// Stop implements project.Runner.
func (r *runner) Stop() {
	if r.cancel != nil {
		r.project.SetState(project.Stopping)
		r.cancel()
	}
}

// close ends a run where its window is closed without a question, as by Ctrl-C in the terminal.
func (r *runner) close() {
	if r.cancel != nil {
		r.cancel()
	}
}

// stopThen stops a run and does something when it has ended; at once where nothing runs.
func (r *runner) stopThen(f func()) {
	if r.cancel == nil {
		f()
		return
	}
	r.then = append(r.then, f)
	r.Stop()
}

// promote exports the checkpoint of a step, after stopping what runs.
func (r *runner) promote(step int, done func(engine.ExportEvent, error)) {
	r.stopThen(func() {
		dir := r.project.Dir()
		go func() { // off Fyne's goroutine until post
			exported, err := r.eng.Promote(context.Background(), dir, step)
			run, openErr := r.eng.OpenRun(context.Background(), dir)
			r.post(func() {
				if openErr == nil && dir == r.project.Dir() {
					r.project.SetRun(run)
				}
				done(exported, err)
			})
		}()
	})
}
