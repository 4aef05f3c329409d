package e2e

import (
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/realtime/parser"
)

// A front is what stands between the clients and the servers of a town.
type front struct {
	name  string
	nodes int // 1 stands alone

	// pingTimeout is that of the rough side of town: several servers and a load balancer share the machine with other
	// tests, and none of them is to be taken for dead.
	pingTimeout time.Duration

	// balance sends the requests that come to addr to the nodes in turn, whatever they belong to. It returns the address
	// that it got, and what ends it.
	balance func(t *testing.T, addr string, nodes []string) (string, func())
}

var alone = front{name: "alone", nodes: 1, pingTimeout: 3 * heartbeat}

// fronts of several nodes, none of which knows anything of sticky sessions.
var fronts = []front{
	{"Go", 3, 10 * heartbeat, balanceGo},
	{"nginx", 3, 10 * heartbeat, balanceNginx},
	{"haproxy", 3, 10 * heartbeat, balanceHAProxy},
}

// TestNoStickySessions sends npm's socket.io-client through every scenario against three servers behind a round robin.
func TestNoStickySessions(t *testing.T) {
	modules(t)
	for _, front := range fronts {
		for _, mode := range modes {
			t.Run(front.name+" "+mode, func(t *testing.T) {
				if front.name != "Go" {
					binary(t, front.name)
				}
				place, err := json.Marshal(newPlaceFor(t, mode, 100, parser.JSON, front))
				if err != nil {
					t.Fatal(err)
				}
				runNode(t, "node.mjs", string(place))
			})
		}
	}
}

// balanceGo is httputil.ReverseProxy.
func balanceGo(t *testing.T, addr string, nodes []string) (string, func()) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		t.Errorf("starting the load balancer: %v", err)
		return addr, func() {}
	}
	var turn atomic.Uint32
	transport := &http.Transport{MaxIdleConnsPerHost: 1000}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", nodes[int(turn.Add(1))%len(nodes)]
			r.Out.Host = r.In.Host
		},
		Transport: transport,
		ErrorLog:  log.New(io.Discard, "", 0), // clients that go away, nodes that stop
	}
	server := &http.Server{Handler: proxy, ErrorLog: proxy.ErrorLog}
	go server.Serve(listener)
	return listener.Addr().String(), func() {
		server.Close()
		transport.CloseIdleConnections()
	}
}
