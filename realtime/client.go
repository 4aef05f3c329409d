package realtime

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zocalo-go/zocalo/realtime/internal/engineio"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// client is one connection and its sockets. It is the engine's handler of the
// session.
type client struct {
	server  *Server
	session *engineio.Session
	origin  *origin

	decoder parser.Decoder       // of the session's reader
	current *Socket              // whose packet came last, or nil; of the reader, too
	conn    atomic.Pointer[Conn] // made when first asked for
	drains  atomic.Bool          // a socket wants to know about the drain
	urgent  atomic.Int32         // answers that are waited for

	mu      sync.Mutex      // guards the rest
	sockets []*Socket       // few, at most one a namespace; also those gone whose handlers have not ended
	left    map[string]bool // namespaces that the server has put it out of, the last of them
	timer   *time.Timer     // until it is admitted to a namespace
	closed  bool            // no socket may join any more
	reason  string          // why the connection has ended
	gone    chan struct{}   // closed then; nil while nobody asked for it
}

// connect is called by the engine for each new session.
func (s *Server) connect(session *engineio.Session, r *http.Request) engineio.Handler {
	c := &client{server: s, session: session, origin: s.config.newOrigin(r)}
	c.decoder = s.config.Codec.NewDecoder(parser.Limits{MaxAttachments: s.config.MaxAttachments})
	c.mu.Lock()
	c.timer = time.AfterFunc(s.config.ConnectTimeout, c.expire)
	c.mu.Unlock()
	if session.Protocol() == 3 { // such a client is in "/" from the start
		c.join("/", nil)
	}
	return c
}

// connection returns the connection as users see it.
func (c *client) connection() *Conn {
	if conn := c.conn.Load(); conn != nil {
		return conn
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn.Load() == nil {
		conn := newConn(c.session, c.origin, c.server.config.Logger)
		conn.ended = c.reason
		c.conn.Store(conn)
	}
	return c.conn.Load()
}

// handler returns what is to be told to who asked for the connection.
func (c *client) handler() (connHandler, bool) {
	conn := c.conn.Load()
	return connHandler{conn}, conn != nil
}

// expire closes a client that joined no namespace in time.
func (c *client) expire() {
	c.mu.Lock()
	expired := c.timer != nil
	c.closed = c.closed || expired
	c.mu.Unlock()
	if expired {
		c.server.config.Logger.Debug("realtime: client joined no namespace in time, closing it", "address", c.origin.address(),
			"cure", "the client must send CONNECT within Config.ConnectTimeout")
		c.session.Close()
	}
}

// Errors that close the connection.
var (
	errNotJoined   = errors.New("packet for a namespace the client has not joined")
	errJoinedTwice = errors.New("second CONNECT to the same namespace")
	errUnexpected  = errors.New("packet that only a server may send")
	errClosed      = errors.New("CONNECT after the end")
)

// Message implements engineio.Handler.
func (c *client) Message(data []byte, binary bool) error {
	p, err := c.decoder.Decode(data, binary)
	if p == nil || err != nil {
		return err
	}
	switch p.Type {
	case parser.Connect:
		auth, err := c.auth(p)
		if err != nil {
			return err
		}
		return c.join(p.Namespace, auth)
	case parser.ConnectError:
		return errUnexpected
	}
	socket, left := c.addressed(p.Namespace)
	switch {
	case left: // it was under way when the server let the socket go
		return nil
	case socket == nil:
		return errNotJoined
	}
	switch p.Type {
	case parser.Disconnect:
		socket.close(ReasonClientDisconnect)
	case parser.Event:
		socket.onEvent(p)
	case parser.Ack:
		socket.onAck(p)
	}
	return nil
}

// addressed returns the socket that a packet for a namespace is for, or nil, and
// whether the server has put that out. Mostly it is the one of the packet before.
func (c *client) addressed(namespace string) (s *Socket, left bool) {
	if s = c.current; s != nil && s.namespace.name == namespace && !s.gone.Load() {
		return s, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current = c.in(namespace)
	return c.current, c.current == nil && c.left[namespace]
}

// in returns the socket that the client has in a namespace, or nil. mu is held.
func (c *client) in(namespace string) *Socket {
	for _, s := range c.sockets {
		if s.namespace.name == namespace && !s.gone.Load() {
			return s
		}
	}
	return nil
}

// present returns the sockets that are not gone. mu is held.
func (c *client) present() []*Socket {
	sockets := make([]*Socket, 0, len(c.sockets))
	for _, s := range c.sockets {
		if !s.gone.Load() {
			sockets = append(sockets, s)
		}
	}
	return sockets
}

// auth returns what a client that wants to join a namespace gave as its auth, as
// JSON. That of a client of Socket.IO 2 is the query behind the namespace's
// name, which auth cuts off.
func (c *client) auth(p *parser.Packet) ([]byte, error) {
	if c.session.Protocol() == 3 {
		name, query, found := strings.Cut(p.Namespace, "?")
		p.Namespace = name
		values, err := url.ParseQuery(query)
		if !found || err != nil {
			return nil, nil
		}
		return json.Marshal(lastValues(values))
	}
	if len(p.Data) == 0 {
		return nil, nil
	}
	return c.server.config.Codec.JSON(p.Data, p.Attachments)
}

// join puts the client into a namespace, if it may.
func (c *client) join(name string, auth []byte) error {
	if !c.settled(name) {
		return errClosed
	}
	c.mu.Lock()
	full := len(c.present()) >= c.server.config.MaxNamespaces && c.in(name) == nil
	c.mu.Unlock()
	if full {
		c.refuse(name, &Error{Message: "Too many namespaces"})
		return nil
	}
	socket := newSocket(c, auth)
	n := c.server.acquire(name, &socket.introduced)
	if n == nil {
		c.refuse(name, &Error{Message: "Invalid namespace"})
		return nil
	}
	socket.namespace = n
	c.mu.Lock()
	if c.closed || c.in(name) != nil {
		closed := c.closed
		c.mu.Unlock()
		c.server.release(n)
		if closed {
			return errClosed
		}
		return errJoinedTwice
	}
	c.sockets = append(c.sockets, socket)
	delete(c.left, name)
	c.mu.Unlock()
	socket.inbox.add(0, socket.connect)
	return nil
}

// socketID returns the id of the client's socket in a namespace.
func (c *client) socketID(namespace string) string {
	switch {
	case c.session.Protocol() != 3:
		return newSecret()
	case namespace == "/":
		return c.session.ID()
	default:
		return namespace + "#" + c.session.ID()
	}
}

// settled waits until the client may join a namespace, as far as the handlers of
// its sockets that are gone are concerned: so that one that joins and leaves in a
// loop runs one socket a namespace, and MaxNamespaces in all. It reports false
// when the client is gone.
func (c *client) settled(namespace string) bool {
	for {
		before := c.ending(namespace)
		if before == nil {
			return true
		}
		select {
		case <-before.inbox.finished():
			c.session.Excuse() // it was not read from
		case <-c.over():
			return false
		}
	}
}

// over returns a channel that is closed when the connection has ended.
func (c *client) over() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone == nil {
		c.gone = make(chan struct{})
		if c.reason != "" {
			close(c.gone)
		}
	}
	return c.gone
}

// ending returns a socket whose handlers have to end before the client may join
// a namespace, or nil.
func (c *client) ending(namespace string) *Socket {
	limit := c.server.config.MaxNamespaces
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.in(namespace) != nil {
		return nil // it must not join twice, and is told so
	}
	full := len(c.sockets) >= limit && len(c.present()) < limit
	for _, s := range c.sockets {
		if s.gone.Load() && (full || s.namespace.name == namespace) {
			return s
		}
	}
	return nil
}

// ended forgets a socket whose handlers have ended.
func (c *client) ended(s *Socket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sockets = slices.DeleteFunc(c.sockets, func(other *Socket) bool { return other == s })
}

// admitted notes that the client has joined a namespace.
func (c *client) admitted() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopTimer()
}

