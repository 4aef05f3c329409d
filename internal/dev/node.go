package dev

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

// A node is a place for one process of the app after the other: the session's
// only one, with the public listener, or one of several behind a front. Its fields
// are the session's goroutine's.
type node struct {
	number    int // from 1; 0 of the only one
	cfg       Config
	public    *public
	current   *process // nil while no process can serve
	answering bool     // current has answered a request
	heir      *os.File // where the last process that answered tells its successor; or nil
}

// newNodes makes the nodes, and the front for several.
func newNodes(cfg Config, h *hub) ([]*node, *front, error) {
	listeners := []*net.TCPListener{cfg.Listener}
	var before *front
	if cfg.Nodes > 1 {
		listeners = nil
		before = &front{ln: cfg.Listener}
		for range cfg.Nodes {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				for _, ln := range listeners {
					ln.Close()
				}
				return nil, nil, fmt.Errorf("dev: listen for a node: %w", err)
			}
			listeners = append(listeners, ln.(*net.TCPListener))
			before.nodes = append(before.nodes, ln.Addr().String())
		}
		h.nodes = before.nodes
	}
	nodes := make([]*node, len(listeners))
	for i, ln := range listeners {
		n := &node{cfg: cfg, public: newPublic(ln, fallback(h, cfg.Host))}
		if before != nil {
			n.number = i + 1
		}
		n.cfg.Stdout = &logWriter{out: cfg.Stdout, paint: cfg.Colour, logs: h.logs, node: n.number}
		n.cfg.Stderr = &logWriter{out: cfg.Stderr, paint: cfg.Colour, logs: h.logs, node: n.number, stderr: true}
		nodes[i] = n
	}
	return nodes, before, nil
}

// answering reports whether all nodes have answered a request.
func (s *session) answering() bool {
	for _, n := range s.nodes {
		if n.current == nil || !n.answering {
			return false
		}
	}
	return true
}

// answer has the error page answer for the nodes without a process.
func (s *session) answer() error {
	for _, n := range s.nodes {
		if n.current != nil {
			continue
		}
		if err := n.public.answer(); err != nil {
			return fmt.Errorf("dev: answer in place of the app: %w", err)
		}
	}
	return nil
}

// lost is failed for a process that ended by itself. Of several that end alike
// the first is told of.
func (s *session) lost(p *process) error {
	if s.ended == p.number {
		return s.answer()
	}
	s.ended = p.number
	problem := exited(s.cfg.Dir, p.err, p.tail.String(), p.node.answering)
	if port := s.cfg.Listener.Addr().(*net.TCPAddr).Port; strings.Contains(problem.Output, fmt.Sprintf(":%d: bind: address already in use", port)) {
		problem.Detail += " The port is devserver's; " + strings.Replace(whoseListener, "it has", "the app has", 1) + "."
	}
	if p.node.number > 0 {
		problem.Detail = fmt.Sprintf("Node %d: %s", p.node.number, problem.Detail)
	}
	return s.failed(problem)
}

// replace starts the executable and asks the processes before it to end. The
// order matters: no page may come back through an old process and believe
// that it has seen the new one.
func (s *session) replace(path string) error {
	for _, n := range s.nodes {
		if n.current != nil {
			n.current.state.refuse()
		}
	}
	s.hub.started(s.number)
	var running []*process
	defer func() {
		s.start(func() {
			for _, p := range running {
				<-p.done
			}
			os.Remove(path)
		})
	}()
	for _, n := range s.nodes {
		p, err := s.renew(n, path)
		if err != nil {
			return err
		}
		running = append(running, p)
	}
	return nil
}

// renew is replace for one node.
func (s *session) renew(n *node, path string) (*process, error) {
	old := n.current
	gone := make(chan struct{})
	if old == nil {
		close(gone)
	} else {
		s.start(func() { defer close(gone); old.stop(s.cfg.Grace) })
		if !inherits {
			<-gone
		}
	}
	n.public.yield()
	if old != nil {
		old.renounce() // if it has not answered yet
	}
	n.current = nil
	will, to, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("dev: a pipe between processes: %w", err)
	}
	defer to.Close()
	name := fmt.Sprint(s.number)
	if n.number > 0 {
		name += fmt.Sprintf(".%d", n.number)
	}
	state, err := newControl(s.hub, name, s.cfg.Host)
	if err != nil {
		will.Close()
		return nil, err
	}
	p, err := start(path, name, n.cfg, n.public, state, &heritage{from: n.heir, to: to})
	if err != nil {
		will.Close()
		state.close()
		return nil, err
	}
	p.node, p.number, p.will = n, s.number, will
	n.current, n.answering = p, false
	alive, ended := context.WithCancel(s.ctx)
	s.start(func() {
		<-p.done
		ended()
		select {
		case s.exited <- p:
		case <-s.ctx.Done():
		}
		state.close()
	})
	heard, hear := context.WithCancel(alive)
	s.start(func() { s.listen(heard, n) })
	s.start(func() {
		defer hear()
		if p.answers(alive, n.public.Addr(), gone) {
			select {
			case s.ready <- p:
			case <-s.ctx.Done():
			}
		}
	})
	return p, nil
}

// listen warns unless the node's process is heard in time. One of several speaks
// for all.
func (s *session) listen(heard context.Context, n *node) {
	if n.number > 1 {
		return
	}
	select {
	case <-heard.Done():
	case <-time.After(s.cfg.Patience):
		s.warn(fmt.Errorf("the app runs, but has not answered for %v; %s", s.cfg.Patience, whoseListener))
	}
}

// whoseListener is what the author of an app has to know that listens by itself.
const whoseListener = "it has to serve on devserver's listener: app.Listen does, and any other program finds it by LISTEN_FDS"

// end stops the process and closes the listener.
func (n *node) end(grace time.Duration) {
	if n.heir != nil {
		n.heir.Close() // nobody comes who could be told
	}
	if n.current != nil {
		n.current.renounce()
		n.current.state.refuse()
		n.current.stop(grace)
	}
	n.public.stop()
}
