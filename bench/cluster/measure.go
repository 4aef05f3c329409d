package main

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// load is what the nodes have to do.
type load struct {
	clients    int
	broadcasts int
	inFlight   int // broadcasts that not everybody has got
}

// measure returns the µs of processor time that the nodes of a cluster use for a
// delivery.
func measure(ctx context.Context, s server, kind, redis string, l load) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	var cluster []*process
	for range nodes {
		p, err := startNode(ctx, s, kind, redis)
		if err != nil {
			return 0, err
		}
		defer p.stop()
		cluster = append(cluster, p)
	}
	c := &crowd{got: make(chan struct{}, l.clients)}
	defer c.leave()
	for i := range l.clients {
		if err := c.join(ctx, cluster[i%nodes].addr); err != nil {
			return 0, err
		}
	}
	cast, end, err := s.casting(ctx, cluster)
	if err != nil {
		return 0, err
	}
	defer end()
	warmup := l
	warmup.broadcasts = max(1, l.broadcasts/4)
	if err := c.hear(ctx, cast, warmup); err != nil {
		return 0, err
	}
	before, err := total(cluster)
	if err != nil {
		return 0, err
	}
	if err := c.hear(ctx, cast, l); err != nil {
		return 0, err
	}
	after, err := total(cluster)
	return float64((after - before).Nanoseconds()) / 1e3 / float64(l.broadcasts*l.clients), err
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

// hear has the nodes broadcast, and the next as soon as all clients together have got
// as many as one is for. It returns when they have got all.
func (c *crowd) hear(ctx context.Context, cast func() error, l load) error {
	var casting sync.WaitGroup
	defer casting.Wait()
	failed := make(chan error, l.broadcasts)
	begun := 0
	begin := func() {
		if begun++; begun > l.broadcasts {
			return
		}
		casting.Go(func() {
			if err := cast(); err != nil {
				failed <- err
			}
		})
	}
	for range l.inFlight {
		begin()
	}
	for i := range l.broadcasts * l.clients {
		select {
		case <-c.got:
		case err := <-failed:
			return err
		case <-ctx.Done():
			return fmt.Errorf("%d of %d deliveries: %w", i, l.broadcasts*l.clients, ctx.Err())
		}
		if (i+1)%l.clients == 0 {
			begin()
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
