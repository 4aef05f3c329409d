package webtransport

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/webtransport-go"

	"github.com/zocalo-go/zocalo/realtime"
)

// Endpoint is what clients reach: a [realtime.Server] or a [realtime.Engine],
// whose Config.Transports allow "webtransport".
type Endpoint interface {
	ServeStream(stream realtime.Stream, r *http.Request)
}

// Config holds the options of a [Server].
type Config struct {
	// Addr is the UDP address that ListenAndServe listens on. Default ":443".
	// Clients look for it at the port they poll from.
	Addr string

	// TLSConfig holds the certificate, as HTTP/3 is never without. Required. A
	// browser takes one it does not trust only by its hash
	// (serverCertificateHashes), for two weeks, and only with an ECDSA key.
	TLSConfig *tls.Config

	// Logger receives what is worth knowing. Default slog.Default().
	Logger *slog.Logger
}

const (
	// openTimeout is how long a session may take to open its stream.
	openTimeout = 10 * time.Second

	// keepAlive keeps a connection from looking idle between two pings of a long
	// Config.PingInterval.
	keepAlive = 15 * time.Second

	// A client that is not read from fills these windows and waits; quic-go's own
	// are of 6 and 15 MB.
	streamWindow     = 1 << 20
	connectionWindow = 3 << 19

	// maxStreams are open at a time in one connection: a session needs two, and
	// HTTP/3 itself three in one direction.
	maxStreams = 16
)

// Server accepts WebTransport sessions. All methods may be called concurrently.
type Server struct {
	endpoint Endpoint
	config   Config
	wt       webtransport.Server
	ctx      context.Context // ends when no session may begin any more
	close    context.CancelFunc

	mu       sync.Mutex // guards closing, and that sessions only grow before it
	closing  bool
	sessions sync.WaitGroup
}

// NewServer returns a server that hands its clients to endpoint. It panics
// without a certificate.
func NewServer(endpoint Endpoint, config Config) *Server {
	if config.TLSConfig == nil {
		panic("webtransport: Config.TLSConfig is nil; WebTransport needs a certificate")
	}
	if config.Addr == "" {
		config.Addr = ":443"
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	s := &Server{endpoint: endpoint, config: config}
	s.ctx, s.close = context.WithCancel(context.Background())
	s.wt.CheckOrigin = func(*http.Request) bool { return true } // the endpoint has a rule of its own
	s.wt.H3 = &http3.Server{
		Handler:   http.HandlerFunc(s.serve),
		Logger:    config.Logger,
		TLSConfig: http3.ConfigureTLSConfig(config.TLSConfig),
		QUICConfig: &quic.Config{
			KeepAlivePeriod:            keepAlive,
			MaxIncomingStreams:         maxStreams,
			MaxIncomingUniStreams:      maxStreams,
			MaxStreamReceiveWindow:     streamWindow,
			MaxConnectionReceiveWindow: connectionWindow,
		},
	}
	return s
}

// ListenAndServe accepts sessions at Config.Addr until the server is closed.
// Then it returns [http.ErrServerClosed].
func (s *Server) ListenAndServe() error {
	conn, err := net.ListenPacket("udp", s.config.Addr)
	if err != nil {
		return err
	}
	return s.Serve(conn)
}

// Serve accepts sessions from conn, which it closes in the end, until the server
// is closed. Then it returns [http.ErrServerClosed].
func (s *Server) Serve(conn net.PacketConn) error {
	defer conn.Close()
	if s.ctx.Err() != nil {
		return http.ErrServerClosed
	}
	err := s.wt.Serve(conn)
	if s.ctx.Err() != nil {
		return http.ErrServerClosed
	}
	return err
}

// Shutdown accepts no more sessions, and closes the server when those there are
// have ended; it is for the endpoint's own Shutdown to end them, before or
// meanwhile. When ctx ends first, it cuts them off and returns the cause.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	s.close()
	done := make(chan struct{})
	go func() {
		s.sessions.Wait()
		close(done)
	}()
	var err error
	select {
	case <-done:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	s.wt.Close()
	<-done
	return err
}

// Close is Shutdown without waiting for any client.
func (s *Server) Close() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s.Shutdown(ctx)
	return nil
}

// serve answers a request of HTTP/3, for as long as the session lasts that it
// begins.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		http.Error(w, "webtransport: there is nothing here but WebTransport", http.StatusNotFound)
		return
	}
	if !s.begin() {
		http.Error(w, "webtransport: the server is closing", http.StatusServiceUnavailable)
		return
	}
	defer s.sessions.Done()
	session, err := s.wt.Upgrade(w, r)
	if err != nil {
		s.config.Logger.Debug("webtransport: handshake failed", "remote", r.RemoteAddr, "error", err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c := &connection{session: session}
	defer c.Close()
	ctx, cancel := context.WithTimeout(s.ctx, openTimeout)
	defer cancel()
	if c.Stream, err = session.AcceptStream(ctx); err != nil {
		s.config.Logger.Debug("webtransport: session without a stream", "remote", r.RemoteAddr, "error", err)
		return
	}
	s.endpoint.ServeStream(c, r)
}

// begin counts a session, unless the server is closing.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.sessions.Add(1)
	return true
}

// connection is a session and the one stream of it that is used. Their ends are
// one.
type connection struct {
	*webtransport.Stream
	session *webtransport.Session
}

// Close ends the session, and with it the stream.
func (c *connection) Close() error { return c.session.CloseWithError(0, "") }
