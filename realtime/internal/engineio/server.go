package engineio

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Config holds the options of a [Server], all of which must be set.
type Config struct {
	PingInterval   time.Duration
	PingTimeout    time.Duration
	UpgradeTimeout time.Duration
	MaxPayload     int // bytes of a message or of the body of a POST, inclusive
	MaxBuffered    int // bytes that may wait for a client
	MaxFragments   int // frames of a WebSocket message, the empty ones, too; 0 is no limit
	Transports     []string
	AllowUpgrades  bool
	CORS           CORS
	AllowRequest   func(*http.Request) error // nil allows all
	Logger         *slog.Logger
}

// Server answers the HTTP requests of Engine.IO clients.
type Server struct {
	config  Config
	connect func(*Session, *http.Request) Handler
	readers sync.WaitGroup

	mu       sync.Mutex // guards the rest
	sessions map[string]*Session
	count    int                  // sessions that have not ended
	carriers map[carrier]struct{} // that are being read
	closing  bool                 // no session may begin
	idle     chan struct{}        // closed when count is 0 while closing
}

// NewServer returns a server that calls connect for each new session, with the
// request it began with. The session may send already; connect must not keep
// the request.
func NewServer(config Config, connect func(*Session, *http.Request) Handler) *Server {
	return &Server{
		config:   config,
		connect:  connect,
		sessions: make(map[string]*Session),
		carriers: make(map[carrier]struct{}),
		idle:     make(chan struct{}),
	}
}

// Packets that never change.
var (
	ping        = textPacket(typePing, nil)
	noop        = textPacket(typeNoop, nil)
	closePacket = textPacket(typeClose, nil)
	probeAnswer = textPacket(typePong, []byte("probe"))
)

// ServeHTTP answers one Engine.IO request, whatever its path.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.config.CORS.Apply(w, r) {
		return
	}
	q := r.URL.Query()
	transport, sid := last(q["transport"]), last(q["sid"])
	switch {
	case !slices.Contains(s.config.Transports, transport):
		s.refuse(w, r, errTransport)
	case last(q["EIO"]) != "4":
		s.refuse(w, r, errProtocol)
	case sid != "":
		s.resume(w, r, transport, sid)
	default:
		s.begin(w, r, transport)
	}
}

// last returns the value that counts when a query repeats a key.
func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// resume answers a request of a session that exists.
func (s *Server) resume(w http.ResponseWriter, r *http.Request, transport, sid string) {
	s.mu.Lock()
	session := s.sessions[sid]
	s.mu.Unlock()
	if session != nil && session.overdue() {
		session.end(ReasonPingTimeout, false)
		session = nil
	}
	switch {
	case session == nil && isUpgrade(r):
		http.Error(w, errUnknownSID.Message, errUnknownSID.status)
	case session == nil:
		s.refuse(w, r, errUnknownSID)
	case transport == WebSocket && isUpgrade(r):
		s.serveUpgrade(w, r, session)
	case transport != session.Transport():
		s.refuse(w, r, errBadRequest)
	case r.Method == http.MethodGet:
		session.poll(w, r)
	case r.Method == http.MethodPost:
		session.post(w, r)
	default:
		w.WriteHeader(http.StatusInternalServerError)
	}
}

// serveUpgrade accepts the WebSocket that wants to take a session over.
func (s *Server) serveUpgrade(w http.ResponseWriter, r *http.Request, session *Session) {
	if !s.config.AllowUpgrades {
		s.refuse(w, r, errBadRequest)
		return
	}
	ws := s.accept(w, r)
	if ws == nil {
		return
	}
	reader := func() { dismiss(ws) } // a second WebSocket, or one that comes too late
	if session.offer(ws) {
		reader = func() { session.upgrade(ws) }
	}
	if !s.read(ws, reader) {
		ws.abort()
	}
}

