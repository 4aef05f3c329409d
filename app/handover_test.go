//go:build unix

package app

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// A memory is a sessionKeeper that keeps one text.
type memory struct {
	recovers bool
	text     string
	fails    error
}

func (m *memory) Shutdown(context.Context) error { return nil }
func (m *memory) Recovers() bool                 { return m.recovers }

func (m *memory) SaveSessions(w io.Writer) error {
	if m.fails != nil {
		return m.fails
	}
	_, err := io.WriteString(w, strconv.Quote(m.text))
	return err
}

func (m *memory) LoadSessions(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err == nil {
		m.text, err = strconv.Unquote(string(text))
	}
	return err
}

// inherit leaves a file to the process under a variable, as the development server does.
func inherit(t *testing.T, variable string, f *os.File) {
	t.Helper()
	fd, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	t.Setenv(variable, strconv.Itoa(fd))
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// What the keepers of a process remember, those of the next one know, in the order in which they are mounted; what
// remembers nothing is left out.
func TestHandover(t *testing.T) {
	r, w := pipe(t)
	inherit(t, "ZOCALO_SUCCESSOR", w)
	before := newHandover([]shutdowner{&memory{recovers: true, text: "first"}, &memory{text: "nothing"}, &memory{recovers: true, text: "sec\nond"}})
	passed := make(chan error, 1)
	go func() { passed <- before.pass(t.Context()) }()

	inherit(t, "ZOCALO_PREDECESSOR", r)
	first, none, second := &memory{recovers: true}, &memory{}, &memory{recovers: true}
	after := newHandover([]shutdowner{first, none, second})
	if err := <-passed; err != nil {
		t.Fatal(err)
	}
	if first.text != "first" || none.text != "" || second.text != "sec\nond" {
		t.Errorf("the next process knows %q, %q, %q", first.text, none.text, second.text)
	}
	if err := after.pass(t.Context()); err != nil {
		t.Errorf("without a successor: %v", err)
	}
	for _, variable := range []string{"ZOCALO_SUCCESSOR", "ZOCALO_PREDECESSOR"} {
		if value, there := os.LookupEnv(variable); there {
			t.Errorf("%s=%s is left to the children of the process", variable, value)
		}
	}
}

// A process that has nothing to say says so at once, and one that crashed does not keep the next one waiting.
func TestHandoverOfNothing(t *testing.T) {
	r, w := pipe(t)
	inherit(t, "ZOCALO_SUCCESSOR", w)
	h := newHandover([]shutdowner{&memory{}})
	if text, err := io.ReadAll(r); err != nil || len(text) != 0 || h.successor != nil {
		t.Errorf("the successor reads %q %v", text, err)
	}

	r, w = pipe(t)
	w.Close()
	inherit(t, "ZOCALO_PREDECESSOR", r)
	m := &memory{recovers: true, text: "as it was"}
	if newHandover([]shutdowner{m}); m.text != "as it was" {
		t.Errorf("it knows %q", m.text)
	}
}

// What went wrong before keeps no process from serving.
func TestHandoverOfNonsense(t *testing.T) {
	for _, text := range []string{"{", `["`, `[1, 2, 3]`, `{"a": 1}`, "\x00\xff", strings.Repeat("[", 10_000)} {
		r, w := pipe(t)
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
		w.Close()
		h := &handover{keepers: []sessionKeeper{&memory{recovers: true}}}
		if err := h.load(r); err == nil {
			t.Errorf("%.20q is taken for sessions", text)
		}
	}
}

// A successor that has gone is no error; a keeper that fails is, and the successor is not kept waiting for it.
func TestHandoverToNobody(t *testing.T) {
	r, w := pipe(t)
	r.Close()
	h := &handover{keepers: []sessionKeeper{&memory{recovers: true, text: "lost"}}, successor: w}
	if err := h.pass(t.Context()); err != nil {
		t.Error(err)
	}

	r, w = pipe(t)
	broken := errors.New("broken")
	h = &handover{keepers: []sessionKeeper{&memory{recovers: true, fails: broken}}, successor: w}
	if err := h.pass(t.Context()); !errors.Is(err, broken) {
		t.Error(err)
	}
	if text, err := io.ReadAll(r); err != nil || len(text) != 0 {
		t.Errorf("the successor reads %q %v", text, err)
	}
}

// A successor that does not read holds the process up until the deadline of its shutdown, and not longer.
func TestHandoverDeadline(t *testing.T) {
	_, w := pipe(t)
	inherit(t, "ZOCALO_SUCCESSOR", w)
	h := newHandover([]shutdowner{&memory{recovers: true, text: strings.Repeat("x", 1<<20)}}) // more than a pipe holds
	ctx, cancel := context.WithTimeout(t.Context(), 1)
	defer cancel()
	var timeout net.Error
	if err := h.pass(ctx); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("it ended with %v", err)
	}
}

// Only a descriptor behind those of every process is taken for a pipe.
func TestInheritedPipe(t *testing.T) {
	for _, value := range []string{"", "0", "2", "-1", "three"} {
		t.Setenv("ZOCALO_SUCCESSOR", value)
		if f := inheritedPipe("ZOCALO_SUCCESSOR"); f != nil {
			t.Errorf("%q is %v", value, f.Fd())
		}
	}
}
