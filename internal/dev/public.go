package dev

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// A public is the listener that the world knows. It belongs to us for the
// whole session; processes share it one after the other, and while there is
// none the fallback handler answers.
type public struct {
	server *http.Server
	served chan struct{} // closed when the server has ended
	addr   net.Addr
	closed chan struct{} // closed by Close
	once   sync.Once

	mu        sync.Mutex
	ln        *net.TCPListener
	released  bool // ln is closed, because a process listens by itself
	answering bool
	turn      chan struct{} // closed while answering
}

// newPublic takes over ln and leaves it to the processes until answer is called.
func newPublic(ln *net.TCPListener, fallback http.Handler) *public {
	p := &public{
		served: make(chan struct{}),
		addr:   ln.Addr(),
		closed: make(chan struct{}),
		ln:     ln,
		turn:   make(chan struct{}),
	}
	p.server = &http.Server{Handler: p.unlessMended(fallback), ReadHeaderTimeout: 10 * time.Second}
	// A connection kept alive would go on asking us when the app serves again.
	p.server.SetKeepAlivesEnabled(false)
	go func() {
		defer close(p.served)
		p.server.Serve(p)
	}()
	return p
}

// answer lets the fallback handler accept connections.
func (p *public) answer() error {
	p.mu.Lock()
	answering := p.answering
	p.mu.Unlock()
	if answering {
		return nil
	}
	if err := p.take(); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answering = true
	p.ln.SetDeadline(time.Time{})
	close(p.turn)
	return nil
}

// yield leaves new connections to the process that is about to start.
func (p *public) yield() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.answering {
		p.answering = false
		p.turn = make(chan struct{})
		p.ln.SetDeadline(time.Unix(1, 0))
	}
}

// unlessMended sends a client that connected while the app was down, but asks
// when it is up, to the app: the same request again, on a new connection.
func (p *public) unlessMended(fallback http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		answering := p.answering
		p.mu.Unlock()
		if !answering {
			http.Redirect(w, r, r.URL.RequestURI(), http.StatusTemporaryRedirect)
			return
		}
		fallback.ServeHTTP(w, r)
	})
}

// Accept implements net.Listener for the fallback's server: it waits for its
// turn.
func (p *public) Accept() (net.Conn, error) {
	for {
		p.mu.Lock()
		turn := p.turn
		p.mu.Unlock()
		select {
		case <-turn:
		case <-p.closed:
			return nil, net.ErrClosed
		}
		conn, err := p.listener().Accept()
		if err != nil && p.over(turn) {
			continue // by its deadline, or because it was released
		}
		return conn, err
	}
}

// over reports whether a turn, in which the fallback answered, has ended.
func (p *public) over(turn chan struct{}) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.turn != turn
}

// release closes the listener for a process that cannot be given it, and listens
// on its port by itself.
func (p *public) release() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.released {
		return nil // one process follows another
	}
	p.released = true
	return p.ln.Close()
}

// reopen listens again after release, and does nothing without it.
func (p *public) reopen() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.released {
		return nil
	}
	ln, err := net.Listen("tcp", p.addr.String())
	if err != nil {
		return err
	}
	p.ln, p.released = ln.(*net.TCPListener), false
	return nil
}

// Close implements net.Listener.
func (p *public) Close() error {
	p.once.Do(func() { close(p.closed) })
	return p.listener().Close()
}

// Addr implements net.Listener.
func (p *public) Addr() net.Addr { return p.addr }

// stop ends the server and closes the listener.
func (p *public) stop() {
	p.server.Close()
	p.Close()
	<-p.served
}

func (p *public) listener() *net.TCPListener {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ln
}
