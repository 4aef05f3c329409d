package app

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// A timedRequest is a request with a body that has the setting "body timeout" to come: a client that sends a byte now
// and then would hold a goroutine for as long as it likes. It is a copy: net/http goes by the body that it has made.
type timedRequest struct {
	http.Request
	body timedBody
}

// A timedBody sets the deadline of the connection when its first byte is asked for, and lifts it when the last one is
// there. It keeps its hands off once somebody else has set a deadline, taken the connection over, or the request has ended.
type timedBody struct {
	io.ReadCloser
	w       http.ResponseWriter
	timeout time.Duration

	mu       sync.Mutex // the body may be read, and a deadline set, by any goroutine
	state    bodyTime
	deadline time.Time
}

type bodyTime uint8

const (
	bodyUnread bodyTime = iota
	bodyRuns
	bodyOver // it has come in time, or the deadline is no longer ours
	bodyLate // the deadline has passed
)

// timeBody returns r with a body that has its time to come, and that body; r itself where there is nothing to bound,
// or the http.Server has a bound of its own, which stays. A CONNECT request has no end.
func timeBody(w http.ResponseWriter, r *http.Request, timeout time.Duration) (*http.Request, *timedBody) {
	if r.Body == nil || r.Body == http.NoBody || r.Method == http.MethodConnect {
		return r, nil
	}
	if server, ok := r.Context().Value(http.ServerContextKey).(*http.Server); ok && server.ReadTimeout > 0 {
		return r, nil
	}
	timed := &timedRequest{Request: *r, body: timedBody{ReadCloser: r.Body, w: w, timeout: timeout}}
	timed.Body = &timed.body
	return &timed.Request, &timed.body
}

// Read fails with an [HTTPError] with the status 408 when the time is over.
func (b *timedBody) Read(p []byte) (int, error) {
	b.start()
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		err = b.stop(err)
	}
	return n, err
}

func (b *timedBody) start() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state == bodyUnread {
		b.state, b.deadline = bodyRuns, time.Now().Add(b.timeout)
		b.set(b.deadline)
	}
}

// stop lifts the deadline. One that has passed stays, so that net/http does not wait for the rest of the body, and the
// connection closes.
func (b *timedBody) stop(err error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.state != bodyRuns:
	case err != io.EOF && !time.Now().Before(b.deadline):
		b.state = bodyLate
		return bodyTooSlow(err)
	default:
		b.state = bodyOver
		b.set(time.Time{})
	}
	return err
}

// within has the body take another time, if it has not been asked for yet.
func (b *timedBody) within(timeout time.Duration) {
	if b == nil {
		return
	}
	b.mu.Lock()
	b.timeout = timeout
	b.mu.Unlock()
}

// leave lets the deadline be what it is.
func (b *timedBody) leave() {
	if b == nil {
		return
	}
	b.mu.Lock()
	b.state = bodyOver
	b.mu.Unlock()
}

// setDeadline is for a handler that sets a deadline of its own, in the place of this one.
func (b *timedBody) setDeadline(t time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.state = bodyOver
	return b.set(t)
}

func (b *timedBody) set(t time.Time) error { return http.NewResponseController(b.w).SetReadDeadline(t) }

// settle is told what came of reading the whole body, and returns that, or the 408 that it comes of: what inflates and
// parses a body does not always say why it failed.
func (b *timedBody) settle(err error) error {
	if b == nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case err != nil && b.state == bodyLate:
		return bodyTooSlow(err)
	case err == nil && b.state == bodyRuns:
		b.state = bodyOver
		b.set(time.Time{})
	}
	return err
}

func bodyTooSlow(err error) error {
	return &HTTPError{Status: http.StatusRequestTimeout, Type: "request.timeout", Message: "the body took too long", Err: err}
}
