package realtime

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// DevTools returns a handler that shows a developer what the server does, and
// sends events for him. [app.App] serves it below /_dev/ when a development
// server runs the application, and shows it there as a page; it never does in
// production. The handler itself checks nobody's right to ask.
//
// From the first call on the server keeps its last events, 500 at most, each with
// 2 KB of its arguments. Before that it costs nothing.
//
//	GET  …/events   server-sent events: "sockets", whenever those change, and "events", what has happened since
//	POST …/emit     sends the event of a [DevEvent]; the answer is JSON
//
// [app.App]: https://pkg.go.dev/github.com/zocalo-go/zocalo/app#App
func (s *Server) DevTools() http.Handler {
	o := s.observer.Load()
	if o == nil {
		s.observer.CompareAndSwap(nil, newObserver(s))
		o = s.observer.Load()
	}
	return o.handler
}

// A DevEvent is an event that a developer sends.
type DevEvent struct {
	Namespace string `json:"namespace"` // "/" by default
	To        string `json:"to"`        // the id of a socket or a room; "" is everybody in the namespace
	Event     string `json:"event"`
	Args      []any  `json:"args"`
	Ack       bool   `json:"ack"` // wait up to 5 seconds for the answer of the socket
}

const (
	devAckTime  = 5 * time.Second
	devBodySize = 1 << 20 // bytes of a DevEvent
	devPace     = 100 * time.Millisecond
)

func (o *observer) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /events", o.stream)
	mux.HandleFunc("POST /emit", o.emit)
	return mux
}

// stream tells one page what happens, at most once in devPace.
func (o *observer) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	send := func(name string, data []byte) { fmt.Fprintf(w, "event: %s\ndata: %s\n\n", name, data) }
	poll := time.NewTicker(time.Second) // of what changes without an event: rooms, transports
	defer poll.Stop()
	var last uint64
	var shown []byte
	for {
		events, changed := o.since(last)
		if sockets, err := json.Marshal(o.census()); err == nil && !bytes.Equal(sockets, shown) {
			shown = sockets
			send("sockets", sockets)
		}
		if len(events) > 0 {
			last = events[len(events)-1].Seq
			if text, err := json.Marshal(events); err == nil {
				send("events", text)
			}
		}
		if out.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-poll.C:
		case <-changed:
			pause := time.NewTimer(devPace)
			select {
			case <-pause.C:
			case <-r.Context().Done():
				pause.Stop()
				return
			}
		}
	}
}

// emit sends a developer's event.
func (o *observer) emit(w http.ResponseWriter, r *http.Request) {
	e := DevEvent{Namespace: "/"}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, devBodySize))
	if err == nil {
		err = json.Unmarshal(body, &e)
	}
	if err != nil {
		devAnswer(w, http.StatusBadRequest, devResult{Error: "the event is no JSON object that can be sent: " + err.Error()})
		return
	}
	n := o.server.known(e.Namespace)
	if n == nil {
		devAnswer(w, http.StatusNotFound, devResult{Error: "there is no namespace " + e.Namespace})
		return
	}
	result, err := e.send(r.Context(), n)
	if err != nil {
		devAnswer(w, http.StatusConflict, devResult{Error: strings.TrimPrefix(err.Error(), "realtime: ")})
		return
	}
	devAnswer(w, http.StatusOK, result)
}

// devResult is the answer to a DevEvent.
type devResult struct {
	Answer  string  `json:"answer,omitempty"`  // the arguments of the acknowledgement, a JSON array
	Took    float64 `json:"took,omitempty"`    // until it came, in milliseconds
	Reached int     `json:"reached,omitempty"` // sockets of this server
	Error   string  `json:"error,omitempty"`
}

func (e *DevEvent) send(ctx context.Context, n *Namespace) (devResult, error) {
	if !e.Ack {
		b := n.all()
		if e.To != "" {
			b = n.To(e.To)
		}
		return devResult{Reached: len(b.Sockets())}, b.Emit(e.Event, e.Args...)
	}
	s := n.Socket(e.To)
	if s == nil {
		return devResult{}, errors.New("an answer comes from one socket; there is none with the id " + e.To)
	}
	begin := time.Now()
	args, err := s.Timeout(devAckTime).EmitWithAck(ctx, e.Event, e.Args...)
	if err != nil {
		return devResult{}, err
	}
	text, _ := devText(args)
	return devResult{Answer: text, Took: milliseconds(time.Since(begin)), Reached: 1}, nil
}

func devAnswer(w http.ResponseWriter, status int, result devResult) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(result)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
