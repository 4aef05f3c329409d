package realtime

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/zocalo-go/zocalo/realtime/internal/engineio"
)

// Server is a Socket.IO server: an http.Handler that answers everything under
// Config.Path. Its embedded namespace is "/", the one that clients join unless
// they ask for another.
type Server struct {
	*Namespace

	config   Config
	engine   *engineio.Server
	handlers tasks // goroutines of inboxes
	panics   atomic.Int64
	closing  atomic.Bool

	mu         sync.Mutex // guards the rest
	namespaces map[string]*Namespace
}

// NewServer returns a server that is ready to be mounted. It panics when an
// option cannot work.
func NewServer(config Config) *Server {
	s := &Server{config: config.withDefaults(), namespaces: make(map[string]*Namespace)}
	s.engine = engineio.NewServer(s.config.engine(), s.connect)
	s.Namespace = s.Of("/")
	return s
}

// Of returns the namespace with that name, which exists from then on; the slash
// it begins with may be left out.
// https://socket.io/docs/v4/namespaces/
func (s *Server) Of(name string) *Namespace {
	if name == "" || name[0] != '/' {
		name = "/" + name
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.namespaces[name]
	if n == nil {
		n = newNamespace(s, name)
		s.namespaces[name] = n
	}
	return n
}

// namespace returns the namespace with that name, or nil.
func (s *Server) namespace(name string) *Namespace {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.namespaces[name]
}

// ServeHTTP answers the requests of clients, and serves them the browser client
// unless Config.DisableClient is set.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !s.config.under(r):
		http.Error(w, "realtime: this server answers under "+s.config.Path+"; set Config.Path where it is mounted elsewhere", http.StatusNotFound)
	case !s.config.DisableClient && s.serveClient(w, r):
	default:
		s.engine.ServeHTTP(w, r)
	}
}

// ClientsCount returns the number of connected clients. A client counts once,
// however many namespaces it has joined.
func (s *Server) ClientsCount() int { return s.engine.Count() }

// Panics returns how many handlers have panicked since the start.
func (s *Server) Panics() int64 { return s.panics.Load() }

// Shutdown refuses new clients and disconnects those there are with "server
// shutting down", after what was sent to them has left, unless it is a polling
// client that happens not to poll just then; the official clients come back by themselves when there is a server again. It waits for the
// handlers of "disconnect", and for all goroutines of the server. When ctx ends
// first it drops what is left and returns the cause.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	namespaces := make([]*Namespace, 0, len(s.namespaces))
	for _, n := range s.namespaces {
		namespaces = append(namespaces, n)
	}
	s.mu.Unlock()
	s.closing.Store(true)
	err := s.engine.Shutdown(ctx)
	select {
	case <-s.handlers.idle():
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	for _, n := range namespaces {
		err = errors.Join(err, n.adapter.Close())
	}
	return err
}

// Close is Shutdown without waiting for slow clients or handlers.
func (s *Server) Close() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s.Shutdown(ctx)
	return nil
}
