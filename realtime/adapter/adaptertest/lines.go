package adaptertest

import (
	"context"
	"errors"
	"net"
	"sync"

	"github.com/zocalo-go/zocalo/realtime/adapter"
)

// Lines are how nodes reach their engine over the network, each by a [Line] of its
// own, so that one can be cut off. The zero value works.
type Lines struct {
	mu    sync.Mutex // guards the rest
	nodes map[string]*Line
}

// Provider returns the adapter of one more node, that open makes on its line.
func (ls *Lines) Provider(open func(*Line) adapter.Provider) adapter.Provider {
	l := &Line{open: make(map[net.Conn]bool)}
	return lined{open(l), ls, l}
}

// lined is a provider that tells whose line it is.
type lined struct {
	adapter.Provider
	lines *Lines
	line  *Line
}

func (p lined) Open(s adapter.Server) adapter.Node {
	n := p.Provider.Open(s)
	p.lines.mu.Lock()
	defer p.lines.mu.Unlock()
	if p.lines.nodes == nil {
		p.lines.nodes = make(map[string]*Line)
	}
	p.lines.nodes[n.ID()] = p.line
	return n
}

// unlined returns the adapter that a provider is, for who is no node.
func unlined(p adapter.Provider) adapter.Provider {
	if l, is := p.(lined); is {
		return l.Provider
	}
	return p
}

// Cut breaks all connections of a node, and lets it make no others: Cluster.Cut.
func (ls *Lines) Cut(node string) { ls.set(node, true) }

// Heal ends that: Cluster.Heal.
func (ls *Lines) Heal(node string) { ls.set(node, false) }

func (ls *Lines) set(node string, cut bool) {
	ls.mu.Lock()
	l := ls.nodes[node]
	ls.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
	if cut {
		for conn := range l.open {
			conn.Close()
		}
		clear(l.open)
	}
}

// Line makes connections.
type Line struct {
	mu   sync.Mutex // guards the rest
	cut  bool
	open map[net.Conn]bool
}

var errLine = errors.New("the test has cut this node off")

// Dial connects, unless the line is cut.
func (l *Line) Dial(network, addr string) (net.Conn, error) {
	return l.DialContext(context.Background(), network, addr)
}

// DialContext connects, unless the line is cut.
func (l *Line) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		conn.Close()
		return nil, errLine
	}
	l.open[conn] = true
	return conn, nil
}
