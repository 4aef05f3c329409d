package realtime

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/zocalo-go/zocalo/realtime/internal/engineio"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// client is one connection and its sockets, at most one a namespace. It is the
// engine's handler of the session.
type client struct {
	server    *Server
	session   *engineio.Session
	handshake *Handshake

	decoder parser.Decoder // of the session's reader
	gone    chan struct{}  // closed with the session

	mu      sync.Mutex // guards the rest
	sockets map[string]*Socket
	before  map[string]*Socket // the last to join each namespace, gone or not
	left    map[string]bool    // namespaces that the server has put it out of
	timer   *time.Timer        // until it is admitted to a namespace
	welcome bool               // it was
	closed  bool               // no socket may join any more
}

// connect is called by the engine for each new session.
func (s *Server) connect(session *engineio.Session, r *http.Request) engineio.Handler {
	c := &client{server: s, session: session, handshake: newHandshake(r), gone: make(chan struct{}),
		sockets: make(map[string]*Socket, 1), before: make(map[string]*Socket, 1)}
	c.decoder = parser.JSON.NewDecoder(parser.Limits{MaxAttachments: s.config.MaxAttachments})
	c.timer = time.AfterFunc(s.config.ConnectTimeout, c.expire)
	return c
}

// expire closes a client that joined no namespace in time.
func (c *client) expire() {
	c.mu.Lock()
	expired := !c.welcome
	c.closed = c.closed || expired
	c.mu.Unlock()
	if expired {
		c.server.config.Logger.Debug("realtime: client joined no namespace in time, closing it", "address", c.handshake.Address,
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
		return c.join(p)
	case parser.ConnectError:
		return errUnexpected
	}
	c.mu.Lock()
	socket, left := c.sockets[p.Namespace], c.left[p.Namespace]
	c.mu.Unlock()
	switch {
	case socket == nil && left: // it was under way when the server let the socket go
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

// join answers a CONNECT packet.
func (c *client) join(p *parser.Packet) error {
	n := c.server.namespace(p.Namespace)
	if n == nil {
		c.refuse(p.Namespace, &Error{Message: "Invalid namespace"})
		return nil
	}
	if !c.settled(p.Namespace) {
		return errClosed
	}
	socket := newSocket(n, c, c.handshake.with(p.Data))
	c.mu.Lock()
	if c.closed || c.sockets[p.Namespace] != nil {
		closed := c.closed
		c.mu.Unlock()
		if closed {
			return errClosed
		}
		return errJoinedTwice
	}
	c.sockets[p.Namespace], c.before[p.Namespace] = socket, socket
	delete(c.left, p.Namespace)
	c.mu.Unlock()
	socket.inbox.add(0, socket.connect)
	return nil
}

// settled waits until the handlers of the client's last socket in a namespace
// have ended, so that a client that joins and leaves in a loop runs one at a
// time. It reports false when the client is gone.
func (c *client) settled(namespace string) bool {
	c.mu.Lock()
	last, joined := c.before[namespace], c.sockets[namespace] != nil
	c.mu.Unlock()
	if last == nil || joined {
		return true
	}
	select {
	case <-last.inbox.done:
		return true
	case <-c.gone:
		return false
	}
}

// admitted notes that the client has joined a namespace.
func (c *client) admitted() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.welcome = true
	c.timer.Stop()
}

// refuse tells the client why it may not join.
func (c *client) refuse(namespace string, e *Error) {
	p := parser.Outgoing{Type: parser.ConnectError, Namespace: namespace, ID: parser.NoID, Data: e}
	frames, err := parser.JSON.Encode(p)
	if err != nil { // of Data, which is the user's
		c.server.config.Logger.Error("realtime: Data of a connect error cannot be sent", "namespace", namespace, "error", err)
		p.Data = &Error{Message: e.Message}
		frames, _ = parser.JSON.Encode(p)
	}
	c.session.Send(packets(frames)...)
}

// remove forgets a socket. put says that the server put it out.
func (c *client) remove(s *Socket, put bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	name := s.namespace.name
	if c.sockets[name] != s {
		return
	}
	delete(c.sockets, name)
	if put {
		if c.left == nil {
			c.left = make(map[string]bool)
		}
		c.left[name] = true
	}
}

// all returns the client's sockets.
func (c *client) all() []*Socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	sockets := make([]*Socket, 0, len(c.sockets))
	for _, s := range c.sockets {
		sockets = append(sockets, s)
	}
	return sockets
}

// Closed implements engineio.Handler.
func (c *client) Closed(reason string) {
	c.timer.Stop()
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	close(c.gone)
	if reason == ReasonForcedClose && c.server.closing.Load() {
		reason = ReasonShuttingDown
	}
	for _, s := range c.all() {
		s.close(reason)
	}
}
