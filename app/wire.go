package app

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// wire is net/http's ResponseWriter with a memory: the innermost layer of every response. What wraps it, net/http
// middleware and [Response], comes and goes; whether something was sent is known here.
type wire struct {
	http.ResponseWriter
	wrote    atomic.Bool // the final header; http.TimeoutHandler writes it while handlers run
	hijacked bool
	body     *timedBody // of the request, or nil
}

func (w *wire) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		w.wrote.Store(true)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *wire) Write(b []byte) (int, error) {
	if !w.wrote.Load() { // cheaper than to store it again
		w.wrote.Store(true)
	}
	return w.ResponseWriter.Write(b)
}

// ReadFrom keeps sendfile.
func (w *wire) ReadFrom(src io.Reader) (int64, error) {
	w.wrote.Store(true)
	return readFrom(w.ResponseWriter, src)
}

func (w *wire) Flush() { _ = w.FlushError() }

func (w *wire) FlushError() error {
	w.wrote.Store(true)
	return http.NewResponseController(w.ResponseWriter).Flush()
}

func (w *wire) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.wrote.Store(true)
		w.hijacked = true
		w.body.leave()
	}
	return conn, rw, err
}

// SetReadDeadline is for http.ResponseController. The deadline takes the place of that of the setting "body timeout".
func (w *wire) SetReadDeadline(t time.Time) error {
	if w.body != nil {
		return w.body.setDeadline(t)
	}
	return http.NewResponseController(w.ResponseWriter).SetReadDeadline(t)
}

func (w *wire) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func readFrom(w http.ResponseWriter, src io.Reader) (int64, error) {
	if rf, ok := w.(io.ReaderFrom); ok {
		return rf.ReadFrom(src)
	}
	return io.Copy(struct{ io.Writer }{w}, src)
}
