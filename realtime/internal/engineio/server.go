package engineio

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config holds the options of a [Server].
type Config struct {
	PingInterval   time.Duration
	PingTimeout    time.Duration
	UpgradeTimeout time.Duration
	MaxPayload     int // bytes of a message or of the body of a POST, inclusive
	MaxBuffered    int // bytes that may wait for a client
	MaxFragments   int // frames of a WebSocket message, the empty ones, too; 0 is no limit
	Transports     []string
	AllowUpgrades  bool
	Deflate        *Deflate // compresses what leaves over WebSocket; nil does not
	CORS           CORS
	AllowRequest   func(*http.Request) error // nil allows all
	Logger         *slog.Logger

	// The rest is optional. No function may keep its request.

	// MaxBufferedPackets is how many packets may wait for a client; 0 is as many
	// as MaxBuffered allows. Overflow says what becomes of those that do not fit
	// under either.
	MaxBufferedPackets int
	Overflow           Overflow

	// Cookie is sent, with the session id as its value, with the handshake of a
	// polling client, for load balancers that stick to it. Without a name it is
	// called "io", without a path it is for "/", without SameSite it is Lax; it
	// is always HttpOnly.
	Cookie *http.Cookie

	// InitialHeaders may add to the headers of a session's first answer, Headers
	// to those of every answer: refusals, preflights and the 101 of a WebSocket
	// included.
	InitialHeaders func(http.Header, *http.Request)
	Headers        func(http.Header, *http.Request)

	// InitialPacket is sent together with the handshake.
	InitialPacket *Packet

	// GenerateID makes the id of a new session, which must be unguessable. When
	// it fails, or the id is in use, the client is refused.
	GenerateID func(*http.Request) (string, error)

	// OnRefused is told of each refused request, with what its client is told.
	OnRefused func(r *http.Request, code int, message string)

	// HTTPCompression is how many bytes the answer to a poll must have to be
	// compressed for a client that accepts it; 0 or less is never.
	HTTPCompression int

	// AllowEIO3 lets clients of revision 3 of the protocol in, those of
	// socket.io-client 2.
	AllowEIO3 bool

	// MaxPayloadPackets bounds the packets in the body of a POST; 0 is no limit.
	// A client that sends more loses its session.
	MaxPayloadPackets int

	// DrainWindow is the time over which Shutdown closes the sessions; 0 is as fast
	// as it is good for the server itself.
	DrainWindow time.Duration

	// Peers are the other nodes, if there are any: requests of their sessions are
	// passed to them, and theirs of ours are taken.
	Peers Peers

	// Count is told what happens: the names of the metrics begin with Metric. It
	// must not wait, and may be called concurrently.
	Count func(metric, label string, n int64)
}

// Server answers the HTTP requests of Engine.IO clients.
type Server struct {
	config     Config
	count      counter // Config.Count
	connect    func(*Session, *http.Request) Handler
	deflater   *deflater
	flushers   *flushers
	pulse      *pulse
	poller     *poller
	compressor *compressor
	foreign    *foreign // nil where there are no other nodes
	readers    sync.WaitGroup
	began      time.Time

	mu       sync.Mutex          // guards the rest
	sessions map[string]*Session // nil for an id that is taken by a session about to begin
	open     int                 // sessions that have not ended
	carriers map[carrier]bool    // that are being read; whether that is for their greeting
	closing  bool                // no session may begin
	idle     chan struct{}       // closed when open is 0 while closing
	gone     chan struct{}       // closed when sessions is empty while closing
}

// NewServer returns a server that calls connect for each new session, with the
// request it began with. The session may send already; connect must not keep
// the request.
func NewServer(config Config, connect func(*Session, *http.Request) Handler) *Server {
	s := &Server{
		config:     config,
		count:      config.Count,
		connect:    connect,
		deflater:   newDeflater(config.Deflate),
		flushers:   newFlushers(),
		pulse:      newPulse(&config),
		compressor: newCompressor(config.HTTPCompression),
		sessions:   make(map[string]*Session),
		carriers:   make(map[carrier]bool),
		idle:       make(chan struct{}),
		gone:       make(chan struct{}),
		began:      time.Now(),
	}
	s.poller = newPoller(s)
	s.foreign = newForeign(s)
	return s
}

// Packets that never change.
var (
	ping        = textPacket(typePing, nil)
	pong        = textPacket(typePong, nil)
	noop        = textPacket(typeNoop, nil)
	closePacket = textPacket(typeClose, nil)
	probeAnswer = textPacket(typePong, []byte("probe"))
)

// ServeHTTP answers one Engine.IO request, whatever its path.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	preflight := s.config.CORS.set(w.Header(), r)
	if s.config.Headers != nil {
		s.config.Headers(w.Header(), r)
	}
	if preflight {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	transport, sid, asked := parameters(r)
	protocol := s.revision(asked)
	switch {
	case !slices.Contains(s.config.Transports, transport), transport == WebTransport: // see ServeStream
		s.refuse(w, r, errTransport)
	case protocol == 0:
		s.wrongVersion(w, r, asked)
	case sid != "":
		s.resume(w, r, transport, sid, protocol)
	default:
		s.begin(w, r, transport, protocol)
	}
}

