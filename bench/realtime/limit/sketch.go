//go:build linux

package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"syscall"

	"github.com/coder/websocket"
)

// A sketch serves WebSockets whose handshake is the library's and whose frames are its own: read into pooled buffers in
// a goroutine of the connection, and written together with what else waits, once the readers have nothing to do.
type sketch struct {
	server  *server
	flusher *flusher
}

func newSketch(s *server) *sketch {
	f := &flusher{wake: make(chan struct{}, 1)}
	f.readPool.New = func() any { b := make([]byte, 8<<10); return &b }
	f.writePool.New = func() any { b := make([]byte, 0, 2<<10); return &b }
	go f.run()
	return &sketch{server: s, flusher: f}
}

// upgrade lets the library answer the handshake on a connection that it does not get.
func (s *sketch) upgrade(w http.ResponseWriter, r *http.Request, polling *session) {
	hijacker := &hijacker{ResponseWriter: w, header: http.Header{}}
	accepted, err := websocket.Accept(hijacker, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return
	}
	accepted.CloseNow() // ends the library's goroutine; the connection it knows is a stub
	raw, err := hijacker.conn.(syscall.Conn).SyscallConn()
	if err != nil {
		hijacker.conn.Close()
		return
	}
	c := &sketchConn{conn: hijacker.conn, raw: raw, flusher: s.flusher}
	c.try = c.tryWrite
	go func() { // net/http's goroutine ends, and takes its buffers and its large stack along
		ws := s.server.begin(c, polling)
		c.read(hijacker.early, ws)
		ws.session.close()
		c.close()
	}()
}

// A hijacker is the ResponseWriter that the library sees.
type hijacker struct {
	http.ResponseWriter
	header http.Header
	conn   net.Conn
	early  []byte // what the client has sent behind its request
}

func (h *hijacker) Header() http.Header { return h.header }

func (h *hijacker) WriteHeader(status int) {
	if status != http.StatusSwitchingProtocols {
		for name, values := range h.header {
			h.ResponseWriter.Header()[name] = values
		}
		h.ResponseWriter.WriteHeader(status)
	}
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	early, _ := buffered.Reader.Peek(buffered.Reader.Buffered())
	h.early = append([]byte(nil), early...)
	h.conn = conn
	answer := append(make([]byte, 0, 256), "HTTP/1.1 101 Switching Protocols\r\n"...)
	for name, values := range h.header {
		for _, value := range values {
			answer = append(answer, name...)
			answer = append(answer, ": "...)
			answer = append(answer, value...)
			answer = append(answer, "\r\n"...)
		}
	}
	if _, err := conn.Write(append(answer, "\r\n"...)); err != nil {
		return nil, nil, err
	}
	return stub{conn}, bufio.NewReadWriter(bufio.NewReaderSize(stub{}, 16), bufio.NewWriterSize(stub{}, 16)), nil
}

// A stub is a connection on which nothing happens.
type stub struct{ net.Conn }

func (stub) Read([]byte) (int, error)    { return 0, io.EOF }
func (stub) Write(p []byte) (int, error) { return len(p), nil }
func (stub) Close() error                { return nil }
