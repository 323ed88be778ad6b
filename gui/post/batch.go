// Package post is the one crossing from the engine's goroutines to Fyne's.
package post

import (
	"sync"
	"time"
)

// Func runs a function on Fyne's goroutine: fyne.Do, or a test's queue.
type Func func(func())

// Batch hands values to apply on Fyne's goroutine, all that came since the last time at once and at most once every gap.
// Fyne's own queue has no bound and each change repaints the window, so what comes often must pass through here.
// Put may be called from any goroutine.
type Batch[T any] struct {
	post  Func
	gap   time.Duration
	apply func([]T)

	mu     sync.Mutex
	values []T
	queued bool
	last   time.Time
}

// NewBatch makes a Batch.
func NewBatch[T any](post Func, gap time.Duration, apply func([]T)) *Batch[T] {
	return &Batch[T]{post: post, gap: gap, apply: apply}
}

// Put adds a value and returns at once.
func (b *Batch[T]) Put(value T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.values = append(b.values, value)
	if b.queued {
		return
	}
	b.queued = true
	time.AfterFunc(max(0, b.gap-time.Since(b.last)), func() { b.post(b.flush) })
}

func (b *Batch[T]) flush() {
	b.mu.Lock()
	values := b.values
	b.values, b.queued, b.last = nil, false, time.Now()
	b.mu.Unlock()
	if len(values) > 0 {
		b.apply(values)
	}
}
