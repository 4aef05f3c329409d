package dev

import (
	"context"
	"io"
	"net"
	"sync"
	"time"
)

// A front hands the connections of the public listener to the nodes, one after the
// other, as a load balancer does that knows nothing of sessions. It looks at no
// byte; a node whose process is being replaced has a listener all the same, in
// whose queue a connection waits.
type front struct {
	ln    *net.TCPListener
	nodes []string // their addresses
}

// run serves until ctx ends, then closes the listener and all connections.
func (f *front) run(ctx context.Context) {
	defer context.AfterFunc(ctx, func() { f.ln.Close() })()
	var wg sync.WaitGroup
	defer wg.Wait()
	for next := 0; ; next++ {
		client, err := f.ln.AcceptTCP()
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			select {
			case <-ctx.Done():
			case <-time.After(retry): // the client has gone, or there are no descriptors
			}
			continue
		}
		node := f.nodes[next%len(f.nodes)]
		wg.Go(func() { join(ctx, client, node) })
	}
}

// join copies between a client and a node until both have ended, or ctx.
func join(ctx context.Context, client *net.TCPConn, node string) {
	defer client.Close()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", node)
	if err != nil {
		return
	}
	server := conn.(*net.TCPConn)
	defer server.Close()
	defer context.AfterFunc(ctx, func() { client.Close(); server.Close() })()
	var wg sync.WaitGroup
	for _, way := range [][2]*net.TCPConn{{server, client}, {client, server}} {
		to, from := way[0], way[1]
		wg.Go(func() {
			if _, err := io.Copy(to, from); err != nil {
				client.Close()
				server.Close()
				return
			}
			to.CloseWrite()
		})
	}
	wg.Wait()
}
