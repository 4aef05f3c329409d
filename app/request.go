package app

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A Request is an *http.Request with what Express adds to it. It is valid until the handlers of the request have
// returned.
type Request struct {
	*http.Request
	x    *exchange
	body requestBody

	query   *Object // parsed when first asked for
	queryOf string  // the raw query that it was parsed from
}

// App is the application whose handler runs: a mounted one in its own handlers.
func (r *Request) App() *App { return r.x.app }

// Response is the answer to this request.
func (r *Request) Response() *Response { return &r.x.res }

// Param is the decoded value of a parameter of the path, "" if there is none. A wildcard's has its slashes.
func (r *Request) Param(name string) string {
	for i := len(r.x.params) - 1; i >= 0; i-- {
		if p := r.x.params[i]; p.name == name {
			return p.text()
		}
	}
	return ""
}

// Params are the parameters of the path that are visible here, by name.
func (r *Request) Params() map[string]string {
	m := make(map[string]string, len(r.x.params))
	for _, p := range r.x.params {
		m[p.name] = p.text()
	}
	return m
}

// Segments is the value of a wildcard segment by segment, each decoded: for /files/*path and /files/a%2Fb/c it is
// "a/b" and "c". It is nil for anything else.
func (r *Request) Segments(name string) []string {
	for i := len(r.x.params) - 1; i >= 0; i-- {
		if p := r.x.params[i]; p.name == name && p.wildcard {
			segments := strings.Split(p.value, "/")
			for i, s := range segments {
				if decoded, err := url.PathUnescape(s); err == nil {
					segments[i] = decoded
				}
			}
			return segments
		}
	}
	return nil
}

// Get is the first value of a header, "" if there is none. "Referer" and "Referrer" are the same.
func (r *Request) Get(header string) string {
	if strings.EqualFold(header, "Referrer") || strings.EqualFold(header, "Referer") {
		if value := r.Header.Get("Referrer"); value != "" {
			return value
		}
		header = "Referer"
	}
	if strings.EqualFold(header, "Host") {
		return r.Host
	}
	return r.Header.Get(header)
}

// OriginalURL is the path and the query as the client sent them.
func (r *Request) OriginalURL() string {
	if r.RequestURI != "" {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}

// BaseURL is the part of the path that the prefixes of mounted routers have taken, as the client wrote it; "" at the
// top. It does not end with a slash; BaseURL followed by Path is the whole path.
func (r *Request) BaseURL() string {
	base := r.x.full[:r.x.base]
	for _, f := range slices.Backward(r.x.frames) {
		// A slash at the end of one prefix stands before the slash of the next: for //a below "/{:x}" the base is /a.
		if n := f.base; 0 < n && n < len(base) && base[n-1] == '/' && base[n] == '/' {
			base = base[:n-1] + base[n:]
		}
	}
	return strings.TrimSuffix(base, "/")
}

// Path is the path below the prefix of the running router or middleware, as the client wrote it. URL.Path is the
// whole path, decoded; a handler that changes it before it passes the request on sends it to the routes of another path,
// as one that changes Method does to those of another method.
func (r *Request) Path() string { return r.x.path }

// Route is the path of the route that ran last, as it was registered: in its handlers their own, in middleware behind
// its Next the one that has answered. It is "" before any has run.
func (r *Request) Route() string {
	if r.x.lastRoute == nil {
		return ""
	}
	return strings.Join(r.x.lastRoute.paths, ", ")
}

// XHR reports whether the header X-Requested-With is XMLHttpRequest.
func (r *Request) XHR() bool { return strings.EqualFold(r.Get("X-Requested-With"), "XMLHttpRequest") }

// IP is the address of the client without its port. Behind proxies that the setting "trust proxy" names it is the
// address that the last of them saw, from X-Forwarded-For; without the setting that header is not looked at.
func (r *Request) IP() string {
	chain := r.forwarded()
	return chain[len(chain)-1]
}

// IPs are the addresses of X-Forwarded-For that the setting "trust proxy" trusts and the client's, client first;
// nil if there are none.
func (r *Request) IPs() []string {
	chain := r.forwarded()
	ips := make([]string, 0, len(chain))
	for i := len(chain) - 1; i > 0; i-- {
		ips = append(ips, chain[i])
	}
	return ips
}

// remoteIP is the address of the other end of the connection.
func (r *Request) remoteIP() string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return strings.TrimPrefix(host, "::ffff:")
}

// Protocol is "https" or "http"; behind a trusted proxy what X-Forwarded-Proto says.
func (r *Request) Protocol() string {
	protocol := "http"
	if r.TLS != nil {
		protocol = "https"
	}
	if trust := r.x.app.options.trustProxy; trust != nil && trust(r.remoteIP(), 0) {
		if list := r.Header.Get("X-Forwarded-Proto"); list != "" {
			first, _, _ := strings.Cut(list, ",")
			return strings.TrimSpace(first)
		}
	}
	return protocol
}

// Secure reports whether Protocol is https.
func (r *Request) Secure() bool { return r.Protocol() == "https" }

// HostPort is the host of the request with its port, if it has one; behind a trusted proxy what X-Forwarded-Host
// says. The field Host is what the client or the proxy sent.
func (r *Request) HostPort() string {
	if trust := r.x.app.options.trustProxy; trust != nil && trust(r.remoteIP(), 0) {
		if list := r.Header.Get("X-Forwarded-Host"); list != "" {
			first, _, _ := strings.Cut(list, ",")
			return strings.TrimSpace(first)
		}
	}
	return r.Host
}

// Hostname is HostPort without the port.
func (r *Request) Hostname() string {
	host := r.HostPort()
	offset := 0
	if strings.HasPrefix(host, "[") {
		offset = strings.IndexByte(host, ']') + 1
	}
	if i := strings.IndexByte(host[offset:], ':'); i >= 0 {
		return host[:offset+i]
	}
	return host
}

// Subdomains are the parts of Hostname before the last ones, which the setting "subdomain offset" counts, last first:
// "ferrets", "tobi" for tobi.ferrets.example.com. An address has none.
func (r *Request) Subdomains() []string {
	host := r.Hostname()
	if host == "" {
		return nil
	}
	parts := []string{host}
	if net.ParseIP(strings.Trim(host, "[]")) == nil {
		parts = strings.Split(host, ".")
	}
	var subdomains []string
	for i := len(parts) - 1 - r.x.app.options.subdomainOffset; i >= 0; i-- {
		subdomains = append(subdomains, parts[i])
	}
	return subdomains
}
