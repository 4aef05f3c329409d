package engineio

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// payload takes what a poll would get.
func payload(t *testing.T, o *outbox) string {
	t.Helper()
	if err := o.claim(); err != nil {
		return err.Error()
	}
	packets, err := o.take(t.Context())
	if err != nil {
		return err.Error()
	}
	return strings.ReplaceAll(string(appendPayload(nil, packets)), "\x1e", " ")
}

func text(s string) Packet { return Text([]byte(s)) }

func expect(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOutboxPoll(t *testing.T) {
	o := newOutbox(&Config{MaxBuffered: 1000}, true)
	if o.addVolatile(text("lost")) {
		t.Error("a volatile packet was taken while nobody stands at the door")
	}
	o.add(text("a"), Binary([]byte{1, 2}))
	o.add(text("b"))
	if o.addVolatile(text("lost")) {
		t.Error("a volatile packet was taken behind others")
	}
	expect(t, payload(t, &o), "4a bAQI= 4b")
	o.claim()
	if o.claim() != errTaken {
		t.Error("two polls stand at the door")
	}
	if !o.addVolatile(text("c")) {
		t.Error("a volatile packet was refused though a poll waits")
	}
	packets, err := o.take(t.Context())
	if err != nil || len(packets) != 1 {
		t.Errorf("got %d packets, %v", len(packets), err)
	}
}

func TestOutboxLimit(t *testing.T) {
	o := newOutbox(&Config{MaxBuffered: 100}, true)
	if err := o.add(text(strings.Repeat("x", 200))); err != nil {
		t.Errorf("one packet alone: %v", err)
	}
	if err := o.add(text("y")); err != ErrSlow {
		t.Errorf("a packet that does not fit: %v", err)
	}
}

func TestOutboxClose(t *testing.T) {
	for _, test := range []struct {
		flush bool
		left  bool
		want  []string
	}{
		{true, true, []string{"4a", "1", ErrClosed.Error()}},
		{false, true, []string{"1", ErrClosed.Error()}},
	} {
		o := newOutbox(&Config{MaxBuffered: 1000}, true)
		o.add(text("a"))
		if left := o.close(test.flush, closePacket); left != test.left {
			t.Errorf("left: %v", left)
		}
		if err := o.add(text("b")); err != ErrClosed {
			t.Errorf("add after close: %v", err)
		}
		for _, want := range test.want {
			expect(t, payload(t, &o), want)
		}
	}
	o := newOutbox(&Config{MaxBuffered: 1000}, true)
	o.claim()
	if o.close(true, closePacket) {
		t.Error("something is left though a poll takes it")
	}
}

func TestOutboxHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox(&Config{MaxBuffered: 1000}, true)
		got := make(chan string, 1)
		go func() { got <- payload(t, &o) }()
		synctest.Wait()
		o.hold(true)
		expect(t, <-got, "6") // the poll that waited is let go at once
		start := time.Now()
		expect(t, payload(t, &o), "6")
		if waited := time.Since(start); waited != holdPatience {
			t.Errorf("a poll during the upgrade waited %v", waited)
		}
		go func() { got <- payload(t, &o) }()
		synctest.Wait()
		o.add(text("polled")) // the client switches when it has this, so that it waits for nothing
		expect(t, <-got, "4polled")
		go func() { got <- payload(t, &o) }()
		synctest.Wait()
		s := &recorder{}
		o.attach(s)
		expect(t, <-got, errAttached.Error())
		o.add(text("after"))
		o.drain.Wait()
		o.close(true)
		o.drain.Wait()
		if want := []string{"after", "finished"}; !slices.Equal(s.got, want) {
			t.Errorf("the WebSocket got %q, want %q", s.got, want)
		}
	})
}

func TestOutboxHeldWithoutPoll(t *testing.T) {
	o := newOutbox(&Config{MaxBuffered: 1000}, true)
	o.hold(true)
	o.add(text("waits"))
	s := &recorder{}
	o.attach(s)
	o.drain.Wait()
	if want := []string{"waits"}; !slices.Equal(s.got, want) {
		t.Errorf("the WebSocket got %q, want %q", s.got, want)
	}
}

func TestOutboxPollGone(t *testing.T) {
	o := newOutbox(&Config{MaxBuffered: 1000}, true)
	o.add(text("kept"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o.claim()
	if _, err := o.take(ctx); !errors.Is(err, errGone) {
		t.Errorf("a poll whose client is gone: %v", err)
	}
	if o.claim() != errTaken {
		t.Error("another poll got the door before the session had ended")
	}
	if o.queue.len() != 1 {
		t.Error("the packet is gone with the client")
	}
}

// recorder is a sink.
type recorder struct{ got []string }

func (r *recorder) write(packets []Packet) error {
	for _, p := range packets {
		r.got = append(r.got, string(p.frame[p.header+1:]))
	}
	return nil
}

func (r *recorder) finish() { r.got = append(r.got, "finished") }

func (r *recorder) name() string { return WebSocket }
