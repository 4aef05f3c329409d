package realtime

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"regexp"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/internal/engineio"
)

// Server is a Socket.IO server: an http.Handler that answers everything under
// Config.Path. Its embedded namespace is "/", the one that clients join unless
// they ask for another.
type Server struct {
	*Namespace

	config   Config
	engine   *engineio.Server
	node     adapter.Node
	handler  http.Handler // the engine in its middleware
	handlers tasks        // goroutines of inboxes
	panics   atomic.Int64
	stopping atomic.Bool              // Shutdown was called
	closing  atomic.Bool              // clients are sent away
	observer atomic.Pointer[observer] // nil unless a developer looks
	drained  atomic.Bool              // every socket has come to its end

	mu         sync.Mutex // guards the rest
	namespaces map[string]*Namespace
	leaving    map[string]chan struct{} // by name of a namespace that was removed: closed when its adapter is
	parents    []*ParentNamespace       // replaced, never changed
	unclaimed  map[string]unclaimed     // by namespace: sessions of the server before, where it is not made yet
}

// NewServer returns a server that is ready to be mounted. It panics when an
// option cannot work.
func NewServer(config Config) *Server {
	s := &Server{config: config.withDefaults(), namespaces: make(map[string]*Namespace)}
	s.node = s.config.Adapter.Open(adapter.Server{Logger: s.config.Logger, Codec: s.config.Codec})
	s.engine = engineio.NewServer(s.config.clusterEngine(s.node), s.connect)
	s.handler = s.config.wrap(s.engine)
	s.Namespace = s.Of("/")
	return s
}

// Config returns the server's options, with the defaults of those not given.
func (s *Server) Config() Config { return s.config }

// Node returns the server's part of its cluster, for packages that speak with
// their like on other nodes. The node of a server without a cluster has no name,
// and knows of no others.
func (s *Server) Node() adapter.Node { return s.node }

// Of returns the namespace with that name, which exists from then on; the slash
// it begins with may be left out. One that is made here and fits the pattern of a
// parent has that parent, as if a client had made it, but stays.
// https://socket.io/docs/v4/namespaces/
func (s *Server) Of(name string) *Namespace {
	if name == "" || name[0] != '/' {
		name = "/" + name
	}
	s.mu.Lock()
	n := s.namespaces[name]
	made := n == nil
	if made {
		i := slices.IndexFunc(s.parents, func(p *ParentNamespace) bool { return p.pattern != nil && p.pattern.MatchString(name) })
		var parent *ParentNamespace
		if i >= 0 {
			parent = s.parents[i]
		}
		n = s.create(name, parent)
	}
	n.dynamic = false // somebody may have registered handlers with it
	s.mu.Unlock()
	if made {
		n.open()
		s.announce(n)
	}
	<-n.opened
	return n
}

// OfPattern returns the parent of all namespaces whose name the expression
// matches; they are made when a client joins them.
// https://socket.io/docs/v4/namespaces/#dynamic-namespaces
func (s *Server) OfPattern(pattern *regexp.Regexp) *ParentNamespace {
	if pattern == nil {
		panic("realtime: OfPattern of a nil pattern")
	}
	return s.parent(&ParentNamespace{pattern: pattern})
}

// OfFunc returns the parent of all namespaces that allowed returns true for;
// they are made when a client joins them. It may wait. Where several parents
// match, the one made first counts.
func (s *Server) OfFunc(allowed func(name string, h *Handshake) bool) *ParentNamespace {
	if allowed == nil {
		panic("realtime: OfFunc of a nil function")
	}
	return s.parent(&ParentNamespace{allowed: allowed})
}

func (s *Server) parent(p *ParentNamespace) *ParentNamespace {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.server = s
	s.parents = append(s.parents[:len(s.parents):len(s.parents)], p)
	return p
}

// create makes a namespace, which must be opened and announced when mu, which is
// held, is not any more.
func (s *Server) create(name string, parent *ParentNamespace) *Namespace {
	n := newNamespace(s, name, parent)
	n.predecessor = s.leaving[name]
	s.namespaces[name] = n
	return n
}

// acquire returns the namespace with that name for a socket, or nil. The socket
// must release it.
func (s *Server) acquire(name string, by *introduction) *Namespace {
	s.mu.Lock()
	n, parents := s.namespaces[name], s.parents
	if n != nil {
		n.acquire()
	}
	s.mu.Unlock()
	if n != nil {
		<-n.announced
		return n
	}
	i := slices.IndexFunc(parents, func(p *ParentNamespace) (allowed bool) {
		s.protect("OfFunc", func() { allowed = p.allows(name, by) })
		return allowed
	})
	if i < 0 {
		return nil
	}
	s.mu.Lock()
	n = s.namespaces[name] // another client may have come first
	made := n == nil
	if made {
		n = s.create(name, parents[i])
	}
	n.acquire()
	s.mu.Unlock()
	if made {
		n.open()
		s.announce(n)
	}
	<-n.announced
	return n
}

// release gives a namespace back. One that clients made goes with the last of
// them, or when the last can come back no more.
func (s *Server) release(n *Namespace) {
	s.mu.Lock()
	n.users--
	s.mu.Unlock()
	s.sweep(n)
}

