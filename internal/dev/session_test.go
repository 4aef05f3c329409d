package dev_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/internal/dev"
)

// session is a Run of a copy of testdata/app.
type session struct {
	t      *testing.T
	dir    string
	url    string
	events chan dev.Event
	output *output
	stop   func()
}

// output collects what the app prints and hands out its lines.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

func run(t *testing.T, prepare func(dir string)) *session {
	t.Helper()
	return runWith(t, prepare, func(*dev.Config) {})
}

// runWith is run with another configuration.
func runWith(t *testing.T, prepare func(dir string), configure func(*dev.Config)) *session {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/app")); err != nil {
		t.Fatal(err)
	}
	if prepare != nil {
		prepare(dir)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &session{t: t, dir: dir, url: "http://" + ln.Addr().String(), events: make(chan dev.Event, 100), output: &output{}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	config := dev.Config{
		Dir:      dir,
		Listener: ln.(*net.TCPListener),
		Host:     "plaza.example",
		Grace:    time.Second,
		Stdout:   s.output,
		Stderr:   s.output,
		Report:   func(e dev.Event) { s.events <- e },
	}
	configure(&config)
	go func() { done <- dev.Run(ctx, config) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(s.stop)
	return s
}

// await returns the next event of a kind; others may come before.
func (s *session) await(kind dev.Kind) dev.Event {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Minute)
	defer cancel()
	for {
		select {
		case e := <-s.events:
			if e.Kind == kind {
				return e
			}
			if e.Problem != nil {
				s.t.Logf("meanwhile: %s", e.Problem.Text())
			}
		case <-ctx.Done():
			s.t.Fatalf("no event of kind %d; the app printed:\n%s", kind, s.output)
		}
	}
}

// edit replaces text in a file of the app, as editors do: by renaming.
func (s *session) edit(name, old, new string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	text, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	if !bytes.Contains(text, []byte(old)) {
		s.t.Fatalf("%s has no %q", name, old)
	}
	s.write(name, strings.Replace(string(text), old, new, 1))
}

func (s *session) read(name string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

func (s *session) write(name, text string) {
	s.t.Helper()
	temp := filepath.Join(s.dir, ".edit.tmp")
	if err := os.WriteFile(temp, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(temp, filepath.Join(s.dir, name)); err != nil {
		s.t.Fatal(err)
	}
}

// get asks on a new connection.
func (s *session) get(path string, header ...string) (int, string) {
	s.t.Helper()
	status, body, err := s.try(path, header...)
	if err != nil {
		s.t.Fatal(err)
	}
	return status, body
}

func (s *session) try(path string, header ...string) (int, string, error) {
	req, err := http.NewRequest("GET", s.url+path, nil)
	if err != nil {
		return 0, "", err
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
		req.Header.Set(header[i], header[i+1])
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res.StatusCode, string(body), err
}

// stream opens the events as a page does. next returns "name data", or "" at
// the end.
func (s *session) stream() (next func() string) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, "GET", s.url+"/_dev/events", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	if got := res.Header.Get("Content-Type"); got != "text/event-stream" {
		s.t.Fatalf("content type %q", got)
	}
	s.t.Cleanup(func() { res.Body.Close() })
	lines := bufio.NewScanner(res.Body)
	return func() string {
		var name string
		for lines.Scan() {
			if v, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				name = v
			}
			if v, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				return name + " " + v
			}
		}
		return ""
	}
}

func (s *session) want(path, body string) {
	s.t.Helper()
	if status, got := s.get(path); status != 200 || got != body {
		s.t.Fatalf("GET %s: %d %q, want 200 %q", path, status, got, body)
	}
}

// running reports whether a process exists and is no zombie.
func running(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z") && !strings.HasPrefix(state, "X")
}
