package engineio

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CORS says which pages of other origins may connect. The zero value allows
// none. The rule holds for long-polling, by headers on every answer, errors
// included, and for WebSockets, by their Origin, which browsers do not check
// themselves.
type CORS struct {
	// Origins lists allowed origins, such as "https://example.com"; "*" stands
	// for every one.
	Origins []string

	// Allow decides about an origin that Origins does not list. Optional.
	Allow func(origin string) bool

	// Methods lists the request methods a page may use, as a preflight is told.
	// Empty stands for GET, HEAD, PUT, PATCH, POST and DELETE.
	Methods []string

	// Credentials lets pages send cookies. With it, "*" is answered with the
	// page's own origin, as browsers demand.
	Credentials bool

	// Headers lists the request headers a page may send; empty allows those it
	// asks for.
	Headers []string

	// ExposedHeaders lists the response headers a page may read.
	ExposedHeaders []string

	// MaxAge is how long a browser may remember the answer to a preflight.
	MaxAge time.Duration
}

func (c *CORS) enabled() bool { return len(c.Origins) > 0 || c.Allow != nil }

func (c *CORS) allowed(origin string) bool {
	return slices.Contains(c.Origins, "*") || slices.Contains(c.Origins, origin) || c.Allow != nil && c.Allow(origin)
}

// allowsSocket reports whether the page that opens a WebSocket may: it is of
// the same host, of an allowed origin, or no page at all.
func (c *CORS) allowsSocket(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || c.allowed(origin) {
		return true
	}
	_, host, found := strings.Cut(origin, "://")
	return found && strings.EqualFold(host, r.Host)
}

// Apply sets the headers of the answer to r and reports whether r was a
// preflight, which is answered then.
func (c *CORS) Apply(w http.ResponseWriter, r *http.Request) (done bool) {
	if !c.set(w.Header(), r) {
		return false
	}
	w.WriteHeader(http.StatusNoContent)
	return true
}

// set sets the headers of the answer to r and reports whether r is a preflight.
func (c *CORS) set(h http.Header, r *http.Request) (preflight bool) {
	if !c.enabled() {
		return false
	}
	origin := r.Header.Get("Origin")
	anyOrigin := slices.Contains(c.Origins, "*") && !c.Credentials
	if anyOrigin {
		h.Set("Access-Control-Allow-Origin", "*")
	} else {
		h.Add("Vary", "Origin")
		if origin != "" && c.allowed(origin) {
			h.Set("Access-Control-Allow-Origin", origin)
		}
	}
	if c.Credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	if len(c.ExposedHeaders) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(c.ExposedHeaders, ","))
	}
	if r.Method != http.MethodOptions {
		return false
	}
	methods := "GET,HEAD,PUT,PATCH,POST,DELETE"
	if len(c.Methods) > 0 {
		methods = strings.Join(c.Methods, ",")
	}
	h.Set("Access-Control-Allow-Methods", methods)
	if len(c.Headers) > 0 {
		h.Set("Access-Control-Allow-Headers", strings.Join(c.Headers, ","))
	} else {
		h.Add("Vary", "Access-Control-Request-Headers")
		if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
			h.Set("Access-Control-Allow-Headers", asked)
		}
	}
	if c.MaxAge > 0 {
		h.Set("Access-Control-Max-Age", strconv.Itoa(int(c.MaxAge/time.Second)))
	}
	h.Set("Content-Length", "0")
	return true
}
