package app_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zocalo-go/zocalo/app"
)

// pipeListener is a listener in memory, for a synctest bubble.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

func (l *pipeListener) client() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			select {
			case l.conns <- server:
				return client, nil
			case <-l.closed:
				return nil, net.ErrClosed
			}
		},
	}}
}

type drained struct {
	http.Handler
	stopped chan struct{}
	err     error
}

func (d *drained) Shutdown(ctx context.Context) error {
	close(d.stopped)
	return d.err
}

// A request in progress ends only because the mounted handler is shut down: both happen at the same time.
func TestServeDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		poll := &drained{stopped: make(chan struct{})}
		poll.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-poll.stopped
			io.WriteString(w, "bye")
		})
		nested := app.NewRouter()
		nested.Mount("/poll", poll)
		server := app.New()
		server.Use("/in", nested)
		server.Mount("/again", poll)

		l := newPipeListener()
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- server.Serve(ctx, l) }()
		answer := make(chan string, 1)
		go func() {
			r, err := l.client().Get("http://x/in/poll")
			if err != nil {
				answer <- err.Error()
				return
			}
			defer r.Body.Close()
			b, _ := io.ReadAll(r.Body)
			answer <- string(b)
		}()
		synctest.Wait()
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if got := <-answer; got != "bye" {
			t.Errorf("the poll got %q", got)
		}
	})
}

// lame is a mounted handler that has to be served until its load balancers know that it stops.
type lame struct {
	drained
	draining chan struct{} // closed when it drains
	patience time.Duration
}

func (h *lame) Drain(ctx context.Context) {
	close(h.draining)
	select {
	case <-time.After(h.patience):
	case <-ctx.Done():
	}
}

// While a mounted handler drains, in production, clients that come are served still; Shutdown follows, once.
func TestServeGoesOnWhileHandlersDrain(t *testing.T) {
	for _, c := range []struct {
		env            string
		patience, took time.Duration
	}{
		{"production", 5 * time.Second, 5 * time.Second},
		{"production", time.Hour, time.Minute}, // the time for all of it ends
		{"development", time.Hour, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := &lame{draining: make(chan struct{}), patience: c.patience}
			h.stopped = make(chan struct{})
			h.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "served") })
			server := app.New()
			server.Set("env", c.env)
			server.Set("shutdown timeout", time.Minute)
			nested := app.NewRouter()
			nested.Mount("/there", h)
			server.Use("/in", nested)
			server.Mount("/here", h)

			l := newPipeListener()
			ctx, cancel := context.WithCancel(t.Context())
			served := make(chan error, 1)
			go func() { served <- server.Serve(ctx, l) }()
			synctest.Wait()
			start := time.Now()
			cancel()
			if c.env == "production" {
				<-h.draining
				res, err := l.client().Get("http://x/in/there")
				if err != nil {
					t.Fatalf("who comes while a handler drains: %v", err)
				}
				res.Body.Close()
				select {
				case <-h.stopped:
					t.Error("Shutdown was called before Drain had returned")
				default:
				}
			}
			if err := <-served; err != nil {
				t.Errorf("Serve: %v", err)
			}
			if took := time.Since(start); took != c.took {
				t.Errorf("%s, a handler that takes %v: Serve took %v, want %v", c.env, c.patience, took, c.took)
			}
			if _, err := l.client().Get("http://x/here"); err == nil {
				t.Error("who comes after that is served")
			}
			<-h.stopped
		})
	}
}

func TestServeClosesWhatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := app.New()
		server.Set("shutdown timeout", time.Minute)
		server.Get("/", func(req *app.Request, res *app.Response) error {
			<-req.Context().Done()
			return nil
		})
		l := newPipeListener()
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- server.Serve(ctx, l) }()
		failed := make(chan error, 1)
		go func() {
			_, err := l.client().Get("http://x/")
			failed <- err
		}()
		synctest.Wait()
		cancel()
		start := time.Now()
		if err := <-served; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Serve: %v", err)
		}
		if took := time.Since(start); took != time.Minute {
			t.Errorf("it took %v", took)
		}
		if err := <-failed; err == nil {
			t.Error("the request was answered")
		}
	})
}

func TestServeReportsWhatShutdownReports(t *testing.T) {
	failure := errors.New("three sockets are stuck")
	server := app.New()
	server.Mount("/s", &drained{Handler: http.NotFoundHandler(), stopped: make(chan struct{}), err: failure})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l := httptest.NewUnstartedServer(nil).Listener
	if err := server.Serve(ctx, l); !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
}

func TestListenRefusesATakenPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := app.New().Listen(l.Addr().String()); err == nil || !strings.HasPrefix(err.Error(), "app: listen: ") {
		t.Errorf("got %v", err)
	}
	t.Setenv("ZOCALO_LISTEN", l.Addr().String())
	if err := app.New().Listen("256.256.256.256:1"); err == nil || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("with another address in ZOCALO_LISTEN: %v", err)
	}
}

// TestListenInAProcess runs Listen in a process of its own: on an inherited listener, and on the port of PORT,
// until SIGINT.
func TestListenInAProcess(t *testing.T) {
	if os.Getenv("APP_TEST_LISTEN") != "" {
		slog.SetDefault(slog.New(slog.NewTextHandler(os.Stdout, nil)))
		server := app.New()
		server.Get("/", text("served"))
		if err := server.Listen(""); err != nil {
			os.Stdout.WriteString(err.Error())
			os.Exit(1)
		}
		if os.Getenv("LISTEN_FDS") != "" {
			os.Stdout.WriteString("LISTEN_FDS is still set")
			os.Exit(1)
		}
		os.Exit(0)
	}
	for _, how := range []string{"LISTEN_FDS=1", "PORT=0"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(os.Args[0], "-test.run=^TestListenInAProcess$")
		cmd.Env = append(os.Environ(), "APP_TEST_LISTEN=1", how)
		url := "http://" + l.Addr().String()
		if how == "LISTEN_FDS=1" {
			f, err := l.(*net.TCPListener).File()
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			cmd.ExtraFiles = []*os.File{f}
		}
		l.Close()
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, _ := bufio.NewReader(stdout).ReadString('\n')
		_, printed, ok := strings.Cut(line, "url=")
		if !ok {
			t.Fatalf("%s: it printed %q %s", how, line, &stderr)
		}
		if how == "PORT=0" {
			url = strings.Fields(printed)[0]
		}
		r, err := http.Get(url)
		if err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		b, _ := io.ReadAll(r.Body)
		r.Body.Close()
		http.DefaultClient.CloseIdleConnections()
		if string(b) != "served" {
			t.Errorf("%s: got %q", how, b)
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: it ended with %v", how, err)
		}
	}
}
