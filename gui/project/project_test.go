package project_test

import (
	"path/filepath"
	"testing"

	"easel/engine"
	"easel/gui/project"
)

func TestOpenCompletesTheJobAndTells(t *testing.T) {
	p := project.New()
	opened, edited := 0, engine.Job{}
	p.Opened.Listen(func(*project.Project) { opened++ })
	p.Edited.Listen(func(j engine.Job) { edited = j })
	p.Open("/work/toy", engine.Job{Word: "zorbit"}, engine.Run{})
	if opened != 1 || edited.Out != "/work/toy" || edited.Images != filepath.Join("/work/toy", "images") || edited.Word != "zorbit" {
		t.Errorf("opened %d times with job %+v", opened, edited)
	}
	if p.Name() != "toy" {
		t.Errorf("name %q", p.Name())
	}
}

func TestListenersHearInOrder(t *testing.T) {
	p := project.New()
	var heard []string
	p.Edited.Listen(func(j engine.Job) { heard = append(heard, "first "+j.Class) })
	p.Edited.Listen(func(j engine.Job) { heard = append(heard, "second "+j.Class) })
	p.Edit(func(j *engine.Job) { j.Class = "dog" })
	if len(heard) != 2 || heard[0] != "first dog" || heard[1] != "second dog" {
		t.Errorf("heard %q", heard)
	}
}

func TestOnlyAChangeIsTold(t *testing.T) {
	p := project.New()
	states, counts := 0, 0
	p.StateChanged.Listen(func(project.State) { states++ })
	p.PicturesChanged.Listen(func(int) { counts++ })
	for range 2 {
		p.SetState(project.Training)
		p.SetPictures(8)
	}
	if states != 1 || counts != 1 {
		t.Errorf("told %d states and %d counts, want one each", states, counts)
	}
}

func TestMissing(t *testing.T) {
	p := project.New()
	if p.Missing() == "" {
		t.Error("nothing is missing without a project")
	}
	p.Open("/toy", engine.Job{}, engine.Run{})
	if p.Missing() == "" {
		t.Error("nothing is missing without pictures")
	}
	p.SetPictures(3)
	if p.Missing() == "" {
		t.Error("nothing is missing without a word")
	}
	p.Edit(func(j *engine.Job) { j.Word = "zorbit" })
	if got := p.Missing(); got != "" {
		t.Errorf("still missing: %s", got)
	}
}

func TestOneThingIsDoneAtATime(t *testing.T) {
	p := project.New()
	train, compare := new(stopper), new(stopper)
	p.Runner, p.Comparer = train, compare
	p.Open("/toy", engine.Job{Word: "zorbit"}, engine.Run{})
	p.SetPictures(3)
	p.SetState(project.Comparing)
	if p.Missing() == "" {
		t.Error("a run could start while methods are compared")
	}
	p.Stop()
	p.SetState(project.Training)
	p.Stop()
	p.Stop()
	if *compare != 1 || *train != 2 {
		t.Errorf("the comparison was stopped %d times, the run %d times", *compare, *train)
	}
}

// stopper counts how often it was stopped.
type stopper int

func (*stopper) Start()  {}
func (*stopper) Pause()  {}
func (*stopper) Resume() {}
func (s *stopper) Stop() { *s++ }

func (*stopper) GoesOn() bool { return false }
