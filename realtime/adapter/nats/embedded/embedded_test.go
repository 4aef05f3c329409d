package embedded_test

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/adaptertest"
	natsadapter "github.com/zocalo-go/zocalo/realtime/adapter/nats"
	"github.com/zocalo-go/zocalo/realtime/adapter/nats/embedded"
)

// start starts a server that ends with the test.
func start(t *testing.T, c embedded.Config) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// Nodes are on two servers, of which one is told of the other. When nodes of both know
// each other the servers do: then an emitter is heard.
func TestAdapter(t *testing.T) {
	adaptertest.Run(t, func(t *testing.T) adaptertest.Cluster {
		var servers []*embedded.Server
		next := 0
		return adaptertest.Cluster{
			Adapter: func() adapter.Provider {
				if len(servers) < 2 {
					c := embedded.Config{Listen: "127.0.0.1:0", Secret: "a $ecret/@:"}
					if len(servers) == 1 {
						c.Routes = []string{servers[0].Addr().String()}
					}
					servers = append(servers, start(t, c))
				}
				conn := servers[next%2].Conn()
				next++
				return natsadapter.New(conn, natsadapter.Options{Options: adaptertest.Options()})
			},
			Inject: func(b []byte) {
				for _, subject := range []string{"socket.io.nodes", "socket.io.all.nLw"} {
					servers[0].Conn().Publish(subject, b)
				}
			},
		}
	})
}

// Nodes that know the same one find each other.
func TestGossip(t *testing.T) {
	first := start(t, embedded.Config{Listen: "127.0.0.1:0"})
	routes := []string{first.Addr().String()}
	second, third := start(t, embedded.Config{Listen: "127.0.0.1:0", Routes: routes}), start(t, embedded.Config{Listen: "127.0.0.1:0", Routes: routes})
	heard := make(chan struct{}, 1000)
	if _, err := second.Conn().Subscribe("subject", func(*nats.Msg) { heard <- struct{}{} }); err != nil {
		t.Fatal(err)
	}
	for tries := 0; ; tries++ {
		third.Conn().Publish("subject", nil)
		select {
		case <-heard:
			return
		case <-time.After(10 * time.Millisecond):
			if tries > 3000 {
				t.Fatal("the nodes do not find each other")
			}
		}
	}
}

// What would be open to everybody does not start, and says what to do.
func TestConfig(t *testing.T) {
	for want, c := range map[string]embedded.Config{
		"set Secret":         {},
		"127.0.0.1:6222":     {Listen: "0.0.0.0:0"},
		"Listen: \"6222\"":   {Listen: "6222"},
		"Routes: \"nats://a": {Listen: "127.0.0.1:0", Routes: []string{"nats://a:1"}},
	} {
		s, err := embedded.Start(c)
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want %q", c, err, want)
		}
	}
}

// A node that does not know the secret is no part of the cluster.
func TestSecret(t *testing.T) {
	first := start(t, embedded.Config{Listen: "127.0.0.1:0", Secret: "right"})
	heard := make(chan string, 1000)
	if _, err := first.Conn().Subscribe("subject", func(m *nats.Msg) { heard <- string(m.Data) }); err != nil {
		t.Fatal(err)
	}
	routes := []string{first.Addr().String()}
	wrong := start(t, embedded.Config{Listen: "127.0.0.1:0", Secret: "wrong", Routes: routes})
	right := start(t, embedded.Config{Listen: "127.0.0.1:0", Secret: "right", Routes: routes})
	for tries := 0; ; tries++ {
		wrong.Conn().Publish("subject", []byte("wrong"))
		right.Conn().Publish("subject", []byte("right"))
		if err := right.Conn().Flush(); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-heard:
			if got != "right" {
				t.Fatalf("it was told something by a node with the secret %q", got)
			}
			return
		case <-time.After(10 * time.Millisecond):
			if tries > 3000 {
				t.Fatal("the nodes do not find each other")
			}
		}
	}
}
