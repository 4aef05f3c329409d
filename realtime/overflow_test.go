package realtime_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
)

// slow runs f with the socket of a client that polls only when poll is called,
// and returns the packets that wait.
func slow(t *testing.T, config realtime.Config, f func(w *world, s *realtime.Socket, poll func() []string)) {
	t.Helper()
	config.Transports = []string{"polling"}
	inWorld(t, config, func(w *world) {
		sockets := make(chan *realtime.Socket, 1)
		w.server.On("connection", func(s *realtime.Socket) { sockets <- s })
		hc := w.transport()
		defer hc.CloseIdleConnections()
		url := openPolling(w, hc)
		poll := func() []string {
			res, err := hc.Get(url)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != 200 {
				return nil
			}
			return strings.Split(string(body), "\x1e")
		}
		post := func(packet string) {
			res, err := hc.Post(url, "text/plain", strings.NewReader(packet))
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
		}
		post("40")
		poll()
		f(w, <-sockets, poll)
		post("1")
	})
}

func events(names ...any) (packets []string) {
	for _, name := range names {
		packets = append(packets, fmt.Sprintf(`42["%v"]`, name))
	}
	return packets
}

func TestOverflowDropNewest(t *testing.T) {
	slow(t, realtime.Config{Overflow: realtime.OverflowDropNewest, MaxBufferedPackets: 3}, func(w *world, s *realtime.Socket, poll func() []string) {
		for i := range 5 {
			if err := s.Emit(fmt.Sprint(i)); errors.Is(err, realtime.ErrSlowClient) != (i > 2) {
				t.Errorf("event %d: %v", i, err)
			}
		}
		if err := s.Emit("big", []byte("b")); !errors.Is(err, realtime.ErrSlowClient) {
			t.Errorf("binary event: %v", err)
		}
		if got := poll(); !slices.Equal(got, events(0, 1, 2)) {
			t.Errorf("got %q", got)
		}
		if s.Emit("more") != nil || !s.Connected() {
			t.Error("the socket is gone")
		}
		poll()
	})
}

func TestOverflowDropOldest(t *testing.T) {
	slow(t, realtime.Config{Overflow: realtime.OverflowDropOldest, MaxBufferedPackets: 3}, func(w *world, s *realtime.Socket, poll func() []string) {
		s.Emit("kept")
		for i := range 5 {
			s.Volatile().Emit(fmt.Sprint(i))
		}
		if got := poll(); !slices.Equal(got, events("kept", 3, 4)) {
			t.Errorf("got %q", got)
		}
		for i := range 4 {
			s.Emit(fmt.Sprint(i))
		}
		synctest.Wait()
		if s.Connected() {
			t.Error("the socket is still there")
		}
	})
}

func TestOverflowDisconnect(t *testing.T) {
	slow(t, realtime.Config{MaxBufferedPackets: 3}, func(w *world, s *realtime.Socket, poll func() []string) {
		ended := make(chan string, 1)
		s.On("disconnect", func(reason string) { ended <- reason })
		if s.Volatile().Emit("v") != nil || s.Buffered() != 0 {
			t.Error("a volatile event waits")
		}
		for i := range 4 {
			if err := s.Emit(fmt.Sprint(i)); errors.Is(err, realtime.ErrSlowClient) != (i == 3) {
				t.Errorf("event %d: %v", i, err)
			}
		}
		if got := <-ended; got != realtime.ReasonTransportError {
			t.Errorf("reason %q", got)
		}
	})
}

func TestEmitContext(t *testing.T) {
	for _, recovery := range []*realtime.Recovery{nil, {}} {
		slow(t, realtime.Config{MaxBufferedPackets: 2, Recovery: recovery}, func(w *world, s *realtime.Socket, poll func() []string) {
			const count = 10
			done := make(chan error, 1)
			go func() {
				for i := range count {
					if err := s.EmitContext(w.t.Context(), fmt.Sprint(i)); err != nil {
						done <- err
						return
					}
				}
				done <- nil
			}()
			var got []string
			for len(got) < count {
				synctest.Wait()
				if s.Buffered() == 0 {
					t.Fatal("nothing waits")
				}
				got = append(got, poll()...)
			}
			for i, packet := range got {
				if !strings.HasPrefix(packet, fmt.Sprintf(`42["%d"`, i)) {
					t.Errorf("packet %d is %s", i, packet)
				}
			}
			if err := <-done; err != nil {
				t.Error(err)
			}

			s.Emit("a")
			s.Emit("b")
			ctx, cancel := context.WithTimeoutCause(w.t.Context(), time.Second, errors.New("enough"))
			defer cancel()
			if err := s.EmitContext(ctx, "c"); err == nil || !strings.Contains(err.Error(), "enough") {
				t.Errorf("with a context that ends: %v", err)
			}
			go func() { done <- s.EmitContext(w.t.Context(), "c") }()
			synctest.Wait()
			s.Conn().Close()
			if err := <-done; recovery == nil && !errors.Is(err, realtime.ErrNotConnected) || recovery != nil && err != nil { // the client may come back
				t.Errorf("when the socket goes: %v", err)
			}
		})
	}
}
