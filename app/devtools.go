package app

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
)

// devTools connect an application in development with the development server that runs it (ZOCALO_DEV): everything
// below /_dev/ goes there, and pages get its script, which reloads them after a change.
type devTools struct {
	proxy http.Handler // nil without a development server
	ctx   context.Context
	stop  context.CancelFunc
}

const (
	devPrefix    = "/_dev/"
	reloadScript = `<script src="/_dev/reload.js" defer></script>`
)

func newDevTools() *devTools {
	d := &devTools{}
	d.ctx, d.stop = context.WithCancel(context.Background())
	host := os.Getenv("ZOCALO_DEV")
	if host == "" {
		return d
	}
	target := &url.URL{Scheme: "http", Host: host}
	d.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
		},
		FlushInterval: -1,
		// The development server has gone, or the application stops: the script tries again.
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	return d
}

// serve answers what is the development server's. Its held streams end when the application stops.
func (d *devTools) serve(w http.ResponseWriter, r *http.Request) (served bool) {
	if d.proxy == nil || !strings.HasPrefix(r.URL.Path, devPrefix) {
		return false
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(d.ctx, cancel)()
	defer func() {
		// The proxy gives up on a stream by panicking; a stream that ends is nothing to report.
		if v := recover(); v != nil && v != http.ErrAbortHandler {
			panic(v)
		}
		served = true
	}()
	d.proxy.ServeHTTP(w, r.WithContext(ctx))
	return true
}

// inject puts the script before the end of the body of an HTML document.
func (d *devTools) inject(page []byte) []byte {
	if d.proxy == nil {
		return page
	}
	i := bytes.LastIndex(page, []byte("</body>"))
	if i < 0 {
		return page
	}
	out := make([]byte, 0, len(page)+len(reloadScript))
	out = append(append(out, page[:i]...), reloadScript...)
	return append(out, page[i:]...)
}
