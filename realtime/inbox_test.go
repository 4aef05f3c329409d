package realtime

import (
	"slices"
	"testing"
	"testing/synctest"
)

// Jobs that are taken together run in order and keep to the limits, and who waits
// for room meanwhile gets it, also when nothing is queued behind them.
func TestInboxTakesTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := Config{MaxPending: 4}
		server := &Server{config: config.withDefaults()}
		defer server.handlers.close()
		in := &inbox{client: &client{server: server}}
		step := make(chan struct{})
		var ran []int
		added := 0
		add := func(n int) {
			for range n {
				i := added
				added++
				in.add(0, func() {
					<-step
					ran = append(ran, i)
				})
			}
		}
		add(1)
		synctest.Wait() // it runs
		add(4)          // these will be taken together
		step <- struct{}{}
		synctest.Wait()
		entered := false
		go func() {
			add(1) // there is room for this one
			add(1)
			entered = true
		}()
		synctest.Wait()
		if entered || added != 7 {
			t.Errorf("%d events are in, or wait for room: entered %t", added, entered)
		}
		for range 4 {
			step <- struct{}{}
		}
		synctest.Wait()
		if !entered {
			t.Error("there is room, and nobody was told")
		}
		for range 2 {
			step <- struct{}{}
		}
		synctest.Wait()
		if want := []int{0, 1, 2, 3, 4, 5, 6}; !slices.Equal(ran, want) {
			t.Errorf("they ran in the order %v", ran)
		}
		if in.queue != nil || in.held != 0 || in.taken != 0 || in.waiters != 0 {
			t.Errorf("an idle inbox has %+v", in)
		}
	})
}

// The queue of a socket that always has something to do does not grow.
func TestInboxNeverEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := Config{}
		server := &Server{config: config.withDefaults()}
		defer server.handlers.close()
		in := &inbox{client: &client{server: server}}
		n, longest := 0, 0
		var again func()
		again = func() {
			longest = max(longest, len(*in.queue))
			if n++; n < 1000 {
				in.addNow(again)
			}
		}
		in.add(0, again)
		in.add(0, again)
		synctest.Wait()
		if longest > 10 {
			t.Errorf("the queue of two jobs grew to %d", longest)
		}
	})
}
