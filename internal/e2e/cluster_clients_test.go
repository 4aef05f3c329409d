//go:build unix

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// listeners are many clients of a fleet, each of which has to hear every tick once, in order, wherever it comes back to.
type listeners struct {
	t     *testing.T
	fleet *fleet
	pause func() time.Duration // before a client comes back
	all   []*hearer
	wg    sync.WaitGroup

	mu    sync.Mutex // guards the rest
	back  []time.Duration
	anew  []int         // behind which ticks clients were told to begin anew
	news  chan struct{} // closed, and replaced, when somebody has joined or heard a tick that is awaited
	await int           // the tick
	there int           // clients that are connected
	heard int           // clients that have heard it, when last counted
}

// hearer is one client. Its fields are those of its goroutine, but for what is guarded by the listeners' mu.
type hearer struct {
	all         *listeners
	pid, offset string
	faults      []string
	left        time.Time
	anew        bool // it was told that it does not go on where it was, and has heard nothing since

	last int // guarded
	conn *websocket.Conn
}

// officialPause is how long the official clients wait before they come back.
func officialPause() time.Duration {
	return 500*time.Millisecond + time.Duration(rand.Int64N(int64(time.Second)))
}

// listen connects so many clients.
func (f *fleet) listen(clients int) *listeners {
	f.t.Helper()
	l := &listeners{t: f.t, fleet: f, pause: officialPause, news: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	f.t.Cleanup(func() {
		cancel()
		l.wg.Wait()
	})
	for i := range clients {
		h := &hearer{all: l}
		l.all = append(l.all, h)
		l.wg.Go(func() { h.run(ctx) })
		if i%100 == 99 {
			l.until("connected", func() bool { return l.there > i-50 }) // not all at once
		}
	}
	l.until("connected", func() bool { return l.there == clients })
	return l
}

// until waits for a condition on what mu guards.
func (l *listeners) until(what string, condition func() bool) {
	l.t.Helper()
	deadline := time.After(3 * time.Minute)
	for {
		l.mu.Lock()
		met, news := condition(), l.news
		there, heard := l.there, l.heard
		l.mu.Unlock()
		if met {
			return
		}
		select {
		case <-news:
		case <-deadline:
			l.t.Fatalf("not all are %s: of %d clients %d are there, and %d have heard tick %d; %s", what, len(l.all), there, heard, l.await, l.behind())
		}
	}
}

// behind says where some of those are that have not heard everything.
func (l *listeners) behind() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var some []string
	for i, h := range l.all {
		if h.last < l.await && len(some) < 5 {
			some = append(some, fmt.Sprintf("client %d has heard %d", i, h.last))
		}
	}
	return strings.Join(some, ", ")
}

func (l *listeners) tell() {
	close(l.news)
	l.news = make(chan struct{})
}

