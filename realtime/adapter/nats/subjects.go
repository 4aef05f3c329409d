package nats

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
)

// subjects are the names under which a cluster's messages go.
type subjects struct{ prefix string }

var validPrefix = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

func newSubjects(prefix string) subjects {
	if prefix == "" {
		prefix = "socket.io"
	}
	if !validPrefix.MatchString(prefix) {
		panic(fmt.Sprintf("nats: the prefix %q is no subject; use letters, digits, '-' and '_', with '.' between them", prefix))
	}
	return subjects{prefix + "."}
}

func (s subjects) nodes() string               { return s.prefix + "nodes" }
func (s subjects) node(id string) string       { return s.prefix + "node." + id }
func (s subjects) all(namespace string) string { return s.prefix + "all." + token(namespace) }
func (s subjects) spaces() string              { return s.prefix + "all.*" }
func (s subjects) room(namespace, r string) string {
	return s.prefix + "room." + token(namespace) + "." + token(r)
}

// Those of JetStream's streams.

func (s subjects) logs() string                { return s.prefix + "log.>" }
func (s subjects) log(namespace string) string { return s.prefix + "log." + token(namespace) }
func (s subjects) parts() string               { return s.prefix + "part.>" }
func (s subjects) part(id string) string       { return s.prefix + "part." + id }
func (s subjects) sessions() string            { return s.prefix + "session.>" }
func (s subjects) session(key string) string   { return s.prefix + "session." + token(key) }
func (s subjects) stream(what string) string {
	return strings.ReplaceAll(s.prefix[:len(s.prefix)-1], ".", "=") + "-" + what
}

// of returns the subject of a message: what is for one room reaches the nodes
// alone that have it.
func (s subjects) of(m *cluster.Message) string {
	switch {
	case m.To != "":
		return s.node(m.To)
	case m.Native:
		return s.nodes()
	case m.Target.Socket != "":
		return s.room(m.Namespace, m.Target.Socket)
	case len(m.Target.Rooms) == 1:
		return s.room(m.Namespace, m.Target.Rooms[0])
	default:
		return s.all(m.Namespace)
	}
}

// recent are the rooms into which this node has had other nodes put sockets: until
// those have subscribed, what is for them goes to all nodes. It belongs to one
// goroutine.
type recent map[string]time.Time // by subject

// settled is how long a node may take to subscribe.
const settled = 5 * time.Second

// of is subjects.of that remembers.
func (r recent) of(s subjects, m *cluster.Message) string {
	subject := s.of(m)
	if m.Type == cluster.SocketsJoin {
		for _, room := range m.Rooms {
			r[s.room(m.Namespace, room)] = time.Now()
		}
	}
	if len(r) == 0 {
		return subject
	}
	maps.DeleteFunc(r, func(_ string, since time.Time) bool { return time.Since(since) > settled })
	if _, young := r[subject]; young {
		return s.all(m.Namespace)
	}
	return subject
}

// longest is how long a name may be, in bytes, to be written as it is.
const longest = 48

// token writes any name in letters that a subject may have. Names that differ
// have tokens that differ.
func token(name string) string {
	if len(name) > longest {
		sum := sha256.Sum256([]byte(name))
		return "h" + base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return "n" + base64.RawURLEncoding.EncodeToString([]byte(name))
}
