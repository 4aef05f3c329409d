package dev

import (
	"crypto/rand"
	"fmt"
	"sync"
	"time"
)

// An event is what the open pages are told.
type event struct{ name, data string }

// A hub knows the state of the session and tells it to the open pages. All
// methods are safe for concurrent use, and none waits for a page.
type hub struct {
	session string   // static; tells one run of devserver from the next
	dir     string   // static; of the app
	name    string   // static; of the app
	logs    *logs    // static
	guarded bool     // static; the tools are for this machine
	nodes   []string // static; the addresses of several, or nil

	mu       sync.Mutex
	build    int       // the newest build that was started
	revision int       // counts what a page that was away must reload for
	changed  time.Time // when build or revision last did
	problems int       // counts what was told by failed
	problem  *Problem
	pages    map[chan event]struct{}
	calm     chan struct{} // closed unless some nodes are a build ahead of others
}

// pageBacklog is how many events a page may lag behind before it is cut off;
// it then comes back, and hello tells it what it missed.
const pageBacklog = 16

func newHub() *hub {
	h := &hub{session: rand.Text()[:8], logs: newLogs(), changed: time.Now(), pages: map[chan event]struct{}{}, calm: make(chan struct{})}
	close(h.calm)
	return h
}

// id names the present state. A page that was loaded under another is stale.
func (h *hub) id() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.idLocked()
}

// state is the id and for how long it has been that.
func (h *hub) state() (id string, age time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.idLocked(), time.Since(h.changed)
}

func (h *hub) idLocked() string { return fmt.Sprintf("%s.%d.%d", h.session, h.build, h.revision) }

// trouble returns the present problem, or nil.
func (h *hub) trouble() *Problem {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.problem
}

// started records that a build takes over, with which all trouble so far ends
// and so do the streams: the pages come back through the new process.
func (h *hub) started(build int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.build, h.problem = build, nil
	h.changed = time.Now()
	h.tell(event{"ok", h.idLocked()})
	h.cut()
	if len(h.nodes) > 0 {
		h.settleLocked()
		h.calm = make(chan struct{})
	}
}

// settle records that all nodes run the same build: a page that comes back sooner
// may get an old document from another node than the one with the news.
func (h *hub) settle() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.settleLocked()
}

func (h *hub) settleLocked() {
	select {
	case <-h.calm:
	default:
		close(h.calm)
	}
}

// settled is closed when a page may be told of the state.
func (h *hub) settled() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.calm
}

// close ends all streams.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cut()
}

func (h *hub) cut() {
	for page := range h.pages {
		close(page)
	}
	clear(h.pages)
}

// failed records a problem.
func (h *hub) failed(p *Problem) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.problems++
	p.ID = fmt.Sprintf("%s-%d", h.session, h.problems)
	h.problem = p
	h.tell(event{"error", p.ID})
	h.settleLocked()
}

// reload tells the pages to load again.
func (h *hub) reload() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.revision++
	h.changed = time.Now()
	h.tell(event{"reload", h.idLocked()})
}

// rerender tells the pages that a view is new.
func (h *hub) rerender() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.revision++
	h.changed = time.Now()
	h.tell(event{"view", h.idLocked()})
}

// swap tells the pages that one style sheet ("css") or picture ("image") is new.
func (h *hub) swap(what, file string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.revision++
	h.changed = time.Now()
	h.tell(event{what, fmt.Sprintf(`{"id":%q,"file":%q}`, h.idLocked(), file)})
}

// join adds a page. The channel starts with hello and is closed when the stream
// has to end or the page lags too far behind; leave must be called in any case.
func (h *hub) join() chan event {
	h.mu.Lock()
	defer h.mu.Unlock()
	page := make(chan event, pageBacklog)
	page <- event{"hello", h.idLocked()}
	if h.problem != nil {
		page <- event{"error", h.problem.ID}
	}
	h.pages[page] = struct{}{}
	return page
}

// leave removes a page.
func (h *hub) leave(page chan event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.pages, page)
}

func (h *hub) tell(e event) {
	for page := range h.pages {
		select {
		case page <- e:
		default:
			delete(h.pages, page)
			close(page)
		}
	}
}