// complete waits until everybody has heard the last tick that was sent, and fails the test for each that was lost, came
// twice or in another order without the client's being told so, and when more clients than that were told to begin anew.
func (l *listeners) complete(anew int) {
	l.t.Helper()
	l.mu.Lock()
	l.await = l.fleet.sent
	l.mu.Unlock()
	// Who was told to begin anew behind the last tick will hear no other.
	l.until("served", func() bool {
		l.heard = 0
		for _, h := range l.all {
			if h.last >= l.await || h.anew && h.conn != nil {
				l.heard++
			}
		}
		return l.heard == len(l.all)
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	faults := 0
	for i, h := range l.all {
		for _, fault := range h.faults {
			if faults++; faults <= 10 {
				l.t.Errorf("client %d: %s", i, fault)
			}
		}
	}
	if len(l.anew) > anew {
		l.t.Errorf("%d clients began anew, behind %v", len(l.anew), l.anew)
	}
	slices.Sort(l.back)
	l.t.Logf("%d clients heard %d ticks, faults: %d; they came back %d times, %d of them anew", len(l.all), l.await, faults, len(l.back), len(l.anew))
	if n := len(l.back); n > 0 {
		l.t.Logf("back after, with the pause of the client: p50 %v, p95 %v, p99 %v, the last %v",
			l.back[n/2].Round(time.Millisecond), l.back[n*95/100].Round(time.Millisecond), l.back[n*99/100].Round(time.Millisecond), l.back[n-1].Round(time.Millisecond))
	}
}

// drop cuts the connections of all clients.
func (l *listeners) drop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, h := range l.all {
		if h.conn != nil {
			h.conn.CloseNow()
		}
	}
}

// run connects again and again.
func (h *hearer) run(ctx context.Context) {
	for ctx.Err() == nil {
		h.session(ctx)
		if h.left.IsZero() {
			h.left = time.Now()
		}
		select {
		case <-time.After(h.all.pause()):
		case <-ctx.Done():
		}
	}
}

// session is one connection.
func (h *hearer) session(ctx context.Context) {
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return h.all.fleet.dial() }}
	patience, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	conn, _, err := websocket.Dial(patience, "http://fleet"+overWebSocket, &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		return
	}
	defer conn.CloseNow()
	auth, _ := json.Marshal(map[string]string{"pid": h.pid, "offset": h.offset})
	if h.pid == "" {
		auth = nil
	}
	if err := conn.Write(ctx, websocket.MessageText, append([]byte("40"), auth...)); err != nil {
		return
	}
	l := h.all
	joined := false
	for {
		_, data, err := conn.Read(ctx)
		if err != nil {
			break
		}
		switch {
		case bytes.Equal(data, []byte("2")):
			err = conn.Write(ctx, websocket.MessageText, []byte("3"))
		case bytes.HasPrefix(data, []byte("40{")):
			joined = true
			h.join(data[2:], conn)
		case bytes.HasPrefix(data, []byte("42[")):
			h.hear(data[2:])
		}
		if err != nil {
			break
		}
	}
	if joined {
		l.mu.Lock()
		h.conn, h.left = nil, time.Now()
		l.there--
		l.mu.Unlock()
	}
}

// join notes that the client has joined.
func (h *hearer) join(answer []byte, conn *websocket.Conn) {
	l := h.all
	l.mu.Lock()
	defer l.mu.Unlock()
	var admission struct{ PID string }
	if err := json.Unmarshal(answer, &admission); err != nil {
		h.faults = append(h.faults, err.Error())
	}
	if h.pid != "" && h.pid != admission.PID {
		h.anew = true
		l.anew = append(l.anew, h.last)
	}
	h.pid, h.conn = admission.PID, conn
	if !h.left.IsZero() {
		l.back = append(l.back, time.Since(h.left))
		h.left = time.Time{}
	}
	l.there++
	l.tell()
}

// hear takes an event.
func (h *hearer) hear(event []byte) {
	var name, offset string
	var n int
	l := h.all
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := json.Unmarshal(event, &[]any{&name, &n, &offset}); err != nil || name != "tick" {
		h.faults = append(h.faults, fmt.Sprintf("it heard %s", event))
		return
	}
	h.offset = offset
	if n != h.last+1 && (!h.anew || n <= h.last) {
		h.faults = append(h.faults, fmt.Sprintf("it heard %d behind %d", n, h.last))
	}
	h.last, h.anew = n, false
	if n == l.await {
		l.tell()
	}
}

// npmListeners are a few of npm's clients behind a load balancer, which hear the same; nil for none.
func (f *fleet) npmListeners(clients int) *crowd {
	if clients == 0 {
		return nil
	}
	modules(f.t)
	c := newCrowd(f.t, "http://"+f.balance(), clients)
	f.await(c, clients, false)
	return c
}

// await waits until so many of npm's clients have connected.
func (f *fleet) await(c *crowd, clients int, recovered bool) {
	f.t.Helper()
	there := map[int]bool{}
	for len(there) < clients {
		line := c.next(f.t, "every client")
		if line.Recovered != recovered {
			f.t.Fatalf("npm's client %d (%s) connected with recovered %v", line.Client, line.Transport, line.Recovered)
		}
		there[line.Client] = true
	}
}

// completeNPM waits until they have heard every tick; restarts.mjs says when one has not heard them in order, and once.
func (f *fleet) completeNPM(c *crowd) {
	f.t.Helper()
	if c == nil {
		return
	}
	if err := c.stdin.Encode(f.sent); err != nil {
		f.t.Fatal(err)
	}
	for {
		line := c.next(f.t, "the last tick")
		if line.Complete == f.sent {
			return
		}
		if line.Client < 0 || !line.Recovered {
			f.t.Fatalf("npm's clients say %+v", line)
		}
	}
}
