package main

import (
	"context"
	"net/http"

	"github.com/coder/websocket"
)

// first has the first node broadcast, by a request.
func first(ctx context.Context, cluster []*process) (cast func() error, end func(), err error) {
	transport := &http.Transport{MaxIdleConnsPerHost: mostInFlight}
	client := http.Client{Transport: transport}
	cast = func() error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+cluster[0].addr+"/cast", nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		return response.Body.Close()
	}
	return cast, transport.CloseIdleConnections, nil
}

// each has each node broadcast to its own clients what the others send to theirs, by a
// connection that has not joined the namespace, and hears nothing of it.
func each(ctx context.Context, cluster []*process) (cast func() error, end func(), err error) {
	var conns []*websocket.Conn
	end = func() {
		for _, conn := range conns {
			conn.CloseNow()
		}
	}
	for _, p := range cluster {
		conn, _, err := websocket.Dial(ctx, "ws://"+p.addr+"/socket.io/?EIO=4&transport=websocket", nil)
		if err != nil {
			end()
			return nil, nil, err
		}
		conns = append(conns, conn)
	}
	cast = func() error {
		for _, conn := range conns {
			// The clients get it under the name "tick", which is as long as "news".
			if err := conn.Write(ctx, websocket.MessageText, []byte(`42["broadcast",{"n":1,"text":"The market opens at eight."}]`)); err != nil {
				return err
			}
		}
		return nil
	}
	return cast, end, nil
}