// sweep removes n if clients made it and none is there any more. While one may
// come back, it looks again later.
func (s *Server) sweep(n *Namespace) {
	s.mu.Lock()
	unused, acquired := s.unused(n), n.acquired
	s.mu.Unlock()
	if !unused {
		return
	}
	sessions := 0
	if n.recoverable != nil {
		sessions = n.adapter.(adapter.Recoverer).Sessions()
	}
	s.mu.Lock()
	switch {
	case !s.unused(n) || n.acquired != acquired:
		s.mu.Unlock()
		return
	case s.closing.Load():
		s.mu.Unlock() // Shutdown closes it, and what it keeps may be saved
		return
	case sessions > 0:
		later := s.config.Recovery.MaxDisconnection + 1 // a session is kept for so long, and not longer
		if n.sweeper == nil {
			n.sweeper = time.AfterFunc(later, func() { s.sweep(n) })
		} else {
			n.sweeper.Reset(later)
		}
		s.mu.Unlock()
		return
	}
	delete(s.namespaces, n.name)
	if s.leaving == nil {
		s.leaving = make(map[string]chan struct{})
	}
	left := make(chan struct{})
	s.leaving[n.name] = left
	if n.sweeper != nil {
		n.sweeper.Stop()
	}
	s.mu.Unlock()
	n.parent.remove(n)
	if err := n.adapter.Close(); err != nil {
		s.config.Logger.Error("realtime: closing an adapter", "namespace", n.name, "error", err)
	}
	s.mu.Lock()
	delete(s.leaving, n.name)
	s.mu.Unlock()
	close(left)
}

// unused reports whether n was made by clients, of which none is there. mu is
// held.
func (s *Server) unused(n *Namespace) bool {
	return n.users == 0 && n.dynamic && !s.config.KeepEmptyNamespaces && s.namespaces[n.name] == n
}

// announce calls the handlers of "new_namespace". Clients have to wait, for these
// may add middleware.
func (s *Server) announce(n *Namespace) {
	defer close(n.announced)
	if s.Namespace == nil { // it is the first
		return
	}
	for _, l := range s.Namespace.hooks.on.take(event("new_namespace")) {
		s.protect("new_namespace", func() { l.fn.(func(*Namespace))(n) })
	}
}

// protect runs user code that belongs to no socket.
func (s *Server) protect(what string, f func()) {
	defer func() {
		if v := recover(); v != nil {
			s.panics.Add(1)
			s.config.Metrics.Add(MetricPanics, "", 1)
			s.config.Logger.Error("realtime: handler panicked", "event", what, "panic", v, "stack", string(debug.Stack()))
		}
	}()
	f()
}

// ServeHTTP answers the requests of clients, and serves them the browser client
// unless Config.DisableClient is set.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !s.config.under(r):
		http.Error(w, "realtime: this server answers under "+s.config.Path+"; set Config.Path where it is mounted elsewhere", http.StatusNotFound)
	case !s.config.DisableClient && s.serveClient(w, r):
	default:
		s.handler.ServeHTTP(w, r)
	}
}

// ServerSideEmit sends an event to the other servers of the cluster, which get
// it by [Namespace.On]. Without a cluster there are none.
// https://socket.io/docs/v4/server-instance/#serversideemit
func (n *Namespace) ServerSideEmit(event string, args ...any) error {
	_, err := n.serverSideEmit(context.Background(), false, event, args)
	return err
}

// ServerSideEmitWithAck sends an event to the other servers of the cluster and
// waits for the answer of each. When ctx ends first it returns the answers
// there are, and the cause.
func (n *Namespace) ServerSideEmitWithAck(ctx context.Context, event string, args ...any) ([]Args, error) {
	return n.serverSideEmit(ctx, true, event, args)
}

// ClientsCount returns the number of connected clients. A client counts once,
// however many namespaces it has joined.
func (s *Server) ClientsCount() int { return s.engine.Count() }

// Panics returns how many handlers have panicked since the start.
func (s *Server) Panics() int64 { return s.panics.Load() }

// Go runs f in a goroutine that Shutdown waits for as it does for handlers: what a
// handler begins and does not wait for itself. A panic ends the program, as that of any
// goroutine.
func (s *Server) Go(f func()) { s.handlers.Go(runFunc(f)) }

// Shutdown refuses new clients and disconnects those there are with "server
// shutting down", after what was sent to them has left; a polling client that is
// between two polls has a second to come for it. The official clients come back by
// themselves when there is a server again, or another node of the cluster; Config.Drain
// says how fast they are sent away. It waits for the handlers of "disconnect", and
// for all goroutines of the server, and leaves the cluster last. When ctx ends
// first it drops what is left and returns the cause.
func (s *Server) Shutdown(ctx context.Context) error {
	s.Drain(ctx)
	s.closing.Store(true)
	err := s.engine.Shutdown(ctx)
	if late := s.waitHandlers(ctx); late == nil {
		s.drained.Store(err == nil)
	} else {
		err = late
	}
	s.handlers.close()
	s.mu.Lock()
	namespaces := make([]*Namespace, 0, len(s.namespaces))
	for _, n := range s.namespaces {
		if n.sweeper != nil {
			n.sweeper.Stop()
		}
		namespaces = append(namespaces, n)
	}
	leaving := slices.Collect(maps.Values(s.leaving))
	s.mu.Unlock()
	for _, left := range leaving {
		<-left
	}
	for _, n := range namespaces {
		<-n.opened
		err = errors.Join(err, n.adapter.Close())
	}
	err = errors.Join(err, s.node.Close(ctx))
	if late := s.waitHandlers(ctx); err == nil { // for what others have said last
		err = late
	}
	return err
}

// waitHandlers waits until no handler runs, or ctx ends: then it returns the cause.
func (s *Server) waitHandlers(ctx context.Context) error {
	select {
	case <-s.handlers.finished():
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close is Shutdown without waiting for slow clients or handlers.
func (s *Server) Close() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s.Shutdown(ctx)
	return nil
}
