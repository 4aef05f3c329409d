package app

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net"
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
	watch *devWatch    // the same
	host  string       // of the development server
	ctx   context.Context
	stop  context.CancelFunc
}

const (
	devVariable  = "ZOCALO_DEV" // host:port of the development server
	devPrefix    = "/_dev/"
	reloadScript = `<script src="/_dev/reload.js" defer></script>`
)

func newDevTools(a *App) *devTools {
	d := &devTools{}
	d.ctx, d.stop = context.WithCancel(context.Background())
	host := os.Getenv(devVariable)
	if host == "" {
		return d
	}
	d.host, d.watch = host, newDevWatch(a)
	d.watch.begin()
	target := &url.URL{Scheme: "http", Host: host}
	d.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
			r.Out.Header.Set("X-Forwarded-For", remoteIP(r.In))
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
	r = r.WithContext(ctx)
	if strings.HasPrefix(r.URL.Path, devAppPath) {
		if d.allowed(w, r) {
			d.watch.ServeHTTP(w, r)
		}
		return true
	}
	d.proxy.ServeHTTP(w, r)
	return true
}

// remoteIP is who is connected with this process, whatever the headers say: other machines may not see everything.
func remoteIP(r *http.Request) string {
	ip, _, _ := net.SplitHostPort(r.RemoteAddr)
	return ip
}

// allowed asks the development server whether it would answer a request: it knows the names of this machine, and
// refuses the pages of others. A refusal is passed on.
func (d *devTools) allowed(w http.ResponseWriter, r *http.Request) bool {
	answer, err := d.ask(r, r.Method, "allowed")
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return false
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusNoContent {
		return true
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, io.LimitReader(answer.Body, 4<<10))
	return false
}

// refusal is why the development server would not answer the one who has sent a request: it is for a name that is not
// this machine's, or of another site's page. Errors, and the source around them, are not for those either. It is empty
// for everybody else.
func (d *devTools) refusal(r *http.Request) string {
	if d == nil || d.proxy == nil {
		return ""
	}
	answer, err := d.ask(r, http.MethodGet, "alive")
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusForbidden {
		return ""
	}
	why, _ := io.ReadAll(io.LimitReader(answer.Body, 4<<10))
	return cmp.Or(strings.TrimSpace(string(why)), "refused")
}

// ask puts a question of our own to the development server, on behalf of who has sent a request.
func (d *devTools) ask(r *http.Request, method, what string) (*http.Response, error) {
	ask, err := http.NewRequestWithContext(r.Context(), method, "http://"+d.host+devPrefix+what, nil)
	if err != nil {
		return nil, err
	}
	ask.Host, ask.Header = r.Host, http.Header{}
	for _, name := range []string{"Origin", "Content-Type", "Sec-Fetch-Site", "Sec-Fetch-Mode", "X-Forwarded-Host"} {
		if values := r.Header[name]; values != nil {
			ask.Header[name] = values
		}
	}
	ask.Header.Set("X-Forwarded-For", remoteIP(r))
	ask.Close = true
	return http.DefaultTransport.RoundTrip(ask)
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
