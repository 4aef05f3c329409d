package engineio

import (
	"bufio"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
)

// closeGrace is how long a client may take to answer a close frame.
const closeGrace = 2 * time.Second

// Close codes of RFC 6455, section 7.4.1.
const (
	statusNone           = 0 // an empty close frame, which reads as 1005
	statusProtocol       = 1002
	statusInvalidPayload = 1007
	statusPolicy         = 1008
	statusMessageLarge   = 1009
)

// webSocket is a WebSocket connection after the handshake, which is the
// library's part. serve belongs to one goroutine; the other methods may be called
// concurrently.
type webSocket struct {
	conn     net.Conn
	raw      syscall.RawConn // of conn, or nil
	timeout  time.Duration   // of a write that waits
	deflater *deflater       // nil unless compression was agreed on
	closing  sync.Once

	early  []byte // what net/http had read already; the reader's, as what follows
	frames frames
	in     *inlet
	parked parked

	mu     sync.Mutex  // guards writing and the rest
	closed bool        // a close frame is out, nothing may follow it
	unsent []byte      // what was left of a write that did not wait, and comes first
	grace  *time.Timer // of the client that was sent a close frame
}

// acceptWebSocket answers the WebSocket handshake of r. When it returns an
// error, the request is answered already. The webSocket outlives the request: it
// keeps nothing of it. A write that takes longer than a ping and its answer may
// ends the connection.
func (s *Server) acceptWebSocket(w http.ResponseWriter, r *http.Request) (*webSocket, error) {
	c := &s.config
	h := &hijack{ResponseWriter: w}
	compression := websocket.CompressionDisabled
	if s.deflater != nil {
		compression = websocket.CompressionNoContextTakeover
	}
	_, err := websocket.Accept(h, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // the server has checked the Origin by its own rule
		CompressionMode:    compression,
	})
	if h.conn == nil {
		return nil, err
	}
	ws := &webSocket{conn: h.conn, raw: rawOf(h.conn), timeout: c.PingInterval + c.PingTimeout, early: h.early,
		frames: frames{limit: c.MaxPayload, most: c.MaxFragments, inflates: h.deflates}}
	if h.deflates {
		ws.deflater = s.deflater
	}
	return ws, nil
}

func (s *webSocket) name() string { return WebSocket }

// serve implements carrier.
func (s *webSocket) serve(in *inlet) {
	s.in = in
	early := s.early
	s.early = nil
	if s.take(early) {
		return
	}
	if s.raw != nil {
		s.readRaw()
	} else {
		s.readPlain()
	}
}

// readBuffer is how many bytes are kept for what a connection that is not the
// operating system's own, such as one of TLS, may send when it sends nothing.
const readBuffer = 512

// readPlain is the reader of such a connection.
func (s *webSocket) readPlain() {
	small := make([]byte, readBuffer)
	for {
		buf := small
		var pooled *[]byte
		if s.frames.left > readBuffer { // and will come
			pooled = arrivals.Get().(*[]byte)
			buf = *pooled
		}
		n, err := s.conn.Read(buf)
		closed := s.take(buf[:n])
		if pooled != nil {
			arrivals.Put(pooled)
		}
		if closed || err != nil {
			return
		}
	}
}

// arrivals are what is read into, by whoever reads at the moment.
var arrivals = sync.Pool{New: func() any { b := make([]byte, 8<<10); return &b }}

// take takes bytes that were read, and reports whether they ended the connection.
func (s *webSocket) take(p []byte) (closed bool) {
	farewell, closed := s.frames.take(p, s)
	s.in.pause()
	if closed {
		s.answerClose(farewell)
	}
	return closed
}

// message implements outlet.
func (s *webSocket) message(data []byte, binary bool) { s.in.message(data, binary) }

// ping implements outlet.
func (s *webSocket) ping(payload []byte) { s.writeControl(opPong, payload) }

// breach implements outlet.
func (s *webSocket) breach(err error) {
	switch err {
	case errLarge:
		s.close(statusMessageLarge)
	case errFragments:
		s.close(statusPolicy)
	case errText, errInflate:
		s.close(statusInvalidPayload)
	default:
		s.close(statusProtocol)
	}
	s.in.breach(err)
}

// answerClose answers the client's close frame with its own code, unless it is an
// answer itself.
func (s *webSocket) answerClose(payload []byte) {
	code := payload[:min(len(payload), 2)]
	switch {
	case len(payload) == 0:
	case len(payload) == 1 || !validCode(binary.BigEndian.Uint16(payload)):
		code = binary.BigEndian.AppendUint16(nil, statusProtocol)
	case !utf8.Valid(payload[2:]):
		code = binary.BigEndian.AppendUint16(nil, statusInvalidPayload)
	}
	s.writeControl(opClose, code)
}

// validCode reports whether a close frame may have the code, by RFC 6455, section
// 7.4, and what has been registered since.
func validCode(code uint16) bool {
	switch {
	case code >= 3000 && code < 5000:
		return true
	case code < 1000 || code > 1014:
		return false
	}
	return code != 1004 && code != 1005 && code != 1006
}

// finish starts the closing handshake with an empty close frame, as the
// reference does. The reader ends it when the client answers, or in closeGrace.
func (s *webSocket) finish() { s.close(statusNone) }

func (s *webSocket) close(code uint16) {
	s.closing.Do(func() { // a client gets no second grace
		var payload []byte
		if code != statusNone {
			payload = binary.BigEndian.AppendUint16(nil, code)
		}
		s.writeControl(opClose, payload)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.grace = time.AfterFunc(closeGrace, s.abort)
	})
}

// abort ends the connection at once. A blocked read or write returns.
func (s *webSocket) abort() {
	s.conn.Close()
	s.kick() // the system tells nobody about it
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.grace != nil {
		s.grace.Stop()
	}
}

// hijack is the ResponseWriter that the library upgrades. It keeps the connection
// for itself and tells the library that there is none: the handshake is over by
// then, and what the library would go on to make is memory to read and to write
// by.
type hijack struct {
	http.ResponseWriter
	conn     net.Conn // non-nil once it has been hijacked
	early    []byte
	deflates bool // compression was agreed on
}

var errHijacked = errors.New("engineio: taken")

func (h *hijack) Unwrap() http.ResponseWriter { return h.ResponseWriter }

// WriteHeader and Write leave out the answer to errHijacked.

func (h *hijack) WriteHeader(status int) {
	if h.conn == nil {
		h.ResponseWriter.WriteHeader(status)
	}
}

func (h *hijack) Write(p []byte) (int, error) {
	if h.conn != nil {
		return len(p), nil
	}
	return h.ResponseWriter.Write(p)
}

func (h *hijack) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	// net/http may have read past the request already.
	early, err := rw.Reader.Peek(rw.Reader.Buffered())
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	conn.SetDeadline(time.Time{}) // of the request
	h.conn, h.early, h.deflates = conn, append([]byte(nil), early...), deflates(h.Header())
	return nil, nil, errHijacked
}
