package engineio

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
	"unicode/utf8"
)

// Stream is a connection to one client that carries bytes both ways, reliably
// and in order: the bidirectional stream of a WebTransport session, with the
// session's end as its own. A net.Conn is one, too.
type Stream interface {
	// Close ends the connection at once, both ways; a Read or Write that waits
	// returns. It may be called concurrently with all others, and again.
	io.ReadWriteCloser

	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// streamGrace is how long a client has to take what was sent before its
// connection ends; the protocol has no word for the end of a stream, and that
// of a WebTransport session overtakes what is under way.
const streamGrace = 500 * time.Millisecond

// ServeStream carries a client over stream, until it ends. The stream comes from
// the request r, as a WebSocket does; its first packet opens a session, or
// takes one over that began by polling. ServeStream closes the stream; r may be
// used for something else when it has returned, and no sooner.
func (s *Server) ServeStream(stream Stream, r *http.Request) {
	c := newStream(stream, &s.config)
	defer c.abort()
	if !s.reading(c, true) {
		s.refused(r, errUnavailable)
		return
	}
	defer s.unread(c)
	if e, ok := s.allowStream(r); !ok {
		s.refused(r, e)
		return
	}
	stream.SetReadDeadline(time.Now().Add(s.config.UpgradeTimeout))
	sid, err := c.greeting()
	if err != nil {
		s.refused(r, errGreeting)
		return
	}
	stream.SetReadDeadline(time.Time{})
	s.greeted(c)
	if sid != "" {
		s.upgradeStream(c, r, sid)
	} else {
		s.beginStream(c, r)
	}
}

// allowStream refuses what needs no look at the stream.
func (s *Server) allowStream(r *http.Request) (refusal requestError, ok bool) {
	_, _, revision := parameters(r)
	switch {
	case !slices.Contains(s.config.Transports, WebTransport):
		return errTransport, false
	case revision != "4" && revision != "": // the reference does not ask
		return errProtocol, false
	case !s.config.CORS.allowsSocket(r):
		return errOrigin, false
	}
	return refusal, true
}

// beginStream begins a session on c and is its reader.
func (s *Server) beginStream(c *stream, r *http.Request) {
	if e, ok := s.allow(r); !ok {
		s.refused(r, e)
		return
	}
	id, e, ok := s.reserve(r)
	if !ok {
		s.refused(r, e)
		return
	}
	opened := false
	defer func() { // also of a hook that has panicked
		if !opened {
			s.release(id)
		}
	}()
	session, _ := s.start(id, 4, c, r)
	if opened = session != nil; opened {
		session.inlet(c).run()
	}
}

// upgradeStream offers c to the session sid and is its reader.
func (s *Server) upgradeStream(c *stream, r *http.Request, sid string) {
	session := s.session(sid)
	switch {
	case session == nil && s.foreign.owner(sid) != "":
		s.foreign.passStream(c, r, s.foreign.owner(sid), sid)
	case session == nil:
		s.refused(r, errUnknownSID)
	case !s.config.AllowUpgrades || session.protocol != 4 || !session.offer(c):
		s.refused(r, errBadRequest)
	default:
		session.upgrade(c).run()
	}
}

// stream is a carrier whose frames are those that the reference made up for
// WebTransport:
// https://github.com/socketio/socket.io/blob/main/packages/engine.io-parser/lib/index.ts.
// They are WebSocket's without the first byte, and with the bit that says there
// that the payload is masked for one that says that it is binary.
type stream struct {
	Stream
	timeout time.Duration // of a write
	limit   uint64        // bytes of a message, inclusive

	in      *bufio.Reader // the reader's, as what follows
	payload io.LimitedReader
	stray   bool // it is in the middle of a message that nobody wants

	closing sync.Once
}

// binaryFrame is the bit of a frame's first byte that says so.
const binaryFrame = 0x80

func newStream(s Stream, c *Config) *stream {
	return &stream{Stream: s, timeout: c.PingInterval + c.PingTimeout, limit: uint64(c.MaxPayload),
		in: bufio.NewReaderSize(s, readBuffer)}
}

func (s *stream) name() string { return WebTransport }

// greeting reads the packet that a stream begins with: an open packet that is
// empty, or holds the id of the session to take over.
func (s *stream) greeting() (sid string, err error) {
	var buf buffer
	data, binary, err := s.read(&buf)
	defer func() { buf.release(data) }()
	if err != nil {
		return "", err
	}
	p, err := decodePacket(data)
	switch {
	case err != nil || binary || p.kind != typeOpen:
		return "", errPacket
	case len(p.data) == 0:
		return "", nil
	}
	var open struct {
		SID string `json:"sid"`
	}
	if json.Unmarshal(p.data, &open) != nil || open.SID == "" {
		return "", errPacket
	}
	return open.SID, nil
}

// serve implements carrier.
func (s *stream) serve(in *inlet) {
	for {
		var buf buffer
		data, binary, err := s.read(&buf)
		switch err {
		case nil:
			in.message(data, binary)
		case errLarge, errText:
			in.breach(err)
		default:
			return
		}
		in.pause()
		buf.release(data)
	}
}

// read waits for the next message and reads it into buf. It returns errLarge for
// one that is too large, which it does not read, and errText.
func (s *stream) read(buf *buffer) (data []byte, binary bool, err error) {
	if s.stray {
		_, err := s.in.WriteTo(io.Discard)
		if err == nil {
			err = io.EOF
		}
		return nil, false, err
	}
	size, binary, err := s.header()
	if err != nil {
		return nil, false, err
	}
	if size > s.limit {
		s.stray = true
		return nil, false, errLarge
	}
	s.payload = io.LimitedReader{R: s.in, N: int64(size)}
	data, err = appendAll(buf.take(), &s.payload, int64(size))
	switch {
	case err != nil:
		return data, false, err
	case s.payload.N > 0:
		return data, false, io.ErrUnexpectedEOF
	case !binary && !utf8.Valid(data): // a WebSocket that it were sent on to would break
		return data, false, errText
	}
	return data, binary, nil
}

// header reads what stands before a payload.
func (s *stream) header() (size uint64, isBinary bool, err error) {
	first, err := s.in.ReadByte()
	if err != nil {
		return 0, false, err
	}
	var extended [8]byte
	switch size = uint64(first &^ binaryFrame); size {
	case 126:
		_, err = io.ReadFull(s.in, extended[6:])
	case 127:
		_, err = io.ReadFull(s.in, extended[:])
	default:
		return size, first&binaryFrame != 0, nil
	}
	return binary.BigEndian.Uint64(extended[:]), first&binaryFrame != 0, err
}

// write writes packets in order under one deadline, small ones together.
func (s *stream) write(packets []Packet) error {
	if err := s.SetWriteDeadline(time.Now().Add(s.timeout)); err != nil {
		return err
	}
	cork := newCork(s.Stream)
	defer cork.release()
	for _, p := range packets {
		var err error
		switch {
		case !p.binary():
			err = cork.add(p.frame[1:])
		case len(p.payload()) == 0: // official clients take an empty frame for an error
			err = cork.add([]byte{1, 'b'})
		default:
			if err = cork.add([]byte{p.frame[1] | binaryFrame}); err == nil {
				err = cork.add(p.frame[2:])
			}
		}
		if err != nil {
			return err
		}
	}
	return cork.flush()
}

// finish gives the client time to take what was sent. Then the reader ends it,
// or when the client does.
func (s *stream) finish() {
	s.closing.Do(func() { s.SetReadDeadline(time.Now().Add(streamGrace)) }) // a client gets no second grace
}

func (s *stream) abort() { s.Close() }
