package engineio

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// poll answers a GET with what waits in the outbox, or with the first packet to
// come.
func (s *Session) poll(w http.ResponseWriter, r *http.Request) {
	switch s.out.claim() {
	case ErrClosed:
		s.server.refuse(w, r, errUnknownSID)
		return
	case errTaken:
		s.mu.Lock()
		polling := s.transport == Polling
		s.mu.Unlock()
		if polling { // two polls at once break the protocol
			s.end(ReasonTransportError, false)
		}
		s.server.refuse(w, r, errBadRequest)
		return
	}
	packets, err := s.out.take(r.Context())
	switch err {
	case errAttached:
		s.server.refuse(w, r, errBadRequest)
		return
	case errGone:
		s.lose()
		return
	case ErrClosed:
		packets = []Packet{closePacket}
	}
	if s.answer(w, r, packets) != nil {
		s.lose()
		return
	}
	s.out.emptied()
	s.forgetSpent()
}

// lose ends a session whose poll was cut, with all that waited for it.
func (s *Session) lose() {
	s.end(ReasonTransportClose, false)
	s.forget()
}

// answer answers the poll r, in the time that a WebSocket may take for a batch.
func (s *Session) answer(w http.ResponseWriter, r *http.Request, packets []Packet) error {
	buf := buffers.Get().(*[]byte)
	defer release(buf)
	payload, binary := s.appendPayload((*buf)[:0], packets)
	*buf = payload
	body, coding := s.server.compressor.apply(payload, packets, r)
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=UTF-8")
	if binary {
		h.Set("Content-Type", "application/octet-stream")
	}
	if coding != "" {
		h.Set("Content-Encoding", coding)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	config := &s.server.config
	rc := http.NewResponseController(w)
	rc.SetWriteDeadline(time.Now().Add(config.PingInterval + config.PingTimeout)) // where it is supported
	if _, err := w.Write(body); err != nil {
		return err
	}
	if err := rc.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	rc.SetWriteDeadline(time.Time{})
	s.server.count.add(MetricPacketsOut, Polling, len(packets))
	s.server.count.add(MetricBytesOut, Polling, len(payload))
	return nil
}

// release gives a buffer back, unless it has grown large.
func release(buf *[]byte) {
	if cap(*buf) <= maxPooled {
		*buf = (*buf)[:0]
		buffers.Put(buf)
	}
}

// appendPayload appends packets as the session's client understands them, and
// reports whether the payload is binary.
func (s *Session) appendPayload(dst []byte, packets []Packet) (payload []byte, binary bool) {
	if s.protocol == 3 {
		return appendPayload3(dst, packets, s.base64)
	}
	return appendPayload(dst, packets), false
}

// post takes the packets in the body of a POST.
func (s *Session) post(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	busy, closed := s.posting, s.closed
	if !busy && !closed {
		s.posting = true
		s.abort = func() { http.NewResponseController(w).SetReadDeadline(time.Now()) }
	}
	s.mu.Unlock()
	if closed {
		s.server.refuse(w, r, errUnknownSID)
		return
	}
	if busy { // as with two polls
		s.end(ReasonTransportError, false)
		s.server.refuse(w, r, errBadRequest)
		return
	}
	defer func() {
		s.mu.Lock()
		s.posting = false
		s.mu.Unlock()
	}()
	s.takeBody(w, r)
}

// takeBody reads and handles the body of the one POST under way.
func (s *Session) takeBody(w http.ResponseWriter, r *http.Request) {
	cut, binary := cutPacket, strings.HasPrefix(r.Header.Get("Content-Type"), "application/octet-stream")
	switch {
	case binary && s.protocol == 4:
		s.bodyRead()
		s.end(ReasonTransportError, false)
		w.WriteHeader(http.StatusBadRequest)
		return
	case binary:
		cut = cutBinary3
	case s.protocol == 3:
		cut = cutText3
	}
	limit := int64(s.server.config.MaxPayload)
	buf := buffers.Get().(*[]byte)
	body, err := (*buf)[:0], errLarge
	if r.ContentLength <= limit {
		body, err = appendAll(body, io.LimitReader(r.Body, limit+1), limit)
	}
	s.bodyRead()
	defer release(buf)
	*buf = body
	switch {
	case err == errLarge:
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	case err != nil: // it broke off, or the session ended meanwhile
		s.end(ReasonTransportError, false)
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if !binary && !utf8.Valid(body) { // a WebSocket that it were sent on to would break
		s.end(ReasonParseError, false)
	} else {
		s.receivePayload(body, cut)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html")
	h.Set("Cache-Control", "no-store")
	io.WriteString(w, "ok")
}

// bodyRead notes that the body of the POST under way is no longer read.
func (s *Session) bodyRead() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.abort = nil
}

// receivePayload handles the packets that cut finds in a payload, up to the
// first bad one or one too many, which ends the session.
func (s *Session) receivePayload(body []byte, cut func([]byte) (received, []byte, error)) {
	limit := s.server.config.MaxPayloadPackets
	for n := 1; body != nil; n++ {
		p, rest, err := cut(body)
		if err != nil || limit > 0 && n > limit {
			s.end(ReasonParseError, false)
			return
		}
		if !s.receive(p) {
			return
		}
		body = rest
	}
}