// begin answers the request that starts a session.
func (s *Server) begin(w http.ResponseWriter, r *http.Request, transport string) {
	switch {
	case r.Method != http.MethodGet:
		s.refuse(w, r, errMethod)
		return
	case transport == WebSocket && !isUpgrade(r):
		s.refuse(w, r, errBadRequest)
		return
	}
	if s.config.AllowRequest != nil {
		if err := s.config.AllowRequest(r); err != nil {
			refusal := errForbidden
			if err.Error() != "" {
				refusal.Message = err.Error()
			}
			s.refuse(w, r, refusal)
			return
		}
	}
	var ws *webSocket
	if transport == WebSocket {
		if ws = s.accept(w, r); ws == nil {
			return
		}
	}
	session := &Session{id: newID(), server: s, transport: transport, out: newOutbox(s.config.MaxBuffered)}
	handshake := s.handshake(session)
	if ws != nil {
		session.carrier = ws
		session.out.add(handshake)
	}
	session.handler = s.connect(session, r)
	if !s.add(session) {
		session.handler.Closed(ReasonForcedClose)
		if ws != nil {
			ws.abort()
		} else {
			s.refuse(w, r, errUnavailable)
		}
		return
	}
	session.startHeartbeat()
	if ws == nil {
		session.begin()
		s.writePackets(w, []Packet{handshake}) // alone, as clients may expect it
		return
	}
	session.out.attach(ws)
	session.begin()
	if !s.read(ws, func() { session.readAll(ws) }) {
		ws.abort()
	}
}

// accept upgrades r to a WebSocket, or answers why not and returns nil.
func (s *Server) accept(w http.ResponseWriter, r *http.Request) *webSocket {
	if !s.config.CORS.allowsSocket(r) {
		s.refuse(w, r, errOrigin)
		return nil
	}
	ws, err := s.config.accept(w, r)
	if err != nil {
		s.config.Logger.Debug("realtime: WebSocket handshake failed", "remote", r.RemoteAddr, "error", err)
		return nil
	}
	return ws
}

func isUpgrade(r *http.Request) bool { return r.Header.Get("Upgrade") != "" }

// newID returns an unguessable session id of 20 URL-safe characters.
func newID() string {
	var b [15]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// handshake is the first packet of a session:
// https://github.com/socketio/socket.io/blob/main/docs/engine.io-protocol/v4-current.md#handshake.
func (s *Server) handshake(session *Session) Packet {
	upgrades := []string{}
	if session.transport == Polling && s.config.AllowUpgrades && slices.Contains(s.config.Transports, WebSocket) {
		upgrades = append(upgrades, WebSocket)
	}
	data, err := json.Marshal(struct {
		SID          string   `json:"sid"`
		Upgrades     []string `json:"upgrades"`
		PingInterval int64    `json:"pingInterval"` // ms
		PingTimeout  int64    `json:"pingTimeout"`  // ms
		MaxPayload   int      `json:"maxPayload"`   // bytes
	}{
		session.id, upgrades,
		s.config.PingInterval.Milliseconds(), s.config.PingTimeout.Milliseconds(), s.config.MaxPayload,
	})
	if err != nil {
		panic("engineio: " + err.Error()) // strings and numbers always marshal
	}
	return textPacket(typeOpen, data)
}

// add makes a session known, unless the server is closing.
func (s *Server) add(session *Session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.sessions[session.id] = session
	s.count++
	return true
}

// remove makes a session unknown.
func (s *Server) remove(session *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, session.id)
}

// ended counts a session that has ended.
func (s *Server) ended() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count--
	if s.closing && s.count == 0 {
		close(s.idle)
	}
}

// read runs f, the reader of c, in a goroutine of its own, unless the server is
// closing.
func (s *Server) read(c carrier, f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.carriers[c] = struct{}{}
	s.readers.Go(func() {
		f()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.carriers, c)
	})
	return true
}

// Count returns the number of open sessions.
func (s *Server) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

const (
	// shutdownBatch sessions are closed at a time, and shutdownPause is the
	// time between batches, so that clients do not all come back at once.
	shutdownBatch = 500
	shutdownPause = 10 * time.Millisecond
)

// Shutdown refuses new sessions, closes those there are after what was sent has
// left, and waits for their goroutines. When ctx ends first, it cuts what is
// left and returns the context's error.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	first := !s.closing
	s.closing = true
	if first && s.count == 0 {
		close(s.idle)
	}
	open := make([]*Session, 0, len(s.sessions))
	for _, session := range s.sessions {
		open = append(open, session)
	}
	s.mu.Unlock()

	for i, session := range open {
		if i%shutdownBatch == shutdownBatch-1 {
			select {
			case <-time.After(shutdownPause):
			case <-ctx.Done():
			}
		}
		session.Close()
	}
	done := make(chan struct{})
	go func() {
		<-s.idle
		s.readers.Wait()
		for _, session := range open {
			session.out.drain.Wait()
			session.forget()
		}
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		s.cut()
		return context.Cause(ctx)
	}
}

// cut ends every carrier without any ceremony.
func (s *Server) cut() {
	s.mu.Lock()
	carriers := slices.Collect(maps.Keys(s.carriers))
	s.mu.Unlock()
	for _, c := range carriers {
		c.abort()
	}
}
