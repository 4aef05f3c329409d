package e2e

import (
	"io"
	"net"
	"sync"
	"testing"
)

// A proxy is the bad network between a client and the rough side of town: TCP that can go silent, or be cut.
type proxy struct {
	listener net.Listener
	target   string
	wg       sync.WaitGroup

	mu     sync.Mutex
	open   chan struct{} // closed while bytes may pass
	conns  map[net.Conn]bool
	closed bool
}

func newProxy(t *testing.T, target string) *proxy {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, target: target, open: make(chan struct{}), conns: map[net.Conn]bool{}}
	close(p.open)
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		p.listener.Close()
		p.resume()
		p.mu.Lock()
		p.closed = true
		p.mu.Unlock()
		p.cut()
		p.wg.Wait()
	})
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			client.Close()
			continue
		}
		if !p.add(client, server) {
			continue
		}
		p.wg.Go(func() { p.pipe(client, server) })
		p.wg.Go(func() { p.pipe(server, client) })
	}
}

// add registers a pair of connections, or closes them when the proxy has ended.
func (p *proxy) add(pair ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range pair {
		if p.closed {
			conn.Close()
		} else {
			p.conns[conn] = true
		}
	}
	return !p.closed
}

// pipe copies one direction and ends both when it ends; the end does not pass a stall either.
func (p *proxy) pipe(from, to net.Conn) {
	io.Copy(gated{p, to}, from)
	p.wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range []net.Conn{from, to} {
		conn.Close()
		delete(p.conns, conn)
	}
}

// gated writes when the proxy lets bytes pass.
type gated struct {
	proxy *proxy
	conn  net.Conn
}

func (g gated) Write(data []byte) (int, error) {
	g.proxy.wait()
	return g.conn.Write(data)
}

// wait waits while the proxy is stalled.
func (p *proxy) wait() {
	p.mu.Lock()
	open := p.open
	p.mu.Unlock()
	<-open
}

// stall keeps everything that is sent from now on until resume; the connections stay.
func (p *proxy) stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = make(chan struct{})
}

func (p *proxy) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.open:
	default:
		close(p.open)
	}
}

// cut resets all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		if tcp, ok := conn.(*net.TCPConn); ok {
			tcp.SetLinger(0)
		}
		conn.Close()
	}
}
