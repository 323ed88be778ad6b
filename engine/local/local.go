// Package local puts the engine's parts together into an engine.Engine that computes on this machine.
package local

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/kernel"
	"easel/engine/kernel/onednn"
	"easel/engine/kernel/ref"
	"easel/engine/method"
	_ "easel/engine/method/dreambooth" // methods register themselves
	_ "easel/engine/method/lora"
	"easel/engine/preset"
	"easel/engine/store"
)

// Options say how the engine computes.
type Options struct {
	// Threads compute: 0 is one for each physical core, -1 one less.
	Threads int
	// Background gives the computing threads a low priority, so that a long run leaves the computer usable. It does so
	// where the system can (Linux: a niceness of 10) and cannot be undone.
	Background bool
	// Cache is a folder for what is measured once on a machine; "" measures nothing.
	Cache string
	// Presets fill in what a job leaves open. Without them a job must say how many steps it makes, and at which rate.
	Presets preset.Set
}

// local implements engine.Engine. All computing happens on one goroutine, locked to its OS thread: oneDNN's and our
// kernels' threads form a team around the thread that calls them.
type local struct {
	backend kernel.Backend
	device  engine.Device
	presets preset.Set
	tasks   chan func()
	quit    chan struct{} // closed by Close
	done    chan struct{} // closed when the computing goroutine has ended
	close   sync.Once
}

var _ engine.Engine = (*local)(nil)

// New starts an engine.
func New(o Options) (engine.Engine, error) {
	l := &local{presets: o.Presets, tasks: make(chan func()), quit: make(chan struct{}), done: make(chan struct{})}
	started := make(chan error)
	go l.work(o, started)
	if err := <-started; err != nil {
		return nil, err
	}
	return l, nil
}

func (l *local) work(o Options, started chan<- error) {
	runtime.LockOSThread()
	defer close(l.done)
	if o.Background {
		yield() // before the backend's threads begin, which take after this one
	}
	var err error
	if l.backend, err = newBackend(o); err == nil {
		l.device = describe(l.backend)
	}
	started <- err
	if err != nil {
		return
	}
	defer l.backend.Close()
	for {
		select {
		case task := <-l.tasks:
			task()
		case <-l.quit:
			return
		}
	}
}

// newBackend is the fastest one that this build holds. EASEL_ISA caps the instruction set (onednn.Options), to see how an
// older processor would do.
func newBackend(o Options) (kernel.Backend, error) {
	if !onednn.Available() {
		return ref.New(), nil
	}
	settings := onednn.Options{Threads: max(o.Threads, 0), Cache: o.Cache, ISA: os.Getenv("EASEL_ISA")}
	b, err := onednn.New(settings)
	if err != nil || o.Threads >= 0 {
		return b, err
	}
	settings.Threads = max(kernel.Threads(b)+o.Threads, 1)
	if err := b.Close(); err != nil {
		return nil, err
	}
	return onednn.New(settings)
}

// do runs f on the computing goroutine, after what was asked for before. A cancelled wait never runs f.
func (l *local) do(ctx context.Context, f func() error) error {
	result := make(chan error, 1)
	select {
	case l.tasks <- func() { result <- f() }:
		return <-result
	case <-ctx.Done():
		return engine.Errorf("wait for the engine", "", engine.Cancelled, "%w", ctx.Err())
	case <-l.quit:
		return engine.Errorf("wait for the engine", "", engine.Cancelled, "the engine is closed")
	}
}

// Device implements engine.Engine.
func (l *local) Device() engine.Device { return l.device }

// Methods implements engine.Engine.
func (l *local) Methods() []engine.MethodInfo {
	var infos []engine.MethodInfo
	for _, m := range method.All() {
		infos = append(infos, m.Info())
	}
	return infos
}

// OpenRun implements engine.Engine.
func (l *local) OpenRun(_ context.Context, project string) (engine.Run, error) {
	return store.Open(project)
}

// Inspect implements engine.Engine.
func (l *local) Inspect(_ context.Context, path string) (engine.FileInfo, error) {
	i, err := format.Inspect(path)
	if err != nil {
		return engine.FileInfo{}, err
	}
	info := engine.FileInfo{Path: i.Path, Kind: string(i.Kind), Base: i.Base, Ranks: i.Ranks, Tensors: i.Tensors,
		Parameters: i.Parameters, Size: i.Size, DTypes: i.DTypes, Metadata: i.Metadata, Note: i.Note}
	for _, s := range i.Shapes {
		info.Shapes = append(info.Shapes, fmt.Sprintf("%s %s %v", s.Name, s.DType, s.Dims))
	}
	return info, nil
}

// Close implements engine.Engine. A call in progress ends first; one that waits is refused.
func (l *local) Close() error {
	l.close.Do(func() { close(l.quit) })
	<-l.done
	return nil
}
