package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Limits of the server. There is none on the time that a request or an answer takes: a long poll and a download
// may last. A handler that wants one sets it with http.ResponseController.
const (
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10
)

// Listen serves on addr ("host:port" or ":port") until the process gets SIGINT or SIGTERM, and then stops as
// [App.Serve] does; a second signal ends the process at once. An empty addr is the port of the environment variable
// PORT, or ":8080". With LISTEN_FDS=1 (systemd's socket activation) it serves on the inherited listener instead.
// Where a system cannot hand one over (Windows), ZOCALO_LISTEN is devserver's address for it, which addr gives way to.
//
// With ZOCALO_ROUTES in the environment, which devserver routes sets, it writes what it answers to the file of that
// name and returns nil, without listening; so does [App.Serve].
func (a *App) Listen(addr string) error {
	if asked, err := a.list(); asked {
		return err
	}
	return a.listen(addr, "8080", nil)
}

// listen is Listen, over TLS if there is a configuration for it, on addr or else on a port.
func (a *App) listen(addr, port string, secure *tls.Config) error {
	l, err := listener(addr, port)
	if err != nil {
		return fmt.Errorf("app: listen: %w", err)
	}
	scheme := "http"
	if secure != nil {
		l, scheme = tls.NewListener(l, secure), "https"
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	slog.Info("listening", "url", listenURL(scheme, l.Addr()), "env", map[bool]string{true: "development", false: "production"}[a.options.development])
	return a.Serve(ctx, l)
}

// Serve serves on l, which it closes, until ctx is done. Then it stops in two phases, for which the setting "shutdown
// timeout" is the time:
//
//   - It goes on serving while Drain of every mounted handler that has it runs, all at the same time: a handler tells
//     load balancers there that the process stops, and waits until they may have noticed. Not in development, where
//     the next process waits for the listener.
//   - It accepts no more, lets the requests in progress end and, at the same time, calls Shutdown of every mounted
//     handler that has it. When the time is over it closes what is left.
//
// In production it starts with [App.CheckViews], and does not serve when that fails. It returns nil when everything has
// ended by itself; a Server serves once.
func (a *App) Serve(ctx context.Context, l net.Listener) error {
	if asked, err := a.list(); asked {
		l.Close()
		return err
	}
	a.start()
	if !a.options.development {
		if err := a.CheckViews(); err != nil {
			l.Close()
			return fmt.Errorf("app: serve: %w", err)
		}
	}
	var next *handover
	if a.options.development {
		next = newHandover(mounted[shutdowner](&a.Router, nil))
	}
	open := connections{requests: next != nil}
	server := &http.Server{
		ConnState:         open.track,
		Handler:           a,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	select {
	case err := <-served:
		stopping, cancel := context.WithTimeout(context.Background(), a.options.shutdownTimeout)
		defer cancel()
		return errors.Join(fmt.Errorf("app: serve: %w", err), a.shutdown(stopping, server, &open, next))
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.Background(), a.options.shutdownTimeout)
	defer cancel()
	if !a.options.development {
		a.drain(stopping)
	}
	l.Close() // first of all: another process may hold it, too, and accepts from now on
	<-served
	return a.shutdown(stopping, server, &open, next)
}

// drain calls Drain of the mounted handlers, while they are still served.
func (a *App) drain(ctx context.Context) {
	var handlers sync.WaitGroup
	for _, d := range mounted[drainer](&a.Router, nil) {
		handlers.Go(func() { d.Drain(ctx) })
	}
	handlers.Wait()
}

// shutdown ends the server and the mounted handlers at the same time: http.Server waits for their long polls, which
// they end, and knows nothing of their WebSockets. Connections that were accepted already are served.
func (a *App) shutdown(ctx context.Context, server *http.Server, open *connections, next *handover) error {
	if a.dev != nil {
		a.dev.stop()
	}
	server.SetKeepAlivesEnabled(false)
	enders := mounted[shutdowner](&a.Router, nil)
	errs := make([]error, len(enders)+2)
	var handlers, wg sync.WaitGroup
	for i, s := range enders {
		handlers.Go(func() {
			if err := s.Shutdown(ctx); err != nil {
				errs[i+2] = fmt.Errorf("app: shutdown of %T: %w", s, err)
			}
		})
	}
	wg.Go(func() {
		handlers.Wait()
		if next != nil {
			open.settle(ctx) // what a request in progress emits is for the sessions, too
			errs[1] = next.pass(ctx)
		}
	})
	open.wait(ctx)
	if err := server.Shutdown(ctx); err != nil {
		errs[0] = fmt.Errorf("app: requests were still running after %v: %w", a.options.shutdownTimeout, err)
		server.Close()
	}
	wg.Wait()
	return errors.Join(errs...)
}

// listener is the inherited one, or one on the address of ZOCALO_LISTEN, on addr, or else on the port of PORT or a given
// one.
func listener(addr, port string) (net.Listener, error) {
	if l, err := inherited(); l != nil || err != nil {
		return l, err
	}
	addr = cmp.Or(os.Getenv("ZOCALO_LISTEN"), addr, ":"+cmp.Or(os.Getenv("PORT"), port))
	return net.Listen("tcp", addr)
}

// inherited is the listener at file descriptor 3, if the environment says that there is one for this process.
func inherited() (net.Listener, error) {
	pid := os.Getenv("LISTEN_PID")
	if os.Getenv("LISTEN_FDS") != "1" || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	os.Unsetenv("LISTEN_FDS")
	os.Unsetenv("LISTEN_PID")
	f := os.NewFile(3, "LISTEN_FDS")
	defer f.Close()
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("inherited file descriptor 3 (LISTEN_FDS=1): %w", err)
	}
	return l, nil
}

// listenURL is what a person types to get to the listener.
func listenURL(scheme string, addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return addr.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}
