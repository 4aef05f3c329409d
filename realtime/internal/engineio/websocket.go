package engineio

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
)

const (
	// readBuffer and writeBuffer are the sizes of the buffers that the WebSocket
	// library keeps for a connection, in bytes; net/http's own have 4 KiB. Larger
	// messages are read past the buffer, and only control frames are written
	// through it.
	readBuffer  = 512
	writeBuffer = 160

	// closeGrace is how long a client may take to answer a close frame.
	closeGrace = 2 * time.Second
)

// Close codes of RFC 6455, section 7.4.1.
const (
	statusNone         = 0 // an empty close frame, which reads as 1005
	statusInvalidText  = 1007
	statusPolicy       = 1008
	statusMessageLarge = 1009
)

// webSocket is a WebSocket connection: the library accepts it, reads and unmasks
// messages and answers pings and close frames; data frames, which are encoded
// already, are written straight to the network, a batch at a time.
//
// read belongs to one goroutine; the other methods may be called concurrently.
type webSocket struct {
	lib   *websocket.Conn
	wire  *wire
	limit int64 // bytes of a message, inclusive, once it is inflated
	stray bool  // it is in the middle of a message that nobody wants

	deflater *deflater // nil unless it was agreed on

	closing sync.Once
}

// acceptWebSocket answers the WebSocket handshake of r. When it returns an
// error, the request is answered already. The webSocket outlives the request: it
// keeps nothing of it. A write that takes longer than a ping and its answer may
// ends the connection.
func (s *Server) acceptWebSocket(w http.ResponseWriter, r *http.Request) (*webSocket, error) {
	c := &s.config
	h := &hijack{ResponseWriter: w, timeout: c.PingInterval + c.PingTimeout, fragments: c.MaxFragments}
	compression := websocket.CompressionDisabled
	if s.deflater != nil {
		compression = websocket.CompressionNoContextTakeover
	}
	lib, err := websocket.Accept(h, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // the server has checked the Origin by its own rule
		CompressionMode:    compression,
	})
	if err != nil {
		return nil, err
	}
	lib.SetReadLimit(-1) // its own limit closes with a reason that clients do not expect
	ws := &webSocket{lib: lib, wire: h.wire, limit: int64(c.MaxPayload)}
	if deflates(w.Header()) {
		ws.deflater = s.deflater
	}
	return ws, nil
}

func (s *webSocket) name() string { return WebSocket }

// read waits for the next message and reads it into buf. After an error the
// connection is closed; reading on waits for the client's part in that.
func (s *webSocket) read(buf *buffer) (data []byte, binary bool, err error) {
	if s.stray {
		return nil, false, s.wire.discard()
	}
	kind, r, err := s.lib.Reader(context.Background())
	if err == nil {
		data, err = appendAll(buf.take(), r, s.limit)
	}
	switch {
	case err == errLarge:
		s.stray = true
		s.close(statusMessageLarge)
		return data, false, errLarge
	case errors.Is(err, errFragments):
		s.stray = true
		s.close(statusPolicy)
		return data, false, errFragments
	case err != nil:
		return data, false, err
	}
	if kind == websocket.MessageText && !utf8.Valid(data) {
		s.close(statusInvalidText)
		return data, false, errPacket
	}
	return data, kind == websocket.MessageBinary, nil
}

var errLarge = errors.New("engineio: message exceeds MaxPayload")

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

// write writes packets in order under one deadline, small ones together.
func (s *webSocket) write(packets []Packet) error {
	return s.wire.writeFrames(packets, s.deflater)
}

// finish starts the closing handshake with an empty close frame, as the
// reference does. The reader ends it when the client answers, or in closeGrace.
func (s *webSocket) finish() { s.close(statusNone) }

func (s *webSocket) close(code int) {
	s.closing.Do(func() { // a client gets no second grace
		s.wire.writeClose(code)
		s.wire.SetReadDeadline(time.Now().Add(closeGrace))
	})
}

// abort ends the connection at once. A blocked read or write returns.
func (s *webSocket) abort() {
	s.wire.Conn.Close()
	s.lib.CloseNow()
}

// wire is the network connection as the library sees it. Its lock keeps the
// library's control frames and our data frames apart; the library writes every
// control frame whole.
type wire struct {
	net.Conn
	timeout time.Duration // of a write

	raw syscall.RawConn // of Conn, or nil

	early  []byte // what net/http had read already; the reader's
	frames frames // the reader's

	mu     sync.Mutex // guards writing and the rest
	closed bool       // a close frame is out, nothing may follow it
	unsent []byte     // what was left of a write that did not wait, and comes first
}

