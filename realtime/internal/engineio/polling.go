package engineio

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// poll answers a GET with what waits in the outbox, or with the first packet to
// come.
func (s *Session) poll(w http.ResponseWriter, r *http.Request) {
	if !s.out.claim() {
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
	s.out.release()
	switch err {
	case errAttached:
		s.server.refuse(w, r, errBadRequest)
		return
	case errGone:
		s.end(ReasonTransportClose, false)
		return
	case ErrClosed:
		packets = []Packet{closePacket}
	}
	body := buffers.Get().(*[]byte)
	payload := appendPayload((*body)[:0], packets)
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=UTF-8")
	h.Set("Content-Length", strconv.Itoa(len(payload)))
	h.Set("Cache-Control", "no-store")
	w.Write(payload)
	if cap(payload) <= maxPooled {
		*body = payload[:0]
		buffers.Put(body)
	}
	s.mu.Lock()
	lingering := s.lingering
	s.mu.Unlock()
	if lingering {
		s.forget()
	}
}

// post takes the packets in the body of a POST.
func (s *Session) post(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	busy, closed := s.posting, s.closed
	s.posting = true
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

	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/octet-stream") { // revision 3 of the protocol
		s.end(ReasonTransportError, false)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	limit := int64(s.server.config.MaxPayload)
	if r.ContentLength > limit {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	buf := buffers.Get().(*[]byte)
	body, err := appendAll((*buf)[:0], io.LimitReader(r.Body, limit+1), limit)
	defer func() {
		if cap(body) <= maxPooled {
			*buf = body[:0]
			buffers.Put(buf)
		}
	}()
	if err == errLarge {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	if err != nil {
		s.end(ReasonTransportError, false)
		return
	}
	s.receivePayload(body)
	h := w.Header()
	h.Set("Content-Type", "text/html")
	h.Set("Cache-Control", "no-store")
	io.WriteString(w, "ok")
}

// receivePayload handles the packets of a payload up to the first bad one,
// which ends the session.
func (s *Session) receivePayload(body []byte) {
	for {
		packet, rest, more := bytes.Cut(body, []byte{separator})
		p, err := decodePacket(packet)
		if err != nil {
			s.end(ReasonParseError, false)
			return
		}
		if !s.receive(p) || !more {
			return
		}
		body = rest
	}
}