// parameters returns what a request says of itself. Its query hardly ever has
// anything to decode: then it need not be made a map.
func parameters(r *http.Request) (transport, sid, revision string) {
	query := r.URL.RawQuery
	if strings.ContainsAny(query, "%+;") {
		q := r.URL.Query()
		return last(q["transport"]), last(q["sid"]), last(q["EIO"])
	}
	for part := range strings.SplitSeq(query, "&") {
		switch key, value, _ := strings.Cut(part, "="); key {
		case "transport":
			transport = value
		case "sid":
			sid = value
		case "EIO":
			revision = value
		}
	}
	return transport, sid, revision
}

// revision returns the revision of the protocol that a client asks for, or 0 for
// one that it may not use.
func (s *Server) revision(asked string) int {
	switch {
	case asked == "4":
		return 4
	case asked == "3" && s.config.AllowEIO3:
		return 3
	default:
		return 0
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
func (s *Server) resume(w http.ResponseWriter, r *http.Request, transport, sid string, protocol int) {
	session := s.session(sid)
	switch {
	case session == nil && s.foreign.owner(sid) != "":
		s.foreign.pass(w, r, s.foreign.owner(sid), destination{sid, protocol, transport})
	case session == nil && isUpgrade(r):
		s.unknownUpgrade(w, r)
	case session == nil:
		s.refuse(w, r, errUnknownSID)
	case protocol != session.Protocol():
		s.refuse(w, r, errBadRequest)
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

// unknownUpgrade refuses a WebSocket for a session that is not there.
func (s *Server) unknownUpgrade(w http.ResponseWriter, r *http.Request) {
	s.refused(r, errUnknownSID)
	http.Error(w, errUnknownSID.Message, errUnknownSID.status)
}

// session returns the session sid, or nil when there is none, or its client is
// overdue.
func (s *Server) session(sid string) *Session {
	s.mu.Lock()
	session := s.sessions[sid]
	s.mu.Unlock()
	if session != nil && s.pulse.overdue(session) {
		session.end(ReasonPingTimeout, false)
		return nil
	}
	return session
}

// serveUpgrade accepts the WebSocket that wants to take a session over.
func (s *Server) serveUpgrade(w http.ResponseWriter, r *http.Request, session *Session) {
	if !s.config.AllowUpgrades {
		s.refuse(w, r, errBadRequest)
		return
	}
	ws := s.accept(w, r, session.Protocol(), false)
	if ws == nil {
		return
	}
	in := &inlet{carrier: ws} // of a second WebSocket, or one that comes too late
	if session.offer(ws) {
		in = session.upgrade(ws)
	}
	if !s.read(in) {
		in.ended()
	}
}

// accept upgrades r to a WebSocket, or answers why not and returns nil. initial
// says that a session begins with it.
func (s *Server) accept(w http.ResponseWriter, r *http.Request, protocol int, initial bool) carrier {
	if !s.config.CORS.allowsSocket(r) {
		s.refuse(w, r, errOrigin)
		return nil
	}
	if initial && s.config.InitialHeaders != nil {
		s.config.InitialHeaders(w.Header(), r)
	}
	ws, err := s.acceptWebSocket(w, r)
	if err != nil {
		s.config.Logger.Debug("realtime: WebSocket handshake failed", "remote", r.RemoteAddr, "error", err)
		return nil
	}
	if protocol == 3 {
		return &carrier3{ws, wantsBase64(r)}
	}
	return ws
}

func isUpgrade(r *http.Request) bool { return r.Header.Get("Upgrade") != "" }

// remove makes a session unknown.
func (s *Server) remove(session *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sessions[session.id] == session {
		delete(s.sessions, session.id)
		s.checkGone()
	}
}

// ended counts a session that has ended.
func (s *Server) ended() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	if s.closing && s.open == 0 {
		close(s.idle)
	}
}

// read has a carrier read, by the poller or in a goroutine of its own, unless the
// server is closing.
func (s *Server) read(in *inlet) bool {
	if !s.reading(in.carrier, false) {
		return false
	}
	if c, able := in.carrier.(interface{ park(*inlet, *poller) bool }); able && c.park(in, s.poller) {
		return true
	}
	go func() {
		defer s.unread(in.carrier)
		in.run()
	}()
	return true
}

// reading has Shutdown wait for the reader of c, which calls unread in the end,
// unless the server is closing. One that waits for its greeting is not waited
// for long: Shutdown aborts it.
func (s *Server) reading(c carrier, greeting bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.carriers[c] = greeting
	s.readers.Add(1)
	return true
}

// greeted ends the part of a reader that is not waited for.
func (s *Server) greeted(c carrier) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.carriers[c] = false
}

func (s *Server) unread(c carrier) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.carriers, c)
	s.readers.Done()
}

// Count returns the number of open sessions.
func (s *Server) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}
