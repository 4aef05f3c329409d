package adapter_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// history is an adapter that keeps what is sent, and what it was sent under.
type history struct {
	adapter.Recoverer
	t       *testing.T
	offsets map[string]string // by text
}

func newHistory(t *testing.T, bytes int) *history {
	h := &host{keeps: adapter.Retention{Sessions: 2 * time.Minute, Packets: 3 * time.Minute, Bytes: bytes}}
	return &history{adapter.NewMemory(h).(adapter.Recoverer), t, map[string]string{}}
}

func (h *history) send(text string, target adapter.Target) {
	h.t.Helper()
	offset := h.Offset()
	h.offsets[text] = offset
	p := adapter.Packet{Frames: []parser.Frame{{Data: []byte(text)}}, Offset: offset}
	if err := h.Broadcast(p, target); err != nil {
		h.t.Error(err)
	}
}

// drop disconnects a socket whose client has received the texts up to the last.
func (h *history) drop(id string) { h.Persist(id, adapter.Session{PID: "pid of " + id}) }

// back restores a socket and returns the texts that it missed.
func (h *history) back(id, last string) (missed []string, ok bool) {
	h.t.Helper()
	offset := ""
	if last != "" {
		offset = h.offsets[last]
	}
	session, ok := h.Restore("pid of "+id, offset)
	if !ok {
		return nil, false
	}
	packets, ok := h.Resume(socket(session.ID), session, offset)
	for _, p := range packets {
		missed = append(missed, string(p.Frames[0].Data))
	}
	return missed, ok
}

func (h *history) expect(id, last string, want ...string) {
	h.t.Helper()
	if got, ok := h.back(id, last); !ok || !slices.Equal(got, want) {
		h.t.Errorf("%s missed %q (%v) behind %q, want %q", id, got, ok, last, want)
	}
}

func to(rooms ...string) adapter.Target { return adapter.Target{Rooms: rooms} }

func TestMissedPackets(t *testing.T) {
	h := newHistory(t, 1<<20)
	h.send("before a", to())
	h.Add(socket("a"))
	h.Join("a", "red")
	h.send("1", to())
	h.send("2", to("blue"))
	h.Join("a", "blue")
	h.send("3", to("blue"))
	h.send("4", adapter.Target{Except: []string{"red"}})
	h.send("5", adapter.Target{Socket: "a"})
	h.send("6", adapter.Target{Socket: "b"})
	h.drop("a")
	h.send("7", to("red", "green"))
	h.send("8", to("green"))
	h.send("9", to("a"))

	h.expect("a", "1", "3", "5", "7", "9")
	if got := h.Rooms("a"); !slices.Equal(got, []string{"a", "blue", "red"}) {
		t.Errorf("rooms %q", got)
	}
	if _, ok := h.back("a", "1"); ok {
		t.Error("a session was restored twice")
	}
	// The second drop in a row, once before anything was received.
	h.send("10", to("red"))
	h.drop("a")
	h.expect("a", "1", "3", "5", "7", "9", "10")
	h.drop("a")
	h.expect("a", "10")
	h.drop("a")
	h.expect("a", "", "1", "3", "5", "7", "9", "10")
	if h.Sessions() != 0 {
		t.Errorf("%d sessions are kept", h.Sessions())
	}
}

func TestUnknownSession(t *testing.T) {
	h := newHistory(t, 1<<20)
	h.Add(socket("a"))
	h.send("1", to())
	for _, offset := range []string{"zzzzzz", "-", "1 ", "99999999999999999999999999"} {
		h.drop("a")
		if _, ok := h.Restore("pid of a", offset); ok {
			t.Errorf("restored behind %q", offset)
		}
	}
	if _, ok := h.Restore("pid of b", h.offsets["1"]); ok {
		t.Error("restored what never was")
	}
	h.expect("a", "1")
}

func TestRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHistory(t, 1<<20)
		h.Add(socket("a"))
		h.send("1", to())
		time.Sleep(time.Hour)
		h.drop("a")
		h.send("2", to())
		time.Sleep(2 * time.Minute)
		h.expect("a", "1", "2") // though the packet that it names is long gone
		h.drop("a")
		time.Sleep(2*time.Minute + 1)
		if _, ok := h.back("a", "2"); ok {
			t.Error("a session lived longer than it should")
		}
		if h.Sessions() != 0 {
			t.Error("an old session is kept")
		}
	})
}

func TestRetentionInBytes(t *testing.T) {
	h := newHistory(t, 3000)
	h.Add(socket("a"))
	for i := range 20 {
		h.send(fmt.Sprint(i), to())
	}
	h.drop("a")
	if _, ok := h.back("a", "2"); ok {
		t.Error("restored though something is lost")
	}
	if _, ok := h.back("a", ""); ok {
		t.Error("restored from the beginning though something is lost")
	}
	h.expect("a", "17", "18", "19")
}

// Offsets are given out before packets have an order.
func TestOffsetsTheWrongWayRound(t *testing.T) {
	h := newHistory(t, 500)
	h.Add(socket("a"))
	first, second := h.Offset(), h.Offset()
	for _, offset := range []string{second, first} {
		h.offsets[offset] = offset
		h.Broadcast(adapter.Packet{Frames: []parser.Frame{{Data: []byte(offset)}}, Offset: offset}, to())
	}
	for _, text := range []string{"3", "4"} { // for which the first two are dropped
		h.send(text, to())
	}
	h.drop("a")
	if missed, ok := h.back("a", second); ok {
		t.Errorf("restored with %q, though a packet behind the last is lost", missed)
	}
	h.expect("a", first, "3", "4")
}
