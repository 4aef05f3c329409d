package dev

import (
	"errors"
	"net"
	"net/http"
	"os"
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
		ln, turn := p.ln, p.turn
		p.mu.Unlock()
		select {
		case <-turn:
		case <-p.closed:
			return nil, net.ErrClosed
		}
		conn, err := ln.Accept()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			continue
		}
		return conn, err
	}
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