// stopTimer also lets the timer's memory go. mu is held.
func (c *client) stopTimer() {
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
}

// refuse tells the client why it may not join.
func (c *client) refuse(namespace string, e *Error) {
	var payload any = e
	if c.session.Protocol() == 3 {
		if payload = e.Data; payload == nil {
			payload = e.Message
		}
	}
	frames := c.packet(parser.ConnectError, namespace, payload)
	if frames == nil { // because of Data, which is the user's
		frames = c.packet(parser.ConnectError, namespace, &Error{Message: e.Message})
	}
	c.session.Send(frames...)
}

// packet encodes a packet that is neither event nor acknowledgement.
func (c *client) packet(kind parser.Type, namespace string, data any) []engineio.Packet {
	p := parser.Outgoing{Type: kind, Namespace: namespace, ID: parser.NoID, Data: data}
	frames, err := []parser.Frame(nil), errInternal
	c.server.protect("packet", func() { frames, err = c.server.config.Codec.Encode(p) }) // it calls MarshalJSON of an Error's data
	if err != nil {
		c.server.config.Logger.Error("realtime: a packet cannot be sent", "type", kind, "namespace", namespace, "error", err)
		return nil
	}
	return appendFrames(nil, frames, false)
}

// remove notes that a socket is gone. put says that the server put it out.
func (c *client) remove(s *Socket, put bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.gone.Store(true)
	if !put {
		return
	}
	if c.left == nil {
		c.left = make(map[string]bool)
	}
	if len(c.left) >= c.server.config.MaxNamespaces {
		for old := range c.left {
			delete(c.left, old)
			break
		}
	}
	c.left[s.namespace.name] = true
}

// all returns the client's sockets.
func (c *client) all() []*Socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.present()
}

// await notes that somebody begins, or with -1 ceases, to wait for an answer of
// the client, which the reader has to come to.
func (c *client) await(n int32) {
	if c.urgent.Add(n) != 1 || n < 0 {
		return
	}
	for _, s := range c.all() {
		s.inbox.look()
	}
}

// Closed implements engineio.Handler.
func (c *client) Closed(reason string) {
	if reason == ReasonForcedClose && c.server.closing.Load() {
		reason = ReasonShuttingDown
	}
	c.mu.Lock()
	c.stopTimer()
	c.closed, c.reason = true, reason
	if c.gone != nil {
		close(c.gone)
	}
	c.mu.Unlock()
	for _, s := range c.all() {
		s.close(reason)
	}
	if h, asked := c.handler(); asked {
		h.Closed(reason)
	}
}

// Drained implements engineio.Drainer.
func (c *client) Drained() {
	if c.drains.Load() {
		for _, s := range c.all() {
			s.drained()
		}
	}
	if h, asked := c.handler(); asked {
		h.Drained()
	}
}

// Upgraded implements engineio.Upgrader.
func (c *client) Upgraded(from, to string) {
	if h, asked := c.handler(); asked {
		h.Upgraded(from, to)
	}
}

// Heartbeat implements engineio.Heartbeater.
func (c *client) Heartbeat() {
	if h, asked := c.handler(); asked {
		h.Heartbeat()
	}
}
