package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A repeated is a connection on which the same request comes again and again, and the listener that accepts it.
type repeated struct {
	request  string
	rest     string // of the current request
	left     int
	accepted bool
	closed   chan struct{}
}

func (c *repeated) Read(p []byte) (int, error) {
	if c.rest == "" {
		if c.left == 0 {
			return 0, io.EOF
		}
		c.left--
		c.rest = c.request
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *repeated) Write(p []byte) (int, error)      { return len(p), nil }
func (c *repeated) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *repeated) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (c *repeated) SetDeadline(time.Time) error      { return nil }
func (c *repeated) SetReadDeadline(time.Time) error  { return nil }
func (c *repeated) SetWriteDeadline(time.Time) error { return nil }

func (c *repeated) Close() error {
	if c.closed != nil {
		close(c.closed)
		c.closed = nil
	}
	return nil
}

// once is the listener: it ends when its connection does.
type once struct {
	*repeated
	closed chan struct{}
}

func (l once) Addr() net.Addr { return &net.TCPAddr{} }
func (l once) Close() error   { return nil }

func (l once) Accept() (net.Conn, error) {
	if l.accepted {
		<-l.closed
		return nil, net.ErrClosed
	}
	l.accepted = true
	return l.repeated, nil
}

// BenchmarkWire is every row without files in net/http's server, but without a network: what the system takes for one
// is left out, and the rest is steady enough for small differences.
func BenchmarkWire(b *testing.B) {
	handlers := onNetHTTP(b)
	for _, row := range rows() {
		if strings.HasPrefix(row.name, "static") || row.body != "" {
			continue
		}
		for _, name := range benchmarked {
			b.Run(row.name+"/"+name, func(b *testing.B) {
				closed := make(chan struct{})
				c := &repeated{request: row.method + " " + row.path + " HTTP/1.1\r\nHost: bench\r\n\r\n", left: b.N, closed: closed}
				b.ReportAllocs()
				_ = http.Serve(once{c, closed}, handlers[name])
			})
		}
	}
}
