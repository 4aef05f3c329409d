// Package natsd is a NATS server for one machine and one user: with it devserver
// joins the processes of an app where no other engine is installed.
//
// It speaks the core of NATS' client protocol
// (https://docs.nats.io/reference/reference-protocols/nats-protocol): subjects with
// wildcards, queue groups, headers, replies, and the answer that nobody responds.
// It keeps nothing, and knows no JetStream, accounts, TLS or other servers.
//
// Start with [Start]. What one client publishes arrives everywhere in the order in
// which it was published, and before the answer to a PING that the client sends
// behind it. A client that reads too slowly is closed; nobody waits for it.
//
// # Goroutines
//
//	acceptor  one, from Start to Close
//	reader    one per client; does what the client says
//	writer    one per client; writes what is for it
//
// The lock of the server comes before that of an outbox, and nothing is read or
// written under either.
package natsd

import (
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"sync"
	"time"
)

// user is the name that belongs to the password.
const user = "devserver"

// Server is a NATS server. Its methods may be called concurrently.
type Server struct {
	ln       net.Listener
	id       string
	password string
	tasks    sync.WaitGroup // the acceptor and the clients

	mu      sync.Mutex // guards the rest
	clients map[*client]struct{}
	subjects
}

// Start starts a server on a free port of this machine, for those who know the
// password that is in its URL and made up at each start.
func Start() (*Server, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("natsd: %w", err)
	}
	s := &Server{ln: ln, id: rand.Text(), password: rand.Text(), clients: map[*client]struct{}{}, subjects: newSubjects()}
	s.tasks.Go(s.accept)
	return s, nil
}

// URL is what clients connect with: "nats://user:password@127.0.0.1:port".
func (s *Server) URL() string {
	u := url.URL{Scheme: "nats", User: url.UserPassword(user, s.password), Host: s.ln.Addr().String()}
	return u.String()
}

// Close closes all connections and waits for the goroutines.
func (s *Server) Close() error {
	err := s.ln.Close()
	s.mu.Lock()
	open := slices.Collect(maps.Keys(s.clients))
	s.clients = nil // who comes now is closed at once
	s.mu.Unlock()
	for _, c := range open {
		c.out.close()
	}
	s.tasks.Wait()
	return err
}

func (s *Server) accept() {
	for {
		conn, err := s.ln.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			time.Sleep(10 * time.Millisecond) // there are no descriptors; some will come back
			continue
		}
		c := newClient(s, conn)
		s.mu.Lock()
		closed := s.clients == nil
		if !closed {
			s.clients[c] = struct{}{}
		}
		s.mu.Unlock()
		if closed {
			conn.Close()
			return
		}
		s.tasks.Go(c.run)
	}
}

// leave forgets a client and its subscriptions.
func (s *Server) leave(c *client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, c)
	for _, sub := range c.subscriptions {
		s.remove(sub)
	}
}

// subscribe makes a subscription known.
func (s *Server) subscribe(sub *subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := sub.client.subscriptions[sub.sid]; old != nil {
		s.remove(old)
	}
	sub.client.subscriptions[sub.sid] = sub
	s.add(sub)
}

// unsubscribe ends a subscription when it has been given most messages, which may
// be now.
func (s *Server) unsubscribe(c *client, sid string, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sub := c.subscriptions[sid]; sub != nil {
		sub.most = max(most, 1)
		if sub.given >= most {
			s.end(sub)
		}
	}
}

// end removes a subscription from its client, too. mu is held.
func (s *Server) end(sub *subscription) {
	delete(sub.client.subscriptions, sub.sid)
	s.remove(sub)
}

// publish gives a message to whoever has subscribed to its subject, to one of each
// queue group, and reports whether there was anybody. from is nil for the server.
func (s *Server) publish(from *client, m *message) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	received := false
	for _, sub := range s.receivers(m.subject, func(sub *subscription) bool { return sub.client != from || from.options.Echo }) {
		if !sub.client.out.add(m.encode(sub)) {
			continue
		}
		received = true
		if sub.given++; sub.given == sub.most {
			s.end(sub)
		}
	}
	return received
}
