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
	return newPlaceFor(t, mode, crowd, parser.JSON)
}

// newPlaceFor opens a place where codec is spoken.
func newPlaceFor(t *testing.T, mode string, crowd int, codec parser.Codec) *place {
	ledger := newLedger()
	main := &host{t: t, ledger: ledger, addr: "127.0.0.1:0", config: realtime.Config{Codec: codec}}
	if codec != parser.Codec(parser.JSON) {
		main.config.MaxPayload = 2e6 // a packet is one message, with a text and bytes where JSON sends two
	}
	main.start()
	t.Cleanup(main.stop)
	rough := &host{t: t, ledger: ledger, addr: "127.0.0.1:0", config: realtime.Config{
		PingInterval: heartbeat,
		PingTimeout:  3 * heartbeat,
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

// A host serves a town at an address that it keeps from one start to the next.
type host struct {
	t      *testing.T
	ledger *ledger
	config realtime.Config
	addr   string

	mu   sync.Mutex
	town *realtime.Server
	http *http.Server
}

func (h *host) start() {
	h.mu.Lock()
	defer h.mu.Unlock()
	listener, err := net.Listen("tcp", h.addr)
	if err != nil {
		h.t.Errorf("starting the town: %v", err)
		return
	}
	h.addr = listener.Addr().String()
	h.town = newTown(h.t, h.config, h.ledger)
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", h.town)
	mux.Handle("/", http.FileServer(http.Dir("node")))
	h.http = &http.Server{Handler: mux}
	server := h.http
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			h.t.Errorf("serving the town: %v", err)
		}
	}()
}

// stop ends the server at once, as a crash would.
func (h *host) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.http.Close()
	h.town.Close()
}

// drain ends the server as a deployment does: http and the sockets at the same time.
func (h *host) drain() {
	h.mu.Lock()
	defer h.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	sockets := make(chan error, 1)
	go func() { sockets <- h.town.Shutdown(ctx) }()
	if err := h.http.Shutdown(ctx); err != nil {
		h.t.Errorf("http shutdown: %v", err)
		h.http.Close()
	}
	if err := <-sockets; err != nil {
		h.t.Errorf("realtime shutdown: %v", err)
	}
}
