// Package awake keeps the computer from falling asleep while something long goes on. The screen may go dark.
package awake

import (
	"sync"
	"sync/atomic"
)

// Keeper keeps the computer awake while it is told to. Its methods may be called from any goroutine and return at once.
type Keeper struct {
	why    string
	fail   func(error)
	wanted atomic.Bool
	mu     sync.Mutex // one call of the system at a time
	let    func()     // lets it sleep again; nil where it may
}

// New makes a Keeper that gives the system a reason, and calls fail, on any goroutine, where it cannot do it.
func New(why string, fail func(error)) *Keeper { return &Keeper{why: why, fail: fail} }

// Set keeps the computer awake, or lets it sleep again.
func (k *Keeper) Set(on bool) {
	if k.wanted.Swap(on) != on {
		go k.follow()
	}
}

// follow does what is wanted by now.
func (k *Keeper) follow() {
	k.mu.Lock()
	defer k.mu.Unlock()
	on := k.wanted.Load()
	if on == (k.let != nil) {
		return
	}
	if !on {
		k.let()
		k.let = nil
		return
	}
	let, err := inhibit(k.why)
	if err != nil {
		k.fail(err)
		return
	}
	k.let = let
}
