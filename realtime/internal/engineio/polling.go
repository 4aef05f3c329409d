package engineio

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// poll answers a GET with what waits in the outbox, or with the first packet to
// come.
func (s *Session) poll(w http.ResponseWriter, r *http.Request) {
	packets, err := s.fetch(r.Context(), nil)
	if refusal, refused := err.(requestError); refused {
		s.server.refuse(w, r, refusal)
	} else if err == nil {
		s.fetched(s.answer(w, r, packets))
	}
}

// fetch waits for the packets of the one poll there may be, and calls waits, if
// that is not nil, once nobody else may be that one. It returns the
// requestError to answer the poll with, or errGone when its client went away,
// which ends the session; without an error, fetched must follow.
func (s *Session) fetch(ctx context.Context, waits func()) ([]Packet, error) {
	switch s.out.claim() {
	case ErrClosed:
		return nil, errUnknownSID
	case errTaken:
		s.mu.Lock()
		polling := s.carrier == nil
		s.mu.Unlock()
		if polling { // two polls at once break the protocol
			s.end(ReasonTransportError, false)
		}
		return nil, errBadRequest
	}
	if waits != nil {
		waits()
	}
	packets, err := s.out.take(ctx)
	switch err {
	case errAttached:
		return nil, errBadRequest
	case errGone:
		s.lose()
		return nil, errGone
	case ErrClosed:
		packets = []Packet{closePacket}
	}
	return packets, nil
}

// fetched notes what came of the answer to a poll.
func (s *Session) fetched(err error) {
	if err != nil {
		s.lose()
		return
	}
	s.answered.Store(s.server.age())
	s.out.emptied()
	s.forgetSpent()
}

// lose ends a session whose poll was cut, with all that waited for it.
func (s *Session) lose() {
	s.end(ReasonTransportClose, false)
	s.forget()
}

// answer answers the poll r.
func (s *Session) answer(w http.ResponseWriter, r *http.Request, packets []Packet) error {
	buf := buffers.Get().(*[]byte)
	defer release(buf)
	payload, binary := s.appendPayload((*buf)[:0], packets)
	*buf = payload
	if err := s.server.answer(w, r, payload, binary, slices.ContainsFunc(packets, Packet.isPlain)); err != nil {
		return err
	}
	s.polled(packets, payload)
	return nil
}

// polled counts the payload that a poll has taken.
func (s *Session) polled(packets []Packet, payload []byte) {
	s.server.count.add(MetricPacketsOut, Polling, len(packets))
	s.server.count.add(MetricBytesOut, Polling, len(payload))
}

// answer answers the poll r with a payload, in the time that a WebSocket may take
// for a batch. A plain one is not compressed.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, payload []byte, binary, plain bool) error {
	body, coding := payload, ""
	if !plain {
		body, coding = s.compressor.apply(payload, r)
	}
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
	rc := http.NewResponseController(w)
	rc.SetWriteDeadline(time.Now().Add(s.config.PingInterval + s.config.PingTimeout)) // where it is supported
	if _, err := w.Write(body); err != nil {
		return err
	}
	if err := rc.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	rc.SetWriteDeadline(time.Time{})
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
	if e, ok := s.beginPost(func() { http.NewResponseController(w).SetReadDeadline(time.Now()) }); !ok {
		s.server.refuse(w, r, e)
		return
	}
	defer s.endPost()
	binary := isBinary(r)
	if !s.takes(binary) {
		s.bodyRead()
		w.WriteHeader(s.takeBody(nil, binary))
		return
	}
	buf := buffers.Get().(*[]byte)
	defer release(buf)
	body, err := s.server.readBody((*buf)[:0], r)
	*buf = body
	s.bodyRead()
	switch {
	case err == errLarge:
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	case err != nil: // it broke off, or the session ended meanwhile
		s.end(ReasonTransportError, false)
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusBadRequest)
	default:
		s.takeBody(body, binary)
		posted(w)
	}
}

// isBinary reports whether the body of the POST r is, which only revision 3 has.
func isBinary(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Content-Type"), "application/octet-stream")
}

// readBody appends the body of a POST, unless it is errLarge.
func (s *Server) readBody(dst []byte, r *http.Request) ([]byte, error) {
	limit := int64(s.config.MaxPayload)
	if r.ContentLength > limit {
		return dst, errLarge
	}
	return appendAll(dst, io.LimitReader(r.Body, limit+1), limit)
}

// posted answers a POST whose body was taken.
func posted(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "text/html")
	h.Set("Cache-Control", "no-store")
	io.WriteString(w, "ok")
}

// beginPost begins the one POST there may be, or says how to refuse it. abort
// ends the reading of its body, until bodyRead is called. After success endPost
// must follow.
func (s *Session) beginPost(abort func()) (refusal requestError, ok bool) {
	s.mu.Lock()
	busy, closed := s.posting, s.closed.Load()
	if !busy && !closed {
		s.posting = true
		s.abort = abort
	}
	s.mu.Unlock()
	if closed {
		return errUnknownSID, false
	}
	if busy { // as with two polls
		s.end(ReasonTransportError, false)
		return errBadRequest, false
	}
	return refusal, true
}

func (s *Session) endPost() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.posting = false
}

// takes reports whether the session takes bodies of that kind at all.
func (s *Session) takes(binary bool) bool { return !binary || s.protocol == 3 }

// takeBody handles the body of the one POST under way. It returns the status to
// answer it with.
func (s *Session) takeBody(body []byte, binary bool) int {
	cut := cutPacket
	switch {
	case !s.takes(binary):
		s.end(ReasonTransportError, false)
		return http.StatusBadRequest
	case binary:
		cut = cutBinary3
	case s.protocol == 3:
		cut = cutText3
	}
	if !binary && !utf8.Valid(body) { // a WebSocket that it were sent on to would break
		s.end(ReasonParseError, false)
	} else {
		s.receivePayload(body, cut)
	}
	return http.StatusOK
}

// appendAll appends what r holds to dst, but no more than limit bytes.
func appendAll(dst []byte, r io.Reader, limit int64) ([]byte, error) {
	for {
		if len(dst) == cap(dst) {
			dst = append(dst, 0)[:len(dst)]
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case int64(len(dst)) > limit:
			return dst, errLarge
		case err == io.EOF:
			return dst, nil
		case err != nil:
			return dst, err
		}
	}
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
	s.in.Lock()
	defer s.in.Unlock()
	limit := s.server.config.MaxPayloadPackets
	for n := 1; body != nil; n++ {
		p, rest, err := cut(body)
		if err != nil || limit > 0 && n > limit {
			s.end(ReasonParseError, false)
			return
		}
		if !s.receive(p, Polling) {
			return
		}
		body = rest
	}
}
