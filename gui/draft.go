package gui

import (
	"sync"
	"time"

	"easel/engine"
	"easel/gui/post"
	"easel/gui/project"
)

// draft keeps what is set up, so that it is there at the next start. It writes off Fyne's goroutine, soon but not at
// each key.
type draft struct {
	mu    sync.Mutex // one writer at a time
	last  engine.Job // written or waiting
	batch *post.Batch[engine.Job]
	write func(engine.Job)
}

const draftGap = 500 * time.Millisecond

func newDraft(p *project.Project, eng engine.Engine, post post.Func, fail func(error)) *draft {
	d := &draft{}
	d.write = func(job engine.Job) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if err := eng.Folder(job.Out).SaveJob(job); err != nil {
			post(func() { fail(err) })
		}
	}
	d.batch = newBatch(d.write)
	p.Edited.Listen(func(job engine.Job) {
		if job.Out != "" {
			d.last = job
			d.batch.Put(job)
		}
	})
	return d
}

// newBatch writes the newest job of each project, on the batch's own goroutine.
func newBatch(write func(engine.Job)) *post.Batch[engine.Job] {
	return post.NewBatch(func(f func()) { f() }, draftGap, func(jobs []engine.Job) {
		for i, job := range jobs {
			if i+1 == len(jobs) || jobs[i+1].Out != job.Out {
				write(job)
			}
		}
	})
}

// flush writes what waits.
func (d *draft) flush() {
	if d.last.Out != "" {
		d.write(d.last)
	}
}
