package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// heartbeat is the ping interval of the rough side of town.
const heartbeat = 500 * time.Millisecond

// A place is where one run of the scenarios happens. Its JSON form is what harness.mjs expects.
type place struct {
	URL       string `json:"url"`       // the town
	Rough     string `json:"rough"`     // the town with a short heartbeat, behind a proxy
	Heartbeat int64  `json:"heartbeat"` // of the rough one, in ms
	Control   string `json:"control"`   // where a scenario orders a restart, a stall, a cut
	Mode      string `json:"mode"`      // polling, websocket or upgrade
	Crowd     int    `json:"crowd"`     // how many clients the runtime can open at once
	Nodes     int    `json:"nodes"`     // how many servers there are
	Client    string `json:"client"`    // for Node: which client comes, see node.mjs

	reports chan report // from a page; Node writes its own to stdout
}

// A report is how a scenario ended.
type report struct {
	Name  string `json:"name"`
	Error string `json:"error"`
}

// newPlace opens a place that ends with the test.
func newPlace(t *testing.T, mode string, crowd int) *place {
	return newPlaceFor(t, mode, crowd, parser.JSON, alone)
}

// newPlaceFor opens a place where codec is spoken, with servers behind the front.
func newPlaceFor(t *testing.T, mode string, crowd int, codec parser.Codec, front front) *place {
	ledger := newLedger()
	main := &host{t: t, ledger: ledger, front: front, addr: "127.0.0.1:0", config: realtime.Config{Codec: codec}}
	if codec != parser.Codec(parser.JSON) {
		main.config.MaxPayload = 2e6 // a packet is one message, with a text and bytes where JSON sends two
	}
	main.start()
	t.Cleanup(main.stop)
	rough := &host{t: t, ledger: ledger, front: front, addr: "127.0.0.1:0", config: realtime.Config{
		PingInterval: heartbeat,
		PingTimeout:  front.pingTimeout,
		Codec:        codec,

		PerMessageDeflate: &realtime.PerMessageDeflate{Threshold: 1},
	}}
	rough.start()
	t.Cleanup(rough.stop)
	proxy := newProxy(t, rough.addr)

	p := &place{
		URL:       "http://" + main.addr,
		Rough:     "http://" + proxy.addr(),
		Heartbeat: heartbeat.Milliseconds(),
		Mode:      mode,
		Crowd:     crowd,
		Nodes:     front.nodes,
		reports:   make(chan report),
	}
	control := http.NewServeMux()
	command := func(name string, run func()) {
		control.HandleFunc("POST /"+name, func(w http.ResponseWriter, r *http.Request) { run() })
	}
	command("restart", func() { main.stop(); main.start() })
	command("drain", func() { main.drain(); main.start() })
	command("stall", proxy.stall)
	command("resume", proxy.resume)
	command("cut", proxy.cut)
	control.HandleFunc("POST /report", func(w http.ResponseWriter, r *http.Request) {
		var got report
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Errorf("a report from the page: %v", err)
		}
		select {
		case p.reports <- got:
		case <-r.Context().Done():
		}
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		control.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	p.Control = server.URL
	return p
}

// A host serves a town at an address that it keeps from one start to the next: from one server, or from several that
// stand behind a load balancer.
type host struct {
	t      *testing.T
	ledger *ledger
	config realtime.Config
	front  front
	addr   string

	mu    sync.Mutex
	nodes []*node
	close func() // ends what stands before them
}

func (h *host) start() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.nodes, h.close = nil, func() {}
	if h.front.nodes == 1 {
		n := h.node(h.addr, h.config)
		h.addr = n.addr
		return
	}
	config := h.config
	config.Adapter = cluster.NewHub(cluster.Options{RequestTimeout: 30 * time.Second})
	var addrs []string
	for range h.front.nodes {
		addrs = append(addrs, h.node("127.0.0.1:0", config).addr)
	}
	h.addr, h.close = h.front.balance(h.t, h.addr, addrs)
}

// stop ends the servers at once, as a crash would.
func (h *host) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.close()
	for _, n := range h.nodes {
		n.http.Close()
		n.town.Close()
	}
}

// drain ends the servers as a deployment does.
func (h *host) drain() {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all sync.WaitGroup
	for _, n := range h.nodes {
		all.Go(n.drain)
	}
	all.Wait()
	h.close()
}

// A node is one server with a town.
type node struct {
	t    *testing.T
	addr string
	town *realtime.Server
	http *http.Server
}

// node starts a node.
func (h *host) node(addr string, config realtime.Config) *node {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		h.t.Errorf("starting the town: %v", err)
		return &node{addr: addr}
	}
	n := &node{t: h.t, addr: listener.Addr().String(), town: newTown(h.t, config, h.ledger)}
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", n.town)
	mux.Handle("/", http.FileServer(http.Dir("node")))
	n.http = &http.Server{Handler: mux}
	go func() {
		if err := n.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			h.t.Errorf("serving the town: %v", err)
		}
	}()
	h.nodes = append(h.nodes, n)
	return n
}

// drain ends the server: http and the sockets at the same time.
func (n *node) drain() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	sockets := make(chan error, 1)
	go func() { sockets <- n.town.Shutdown(ctx) }()
	if err := n.http.Shutdown(ctx); err != nil {
		n.t.Errorf("http shutdown: %v", err)
		n.http.Close()
	}
	if err := <-sockets; err != nil {
		n.t.Errorf("realtime shutdown: %v", err)
	}
}
