//go:build linux

package main

import (
	"context"
	"net/http"

	"github.com/coder/websocket"
)

// plain serves a WebSocket as the library's documentation shows: a handler that stays, Read and Write.
func (s *server) plain(w http.ResponseWriter, r *http.Request, polling *session) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return
	}
	defer c.CloseNow()
	c.SetReadLimit(1 << 20)
	ws := s.begin(plainConn{c}, polling)
	defer ws.session.close()
	for {
		op, p, err := c.Read(context.Background())
		if err != nil {
			return
		}
		ws.receive(byte(op), p)
	}
}

type plainConn struct{ conn *websocket.Conn }

func (c plainConn) send(f []byte, head int, _ bool) {
	c.conn.Write(context.Background(), websocket.MessageType(f[0]&15), f[head:])
}
