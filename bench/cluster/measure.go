package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// measure returns the µs of processor time that the nodes of a cluster use for a
// delivery.
func measure(ctx context.Context, command func(ctx context.Context, kind, redis string) *exec.Cmd, kind, redis string, clients, messages int) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	var cluster []*process
	for range nodes {
		p, err := startNode(command(ctx, kind, redis))
		if err != nil {
			return 0, err
		}
		defer p.stop()
		cluster = append(cluster, p)
	}
	c := &crowd{got: make(chan struct{}, clients)}
	defer c.leave()
	for i := range clients {
		if err := c.join(ctx, cluster[i%nodes].addr); err != nil {
			return 0, err
		}
	}
	cast := func(n int) error {
		for range n {
			if err := c.cast(ctx, cluster[0].addr, clients); err != nil {
				return err
			}
		}
		return nil
	}
	if err := cast(max(1, messages/4)); err != nil { // to warm up
		return 0, err
	}
	before, err := total(cluster)
	if err != nil {
		return 0, err
	}
	if err := cast(messages); err != nil {
		return 0, err
	}
	after, err := total(cluster)
	return float64((after - before).Microseconds()) / float64(messages*clients), err
}

func total(cluster []*process) (sum time.Duration, err error) {
	for _, p := range cluster {
		cpu, err := p.cpu()
		if err != nil {
			return 0, err
		}
		sum += cpu
	}
	return sum, nil
}

// crowd is the clients, each of which tells when it has got something.
type crowd struct {
	running sync.WaitGroup
	conns   []*websocket.Conn
	got     chan struct{}
}

// join connects a client.
func (c *crowd) join(ctx context.Context, addr string) error {
	conn, _, err := websocket.Dial(ctx, "ws://"+addr+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		return err
	}
	c.conns = append(c.conns, conn)
	if _, _, err = conn.Read(ctx); err == nil {
		err = conn.Write(ctx, websocket.MessageText, []byte("40"))
	}
	var answer []byte
	if err == nil {
		_, answer, err = conn.Read(ctx)
	}
	if err == nil && !bytes.HasPrefix(answer, []byte("40")) {
		err = fmt.Errorf("the node answered %q", answer)
	}
	if err != nil {
		return err
	}
	c.running.Go(func() {
		for {
			_, packet, err := conn.Read(context.Background())
			switch {
			case err != nil:
				return
			case string(packet) == "2":
				conn.Write(context.Background(), websocket.MessageText, []byte("3"))
			default:
				c.got <- struct{}{}
			}
		}
	})
	return nil
}

// cast has a node broadcast, and waits until every client has got it.
func (c *crowd) cast(ctx context.Context, addr string, clients int) error {
	response, err := http.Get("http://" + addr + "/cast")
	if err != nil {
		return err
	}
	response.Body.Close()
	for i := range clients {
		select {
		case <-c.got:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d clients got it: %w", i, clients, ctx.Err())
		}
	}
	return nil
}

func (c *crowd) leave() {
	for _, conn := range c.conns {
		conn.CloseNow()
	}
	c.running.Wait()
}
