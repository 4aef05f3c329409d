package engineio

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
)

// world is a server, and the clients that reach it by pipes, in a bubble of
// their own time.
type world struct {
	t        *testing.T
	server   *Server
	listener pipeListener
	peers    chan *peer // the sessions that began
	tally    tally
}

// peer is a session as its handler sees it.
type peer struct {
	*Session
	log  chan string   // what the handler was told
	busy chan struct{} // what its Message waits for, guarded by Session.in
}

// inWorld runs f in a synctest bubble, in which no goroutine may be left over
// and the gauges must return to zero. The handlers echo messages.
func inWorld(t *testing.T, config Config, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, peers: make(chan *peer, 100), tally: tally{totals: make(map[string]int64)},
			listener: pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}}
		w.server = NewServer(w.config(config), w.connect)
		server := &http.Server{Handler: w.server, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
		done := make(chan struct{})
		go func() {
			server.Serve(&w.listener)
			close(done)
		}()
		f(w)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := w.server.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		server.Close()
		<-done
		synctest.Wait()
		if n := len(w.server.sessions); n != 0 || w.server.Count() != 0 {
			t.Errorf("%d sessions are left", n)
		}
		for _, gauge := range []string{MetricBuffered + " ", MetricConnections + " polling", MetricConnections + " websocket", MetricConnections + " webtransport"} {
			if n := w.tally.of(gauge); n != 0 {
				t.Errorf("%s is %d in the end", gauge, n)
			}
		}
	})
}

// config sets what a test left out.
func (w *world) config(c Config) Config {
	set(&c.PingInterval, 25*time.Second)
	set(&c.PingTimeout, 20*time.Second)
	set(&c.UpgradeTimeout, 10*time.Second)
	set(&c.MaxPayload, 1_000_000)
	set(&c.MaxBuffered, 4<<20)
	if c.Transports == nil {
		c.Transports = []string{Polling, WebSocket}
	}
	c.AllowUpgrades = true
	c.Logger = slog.New(slog.DiscardHandler)
	if c.Count == nil {
		c.Count = w.tally.add
	}
	return c
}

func set[T comparable](option *T, value T) {
	var zero T
	if *option == zero {
		*option = value
	}
}

func (w *world) connect(s *Session, r *http.Request) Handler {
	p := &peer{Session: s, log: make(chan string, 1000)}
	w.peers <- p
	return p
}

func (p *peer) Message(data []byte, binary bool) error {
	if p.busy != nil {
		<-p.busy
	}
	if binary {
		return p.Send(Binary(data))
	}
	return p.Send(Text(data))
}
func (p *peer) Closed(reason string)     { p.log <- "closed: " + reason }
func (p *peer) Drained()                 { p.log <- "drained" }
func (p *peer) Heartbeat()               { p.log <- "heartbeat" }
func (p *peer) Upgraded(from, to string) { p.log <- "upgraded: " + from + " " + to }

// told returns what the handler was told so far.
func (p *peer) told() (log []string) {
	synctest.Wait()
	for {
		select {
		case s := <-p.log:
			log = append(log, s)
		default:
			return log
		}
	}
}

// expect fails unless the handler was told exactly want since it was last asked.
func (p *peer) expect(t *testing.T, want ...string) {
	t.Helper()
	if got := p.told(); !slices.Equal(got, want) {
		t.Errorf("the handler was told %q, want %q", got, want)
	}
}

// tally keeps the sums of what Config.Count is told.
type tally struct {
	mu     sync.Mutex
	totals map[string]int64
}

func (t *tally) add(metric, label string, n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.totals[metric+" "+label] += n
}

func (t *tally) of(name string) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.totals[name]
}

const base = "http://test/?EIO=4&transport="

// reply is an answer that was read.
type reply struct {
	*http.Response
	body string
}

// client returns an HTTP client with a connection of its own.
func (w *world) client() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: w.listener.dial, DisableCompression: true, DisableKeepAlives: true}}
}

