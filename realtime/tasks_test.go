package realtime

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Goroutines are used again while there is work, and go when there is none: the bubble does not end before they have.
func TestTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pool tasks
		waiting := func() int {
			pool.mu.Lock()
			defer pool.mu.Unlock()
			return len(pool.idle)
		}
		for range 100 {
			var wg sync.WaitGroup
			for range 5 {
				wg.Add(1)
				pool.Go(runFunc(wg.Done))
			}
			wg.Wait()
			<-pool.finished()
			time.Sleep(100 * time.Millisecond)
		}
		synctest.Wait()
		if n := waiting(); n == 0 || n > 5 {
			t.Errorf("%d goroutines wait while there is work", n)
		}
		time.Sleep(3 * patience)
		synctest.Wait()
		if n := waiting(); n > 0 {
			t.Errorf("%d goroutines wait", n)
		}
		done := make(chan struct{})
		pool.Go(runFunc(func() { close(done) }))
		<-done
		<-pool.finished()
		pool.close()
		pool.Go(runFunc(func() {})) // still runs
		<-pool.finished()
	})
}
