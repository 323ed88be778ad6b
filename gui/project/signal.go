package project

// Signal tells its listeners that something has happened, in the order in which they began to listen.
type Signal[T any] struct{ listeners []func(T) }

// Listen has f called at each Emit from now on.
func (s *Signal[T]) Listen(f func(T)) { s.listeners = append(s.listeners, f) }

// Emit calls the listeners.
func (s *Signal[T]) Emit(value T) {
	for _, f := range s.listeners {
		f(value)
	}
}