// do makes one request. headers are names and values in turn.
func (w *world) do(method, url, body string, headers ...string) reply {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for pair := range slices.Chunk(headers, 2) {
		req.Header.Add(pair[0], pair[1])
	}
	res, err := w.client().Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return reply{res, string(data)}
}

func (w *world) get(url string) reply        { return w.do("GET", url, "") }
func (w *world) post(url, body string) reply { return w.do("POST", url, body) }

// poll expects the next poll to be answered with a payload.
func (w *world) poll(url, want string) {
	w.t.Helper()
	got := w.get(url)
	if got.StatusCode != 200 || strings.ReplaceAll(got.body, "\x1e", " ") != want {
		w.t.Errorf("poll: %d %q, want %q", got.StatusCode, got.body, want)
	}
}

// open opens a polling session and returns its URL.
func (w *world) open() (url string, p *peer) {
	w.t.Helper()
	res := w.get(base + Polling)
	if res.StatusCode != 200 {
		w.t.Fatalf("handshake: %d %s", res.StatusCode, res.body)
	}
	p = <-w.peers
	return base + Polling + "&sid=" + sid(w.t, res.body), p
}

func sid(t *testing.T, handshake string) string {
	t.Helper()
	var open struct{ SID string }
	first, _, _ := strings.Cut(handshake, "\x1e")
	if err := json.Unmarshal([]byte(first[1:]), &open); err != nil {
		t.Fatalf("handshake %q: %v", handshake, err)
	}
	return open.SID
}

// dial opens a WebSocket. The caller closes it.
func (w *world) dial(url string, headers ...string) (*websocket.Conn, *http.Response) {
	w.t.Helper()
	h := make(http.Header)
	for pair := range slices.Chunk(headers, 2) {
		h.Add(pair[0], pair[1])
	}
	ws, res, err := websocket.Dial(w.t.Context(), url, &websocket.DialOptions{HTTPClient: w.client(), HTTPHeader: h})
	if err != nil {
		w.t.Fatal(err)
	}
	ws.SetReadLimit(-1)
	return ws, res
}

// openSocket opens a session on a WebSocket and reads its handshake.
func (w *world) openSocket() (*websocket.Conn, *peer) {
	w.t.Helper()
	ws, _ := w.dial(base + WebSocket)
	if got := w.read(ws); !strings.HasPrefix(got, `0{"sid":`) {
		w.t.Errorf("handshake %q", got)
	}
	return ws, <-w.peers
}

// read returns the next message, or how the connection was closed.
func (w *world) read(ws *websocket.Conn) string {
	_, data, err := ws.Read(w.t.Context())
	if err != nil {
		if status := websocket.CloseStatus(err); status != -1 {
			return status.String()
		}
		return "cut"
	}
	return string(data)
}

func (w *world) write(ws *websocket.Conn, packet string) {
	w.t.Helper()
	if err := ws.Write(w.t.Context(), websocket.MessageText, []byte(packet)); err != nil {
		w.t.Error(err)
	}
}

func (w *world) writeBinary(ws *websocket.Conn, data ...byte) {
	w.t.Helper()
	if err := ws.Write(w.t.Context(), websocket.MessageBinary, data); err != nil {
		w.t.Error(err)
	}
}

// upgrade moves a polling session to a WebSocket.
func (w *world) upgrade(url string) *websocket.Conn {
	w.t.Helper()
	ws, _ := w.dial(strings.Replace(url, Polling, WebSocket, 1))
	w.write(ws, "2probe")
	expect(w.t, w.read(ws), "3probe")
	w.write(ws, "5")
	return ws
}

// pipeListener accepts in-memory connections.
type pipeListener struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

func (l *pipeListener) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case l.conns <- there:
		return here, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func mustRequest(method string, headers ...string) *http.Request {
	r, err := http.NewRequest(method, base, nil)
	if err != nil {
		panic(err)
	}
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Add(pair[0], pair[1])
	}
	return r
}
