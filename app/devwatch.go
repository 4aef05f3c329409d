package app

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A devWatch shows the page of the development server what the application does: its routes, its last requests, and
// the mounted handlers that can be looked into. It is there only while a development server runs the application, and
// answers only whom that lets pass.
//
//	GET /_dev/app/events       server-sent events: "app" once, then "requests"
//	/_dev/app/mounts/N/…       what the mounted handler's DevTools answers
type devWatch struct {
	app *App
	id  string // which tells the numbers of its requests from another process's

	mu      sync.Mutex // guards the rest
	ring    []devRequest
	last    uint64
	changed chan struct{}
}

// A devTooler is a mounted handler that can be looked into.
type devTooler interface{ DevTools() http.Handler }

// devRequest is a request that was answered.
type devRequest struct {
	Seq    uint64  `json:"seq"`
	At     int64   `json:"at"` // milliseconds since 1970
	Method string  `json:"method"`
	URL    string  `json:"url"`
	Route  string  `json:"route,omitempty"`
	Status int     `json:"status"`
	Bytes  int64   `json:"bytes"`
	Took   float64 `json:"took"` // milliseconds
	Error  string  `json:"error,omitempty"`
	From   string  `json:"from"`
}

const (
	devRequests = 200
	devText     = 1 << 10 // bytes of a URL and of an error
	devPace     = 100 * time.Millisecond
	devAppPath  = "/_dev/app/"
)

func newDevWatch(a *App) *devWatch {
	return &devWatch{app: a, id: rand.Text(), changed: make(chan struct{})}
}

// devMount is a mounted handler that can be looked into.
type devMount struct {
	Patterns []string `json:"patterns"` // as in "/socket.io/*": everywhere it is mounted, also by a router at several paths
	Tools    string   `json:"tools"`    // where its DevTools answer
	handler  devTooler
}

func (d *devWatch) mounts() []devMount {
	var list []devMount
	var walk func(r *Router, prefix string)
	walk = func(r *Router, prefix string) {
		for _, l := range r.layers {
			for _, path := range l.paths {
				path = prefix + strings.TrimRight(path, "/")
				if l.router != nil {
					walk(l.router, path)
				}
				t, ok := l.handler.(devTooler)
				if !ok {
					continue
				}
				i := slices.IndexFunc(list, func(m devMount) bool { return sameHandler(m.handler, t) })
				if i < 0 {
					i = len(list)
					list = append(list, devMount{Tools: devAppPath + "mounts/" + strconv.Itoa(i), handler: t})
				}
				list[i].Patterns = append(list[i].Patterns, path+"/*")
			}
		}
	}
	walk(&d.app.Router, "")
	return list
}

// begin has the mounted handlers watch from the first request on.
func (d *devWatch) begin() {
	for _, m := range d.mounts() {
		m.handler.DevTools()
	}
}

func (d *devWatch) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, devAppPath)
	if name == "events" && r.Method == http.MethodGet {
		d.stream(w, r)
		return
	}
	for _, m := range d.mounts() {
		if strings.HasPrefix(r.URL.Path, m.Tools+"/") {
			http.StripPrefix(m.Tools, m.handler.DevTools()).ServeHTTP(w, r)
			return
		}
	}
	http.NotFound(w, r)
}

// stream tells one page what happens, at most once in devPace.
func (d *devWatch) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	send := func(name string, v any) {
		if text, err := json.Marshal(v); err == nil {
			fmt.Fprintf(w, "event: %s\ndata: %s\n\n", name, text)
		}
	}
	send("app", struct {
		ID     string      `json:"id"`
		Go     string      `json:"go"`
		Routes []RouteInfo `json:"routes"`
		Mounts []devMount  `json:"mounts"`
	}{d.id, runtime.Version(), d.routes(), d.mounts()})
	var last uint64
	for {
		requests, changed := d.since(last)
		if len(requests) > 0 {
			last = requests[len(requests)-1].Seq
			send("requests", requests)
		}
		if out.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-changed:
		}
		pause := time.NewTimer(devPace)
		select {
		case <-pause.C:
		case <-r.Context().Done():
			pause.Stop()
			return
		}
	}
}

// routes lists the routes, with their files as a person of the application knows them.
func (d *devWatch) routes() []RouteInfo {
	list := d.app.Routes()
	for i := range list {
		list[i].File = shortFile(list[i].File)
	}
	return list
}

// since returns the requests after that number, and what is closed when there are more.
func (d *devWatch) since(number uint64) ([]devRequest, <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fresh := min(int(d.last-number), len(d.ring))
	return append([]devRequest(nil), d.ring[len(d.ring)-fresh:]...), d.changed
}

// watch wraps the answer to a request that is to be remembered when done is called.
func (d *devWatch) watch(w http.ResponseWriter, r *http.Request) (rec *recorder, record *devRequest, done func()) {
	rec = &recorder{ResponseWriter: w}
	begin := time.Now()
	record = &devRequest{At: begin.UnixMilli(), Method: r.Method, URL: cut(r.URL.RequestURI()), From: r.RemoteAddr}
	path := r.URL.Path
	return rec, record, func() {
		record.Status, record.Bytes = cmp.Or(rec.status, http.StatusOK), rec.bytes
		record.Took = float64(time.Since(begin).Microseconds()) / 1000
		record.Error = cut(record.Error)
		if record.Status < 400 && d.looked(path) {
			return // it is shown as what it carries
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.last++
		record.Seq = d.last
		if len(d.ring) >= 2*devRequests {
			d.ring = append(d.ring[:0], d.ring[len(d.ring)-devRequests+1:]...)
		}
		d.ring = append(d.ring, *record)
		close(d.changed)
		d.changed = make(chan struct{})
	}
}

// looked reports whether a path belongs to a mounted handler that can be looked into.
func (d *devWatch) looked(path string) bool {
	for _, m := range d.mounts() {
		for _, pattern := range m.Patterns {
			if strings.HasPrefix(path+"/", strings.TrimSuffix(pattern, "*")) {
				return true
			}
		}
	}
	return false
}

func cut(s string) string {
	if len(s) > devText {
		return s[:devText] + "…"
	}
	return s
}
