package pictures

import (
	"sync"
	"time"
)

// saver writes texts off Fyne's goroutine while one types: the newest of each name, soon but not at each key.
type saver struct {
	save  func(name, text string) error
	fail  func(error) // called off Fyne's goroutine
	delay time.Duration

	mu      sync.Mutex
	idle    *sync.Cond
	pending map[string]string
	working bool
}

func newSaver(delay time.Duration, save func(name, text string) error, fail func(error)) *saver {
	s := &saver{save: save, fail: fail, delay: delay, pending: map[string]string{}}
	s.idle = sync.NewCond(&s.mu)
	return s
}

// put has text written for name, and returns at once.
func (s *saver) put(name, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending[name] = text
	if !s.working {
		s.working = true
		go s.work()
	}
}

func (s *saver) work() {
	for {
		time.Sleep(s.delay)
		s.mu.Lock()
		batch := s.pending
		s.pending = map[string]string{}
		if len(batch) == 0 {
			s.working = false
			s.idle.Broadcast()
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		for name, text := range batch {
			if err := s.save(name, text); err != nil {
				s.fail(err)
			}
		}
	}
}

// flush waits until everything is written.
func (s *saver) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.working {
		s.idle.Wait()
	}
}
