// Package project is what the window's pages share: the open project, the job that is being set up in it, and whether
// it trains. It belongs to Fyne's goroutine, and so do all calls of listeners.
package project

import (
	"path/filepath"

	"easel/engine"
)

// Project is the open project. The pages listen to its signals and read its fields; they change it by its methods.
type Project struct {
	dir      string
	job      engine.Job
	run      engine.Run
	pictures int
	state    State

	// Opened tells that another project is open: everything is to be read anew.
	Opened Signal[*Project]
	// Edited tells that the job has changed.
	Edited Signal[engine.Job]
	// PicturesChanged tells how many pictures can be trained on.
	PicturesChanged Signal[int]
	// RunChanged tells of the newest run on disk.
	RunChanged Signal[engine.Run]
	// StateChanged tells what the project does now.
	StateChanged Signal[State]

	// Runner trains the project. The Train page sets it; the toolbar uses it.
	Runner Runner
	// Comparer compares methods on the project's pictures, while the state is Comparing. The Compare page sets it.
	Comparer Comparer
}

// Comparer is what can be asked of a comparison that runs.
type Comparer interface {
	Stop() // so that it can go on later
}

// Runner is what the toolbar can ask for. Each call returns at once; what came of it shows in the project's state.
type Runner interface {
	Start()  // a new run of Job, or the paused or interrupted one further
	Pause()  // after the step in progress
	Stop()   // with a checkpoint
	Resume() // goes on after Pause
	// GoesOn reports whether Start takes the interrupted run further.
	GoesOn() bool
}

// State is what a project does.
type State int

// The states of a project.
const (
	Idle     State = iota // nothing runs; Start would begin
	Planning              // measures a few steps
	Training
	Paused
	Stopping // a checkpoint is being written
	Comparing
)

// Busy reports whether the engine works or waits for the project.
func (s State) Busy() bool { return s != Idle }

// ImagesFolder is the name of the folder with the pictures in a project's folder.
const ImagesFolder = "images"

// New is no project yet: Dir is "".
func New() *Project { return &Project{} }

// Dir is the project's folder, "" while none is open.
func (p *Project) Dir() string { return p.dir }

// Name is the folder's last part, as the window's title shows it.
func (p *Project) Name() string {
	if p.dir == "" {
		return ""
	}
	return filepath.Base(p.dir)
}

// Images is the folder with the pictures, "" while no project is open.
func (p *Project) Images() string { return p.job.Images }

// Job is the one that is being set up.
func (p *Project) Job() engine.Job { return p.job }

// Run is the newest run on disk, as it was when the project was opened or a run ended; its Dir is "" where there is none.
func (p *Project) Run() engine.Run { return p.run }

// Interrupted reports whether the newest run stopped where it can go on.
func (p *Project) Interrupted() bool { return p.run.Dir != "" && !p.run.Done && p.run.Step > 0 }

// Pictures counts those that can be trained on.
func (p *Project) Pictures() int { return p.pictures }

// State is what the project does now.
func (p *Project) State() State { return p.state }

// Open makes dir the open project. job is completed with its folders; run is the newest on disk, or zero.
func (p *Project) Open(dir string, job engine.Job, run engine.Run) {
	job.Out = dir
	if job.Images == "" {
		job.Images = filepath.Join(dir, ImagesFolder)
	}
	p.dir, p.job, p.run, p.pictures, p.state = dir, job, run, 0, Idle
	p.Opened.Emit(p)
	p.Edited.Emit(p.job)
	p.PicturesChanged.Emit(0)
	p.RunChanged.Emit(run)
	p.StateChanged.Emit(Idle)
}

// Edit changes the job that is being set up.
func (p *Project) Edit(change func(*engine.Job)) {
	change(&p.job)
	p.Edited.Emit(p.job)
}

// SetPictures is for the Pictures page: how many there are to train on.
func (p *Project) SetPictures(n int) {
	if n != p.pictures {
		p.pictures = n
		p.PicturesChanged.Emit(n)
	}
}

// SetRun is for the Runner, when a run has ended or another of its steps was exported.
func (p *Project) SetRun(run engine.Run) {
	p.run = run
	p.RunChanged.Emit(run)
}

// SetState is for the Runner: what it does now.
func (p *Project) SetState(s State) {
	if s != p.state {
		p.state = s
		p.StateChanged.Emit(s)
	}
}

// Stop ends what the project does, with a checkpoint.
func (p *Project) Stop() {
	if p.state == Comparing {
		p.Comparer.Stop()
		return
	}
	p.Runner.Stop()
}

// Missing says in one sentence what a run still needs; "" when it can start.
func (p *Project) Missing() string {
	switch {
	case p.state == Comparing:
		return "Methods are being compared, on the Method page."
	case p.dir == "":
		return "Add pictures first."
	case p.pictures == 0:
		return "Add pictures that can be used."
	case p.job.Word == "":
		return "Choose a word for your subject on the Method page."
	}
	return ""
}
