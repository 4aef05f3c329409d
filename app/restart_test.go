//go:build unix

package app_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zocalo-go/zocalo/app"
)

// A diary is a handler whose clients can resume at the next process; its sessions are what was asked for.
type diary struct {
	mu      sync.Mutex
	entries []string
	shut    bool
	saved   time.Time
}

func (d *diary) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Has("slow") {
		time.Sleep(200 * time.Millisecond)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.shut {
		w.Header().Set("Early", "yes")
	}
	d.entries = append(d.entries, r.URL.Path)
}

func (d *diary) Shutdown(context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shut = true
	return nil
}

func (d *diary) Recovers() bool               { return true }
func (d *diary) LoadSessions(io.Reader) error { return nil }

func (d *diary) SaveSessions(w io.Writer) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.saved = time.Now()
	_, err := io.WriteString(w, strconv.Quote(strings.Join(d.entries, " ")))
	return err
}

// What a request does that is in progress when a process of development stops, or on its way, its successor knows, too,
// which waits for nothing that has not begun.
func TestRestartWaitsForRequests(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	fd, err := syscall.Dup(int(w.Fd()))
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("ZOCALO_SUCCESSOR", strconv.Itoa(fd))
	synctest.Test(t, func(t *testing.T) {
		server := app.New()
		server.Set("env", "development")
		sessions := &diary{}
		server.Mount("/", sessions)
		l := newPipeListener()
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- server.Serve(ctx, l) }()

		dial := func() net.Conn {
			client, conn := net.Pipe()
			l.conns <- conn
			t.Cleanup(func() { client.Close() })
			return client
		}
		ask := func(conn net.Conn, path string) {
			io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
			answer, err := io.ReadAll(conn)
			if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200") || strings.Contains(string(answer), "Early") {
				t.Errorf("%s: %v %s", path, err, answer)
			}
		}
		slow, late := dial(), dial()
		dial() // and has no use for it
		var asked sync.WaitGroup
		asked.Go(func() { ask(slow, "/slow?slow") })
		synctest.Wait()
		start := time.Now()
		cancel()
		asked.Go(func() {
			time.Sleep(20 * time.Millisecond)
			ask(late, "/late")
		})
		asked.Wait()
		if err := <-served; err != nil {
			t.Error(err)
		}
		told, err := io.ReadAll(r)
		if err != nil || string(told) != `["/late /slow"]` {
			t.Errorf("the successor is told %s %v", told, err)
		}
		if took := sessions.saved.Sub(start); took != 200*time.Millisecond {
			t.Errorf("it is told after %v", took)
		}
	})
}
