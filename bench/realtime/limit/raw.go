//go:build linux

package main

import (
	"crypto/sha1"
	"encoding/base64"
	"net"
	"net/http"
	"sync"
)

// handshake returns the answer to a request for a WebSocket, RFC 6455, section 4.2.2.
func handshake(key string) []byte {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	b := []byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ")
	return append(base64.StdEncoding.AppendEncode(b, sum[:]), "\r\n\r\n"...)
}

// raw serves a WebSocket on a connection taken from net/http, with frames of its own.
func (s *server) raw(w http.ResponseWriter, r *http.Request, polling *session) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	conn.Write(handshake(r.Header.Get("Sec-Websocket-Key")))
	early, _ := buffered.Reader.Peek(buffered.Reader.Buffered())
	in := append(make([]byte, 0, 1024), early...)
	go func() { // net/http's goroutine ends, and takes its buffers and its large stack along
		defer conn.Close()
		ws := s.begin(&rawConn{conn: conn}, polling)
		defer ws.session.close()
		readFrames(conn, in, ws.frame)
	}()
}

type rawConn struct {
	mu   sync.Mutex
	conn net.Conn
}

func (c *rawConn) send(f []byte, _ int, _ bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn.Write(f)
}

// readFrames gives what comes to consume, which returns the length of the frame it has taken, until the connection ends
// or consume says so by a negative length.
func readFrames(conn net.Conn, in []byte, consume func([]byte) int) {
	for {
		taken := 0
		for taken < len(in) {
			n := consume(in[taken:])
			if n < 0 {
				return
			}
			if n == 0 {
				break
			}
			taken += n
		}
		in = in[:copy(in, in[taken:])]
		if len(in) == cap(in) {
			in = append(in, 0)[:len(in)]
		}
		n, err := conn.Read(in[len(in):cap(in)])
		if err != nil {
			return
		}
		in = in[:len(in)+n]
	}
}
