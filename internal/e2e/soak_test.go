package e2e

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
)

// cycles is how many connections the soak makes and ends.
const cycles = 2000

// TestSoak connects and disconnects in every way there is, good and bad, and checks that the server is then what it was
// before: the same goroutines, the same file descriptors, no client, no socket, no room.
func TestSoak(t *testing.T) {
	s := &soak{t: t}
	server := realtime.NewServer(realtime.Config{
		PingInterval: time.Second, // what vanishes is missed after six
		PingTimeout:  5 * time.Second,
		Logger:       slog.New(slog.DiscardHandler),
	})
	server.On("connection", func(socket *realtime.Socket) {
		socket.Join("everybody", "room of "+socket.ID())
		socket.On("echo", func(args realtime.Args, ack realtime.Ack) { ack(args.Values()...) })
		socket.On("disconnect", func(string) { s.ended.Add(1) })
		socket.Broadcast().To("everybody").Emit("came", socket.ID())
	})
	front := httptest.NewServer(server)
	s.url, s.server = front.URL, server
	ways := []func(context.Context) error{
		s.pollAndLeave, s.pollAndVanish, s.pollAndCutPoll, s.pollGarbage,
		s.socketAndLeave, s.socketAndClose, s.socketAndCut, s.socketGarbage, s.socketWithoutConnect,
		s.upgradeAndLeave, s.upgradeAndCut, s.upgradeHalf,
	}

	cycle := func(i int) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := ways[i%len(ways)](ctx); err != nil {
			t.Errorf("way %d: %v", i%len(ways), err)
		}
	}

	// One of each, so that what is made once and kept does not count.
	for i := range ways {
		cycle(i)
	}
	before := s.settle(usage.empty)

	work := make(chan int)
	var workers sync.WaitGroup
	for range 16 {
		workers.Go(func() {
			for i := range work {
				cycle(i)
			}
		})
	}
	for i := range cycles {
		work <- i
	}
	close(work)
	workers.Wait()

	after := s.settle(func(u usage) bool {
		return u.empty() && u.goroutines <= before.goroutines && u.files <= before.files
	})
	t.Logf("before %+v, after %d cycles %+v", before, cycles, after)
	if after.goroutines > before.goroutines {
		stacks := make([]byte, 1<<20)
		t.Errorf("goroutines: %d before, %d after\n%s", before.goroutines, after.goroutines, stacks[:runtime.Stack(stacks, true)])
	}
	if after.files > before.files {
		t.Errorf("file descriptors: %d before, %d after", before.files, after.files)
	}
	if !after.empty() {
		t.Errorf("left behind: %+v", after)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	front.Close()
}

// A soak is the server under test and what its clients know. The clients are in raw_test.go.
type soak struct {
	t      *testing.T
	url    string
	server *realtime.Server
	joined atomic.Int64 // sockets that were told that they are connected
	ended  atomic.Int64 // sockets whose "disconnect" was handled
}

// usage is what must not grow.
type usage struct {
	goroutines, files, clients, sockets, room int
	unended                                   int64 // sockets that joined without an end
}

func (u usage) empty() bool {
	return u.clients == 0 && u.sockets == 0 && u.room == 0 && u.unended == 0
}

// settle waits until what is used satisfies a condition, or a minute, and returns it.
func (s *soak) settle(condition func(usage) bool) usage {
	deadline := time.After(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		http.DefaultClient.CloseIdleConnections()
		now := usage{
			goroutines: runtime.NumGoroutine(),
			files:      openFiles(s.t),
			clients:    s.server.ClientsCount(),
			sockets:    len(s.server.Sockets()),
			room:       len(s.server.In("everybody").Sockets()),
			unended:    s.joined.Load() - s.ended.Load(),
		}
		if condition(now) {
			return now
		}
		select {
		case <-deadline:
			return now
		case <-tick.C:
		}
	}
}

// openFiles counts the process's file descriptors; where there is no way to, it is always none.
func openFiles(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Log("no /proc/self/fd here: file descriptors are not counted")
	}
	return len(entries)
}