// Read fails with errFragments once a message has too many frames. Only the
// reader may call it.
func (w *wire) Read(p []byte) (n int, err error) {
	if len(w.early) > 0 {
		n = copy(p, w.early)
		if w.early = w.early[n:]; len(w.early) == 0 {
			w.early = nil
		}
	} else {
		n, err = w.Conn.Read(p)
	}
	w.frames.pass(p[:n])
	if w.frames.exceeded {
		return 0, errFragments
	}
	return n, err
}

// discard reads past what is left up to the client's close frame, so that
// closing does not cut off what was sent to the client. It returns why it ended.
func (w *wire) discard() error {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	for !w.frames.closed {
		_, err := w.Read((*buf)[:cap(*buf)])
		if err != nil && err != errFragments {
			return err
		}
	}
	return net.ErrClosed
}

func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return len(p), nil
	}
	w.closed = len(p) > 0 && p[0]&0x0f == opClose
	if err := w.begin(); err != nil {
		return 0, err
	}
	defer w.end()
	return w.Conn.Write(p)
}

// begin sets the deadline of a write that waits, and writes what an attempt has
// left. mu is held.
func (w *wire) begin() error {
	if err := w.SetWriteDeadline(time.Now().Add(w.timeout)); err != nil {
		return err
	}
	rest := w.unsent
	w.unsent = nil
	if len(rest) == 0 {
		return nil
	}
	_, err := w.Conn.Write(rest)
	return err
}

// end takes the deadline back, which would end a later attempt. mu is held.
func (w *wire) end() {
	if w.raw != nil {
		w.SetWriteDeadline(time.Time{})
	}
}

func (w *wire) writeFrames(packets []Packet, d *deflater) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return net.ErrClosed
	}
	if err := w.begin(); err != nil {
		return err
	}
	defer w.end()
	if len(packets) == 0 {
		return nil
	}
	if len(packets) == 1 {
		_, err := w.Conn.Write(d.apply(packets[0]).frame)
		return err
	}
	cork := newCork(w.Conn)
	defer cork.release()
	for _, p := range packets {
		if err := cork.add(d.apply(p).frame); err != nil {
			return err
		}
	}
	return cork.flush()
}

// tries implements trier. Compressing takes time, and a TLS connection cannot be
// tried.
func (s *webSocket) tries() bool { return s.wire.raw != nil && s.deflater == nil }

// tryWrite implements trier.
func (s *webSocket) tryWrite(packets []Packet, a *attempt) (done int, blocked bool, err error) {
	w := s.wire
	if !w.mu.TryLock() { // a control frame is being written, and may be waited for
		return 0, true, nil
	}
	defer w.mu.Unlock()
	switch {
	case w.closed:
		return 0, false, net.ErrClosed
	case len(w.unsent) > 0:
		return 0, true, nil
	}
	cork := corks.Get().(*[]byte)
	defer func() {
		*cork = (*cork)[:0]
		corks.Put(cork)
	}()
	for done < len(packets) {
		data := packets[done].frame
		done++
		if done < len(packets) && len(data) < corkSize/2 { // small ones together
			*cork = append((*cork)[:0], data...)
			for done < len(packets) && len(*cork)+len(packets[done].frame) <= corkSize {
				*cork = append(*cork, packets[done].frame...)
				done++
			}
			data = *cork
		}
		n, err := a.write(w.raw, data)
		if err != nil {
			return done, false, err
		}
		if n < len(data) {
			w.unsent = append([]byte(nil), data[n:]...)
			return done, true, nil
		}
	}
	return done, false, nil
}

// writeClose writes a close frame with an empty reason.
func (w *wire) writeClose(code int) {
	frame := newFrame(opClose, 0).frame
	if code != statusNone {
		frame = append(newFrame(opClose, 2).frame, byte(code>>8), byte(code))
	}
	w.Write(frame)
}

// hijack is the ResponseWriter that the library upgrades. It hands out a wire,
// and buffers of a size that suits many idle connections.
type hijack struct {
	http.ResponseWriter
	timeout   time.Duration
	fragments int
	wire      *wire
}

func (h *hijack) Unwrap() http.ResponseWriter { return h.ResponseWriter }

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
	early = append([]byte(nil), early...) // lets go of net/http's buffer
	conn.SetDeadline(time.Time{})         // of the request
	h.wire = &wire{Conn: conn, raw: rawOf(conn), timeout: h.timeout, early: early, frames: frames{limit: h.fragments}}
	return h.wire, bufio.NewReadWriter(bufio.NewReaderSize(h.wire, readBuffer), bufio.NewWriterSize(h.wire, writeBuffer)), nil
}
