package engineio

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	// shutdownBatch sessions are closed at a time, and shutdownPause is the
	// time between batches, where Config.DrainWindow says nothing else.
	shutdownBatch = 500
	shutdownPause = 10 * time.Millisecond

	// drainStep is the time between batches in a window, on average.
	drainStep = 50 * time.Millisecond
)

// pace calls all functions, in batches so that the clients that they send away do
// not all come back at once: in random order over the window, of which no more is
// used than what leaves a third of the time that ctx has for what follows. When
// ctx ends it goes on without pauses.
func (s *Server) pace(ctx context.Context, leave []func()) {
	window := s.config.DrainWindow
	if deadline, ok := ctx.Deadline(); ok {
		window = min(window, time.Until(deadline)*2/3)
	}
	batches := int(window / drainStep)
	batch := shutdownBatch
	if batches > 0 {
		batch = (len(leave) + batches - 1) / batches
		rand.Shuffle(len(leave), func(i, j int) { leave[i], leave[j] = leave[j], leave[i] })
	}
	for i, f := range leave {
		if i > 0 && i%batch == 0 {
			pause := shutdownPause
			if batches > 0 {
				pause = drainStep/2 + rand.N(drainStep)
			}
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
		}
		f()
	}
}
