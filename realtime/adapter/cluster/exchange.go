package cluster

import "sync"

// exchange pairs questions with their answers.
type exchange[T any] struct {
	mu      sync.Mutex // guards waiting
	waiting map[string]chan T
}

// ask returns a name for a question, and where its answers will come, so many at
// most; done must be called in the end.
func (e *exchange[T]) ask(most int) (id string, answers <-chan T, done func()) {
	name, c := newID(), make(chan T, most)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.waiting == nil {
		e.waiting = make(map[string]chan T)
	}
	e.waiting[name] = c
	return name, c, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.waiting, name)
	}
}

// answer gives an answer to a question.
func (e *exchange[T]) answer(id string, answer T) {
	e.mu.Lock()
	defer e.mu.Unlock()
	select {
	case e.waiting[id] <- answer:
	default: // nobody waits for it any more
	}
}
