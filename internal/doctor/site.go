package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// maxAnswer is how much of an answer is read, in bytes.
const maxAnswer = 64 << 10

// Site looks at a deployed app as a browser's Socket.IO client would, from a
// page of origin unless that is empty: whether long-polling and, through
// whatever proxies there are, WebSockets arrive, whether all requests of a session
// reach the server that has it, and the other causes of
// https://socket.io/docs/v4/troubleshooting-connection-issues/. The path of base
// is that of the server, /socket.io/ when it has none. It opens two sessions,
// joins no namespace, and closes them.
func Site(ctx context.Context, base, origin string) ([]Finding, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is not the URL of a site, like https://example.com", base)
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/socket.io/"
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true) // an upgrade is a thing of HTTP/1.1
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, Protocols: &protocols, DisableKeepAlives: true}
	s := site{url: u, origin: origin, client: &http.Client{Transport: transport, Timeout: 10 * time.Second}}

	res, body, err := s.get(ctx, "polling")
	if err != nil {
		return []Finding{{"reachable", Bad, err.Error(), "see whether the app runs, and listens on an address that this machine reaches"}}, nil
	}
	open, f := polling(res, body)
	if f.State == Bad {
		f = s.elsewhere(ctx, f)
	}
	findings := []Finding{{"reachable", Good, res.Status, ""}, f}
	if f.State == Good {
		findings = append(findings, s.websocket(ctx), s.sessions(ctx, open.SID), heartbeat(open), payload(open))
	}
	findings = append(findings, clock(res, time.Now()))
	if f.State == Good {
		findings = append(findings, s.served(ctx)...)
	}
	if origin != "" {
		findings = append(findings, s.cors(res))
	}
	return findings, nil
}

// A site is what Site asks.
type site struct {
	url    *url.URL
	origin string
	client *http.Client
}

// get opens a session over a transport.
func (s *site) get(ctx context.Context, transport string) (*http.Response, string, error) {
	u := *s.url
	q := u.Query()
	q.Set("EIO", "4")
	q.Set("transport", transport)
	u.RawQuery = q.Encode()
	return s.do(ctx, "GET", u.String(), transport == "websocket", "")
}

// do sends a request on a connection of its own.
func (s *site) do(ctx context.Context, method, target string, upgrade bool, body string) (*http.Response, string, error) {
	req, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	if body != "" {
		req.Header.Set("Content-Type", "text/plain;charset=UTF-8")
	}
	if s.origin != "" {
		req.Header.Set("Origin", s.origin)
	}
	if upgrade {
		req.Header.Set("Connection", "Upgrade")
		req.Header.Set("Upgrade", "websocket")
		req.Header.Set("Sec-WebSocket-Version", "13")
		req.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==") // that of RFC 6455 §1.3
	}
	res, err := s.client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusSwitchingProtocols {
		return res, "", nil
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	return res, string(text), err
}

// A handshake is what a server says of a new session, in milliseconds and bytes.
type handshake struct {
	SID          string   `json:"sid"`
	Upgrades     []string `json:"upgrades"`
	PingInterval int      `json:"pingInterval"`
	PingTimeout  int      `json:"pingTimeout"`
	MaxPayload   int      `json:"maxPayload"`
}

// polling judges the answer to a handshake, "0" and JSON (Engine.IO protocol 4).
func polling(res *http.Response, body string) (open handshake, f Finding) {
	f.Check = "long-polling"
	text, ok := strings.CutPrefix(body, "0")
	switch err := json.Unmarshal([]byte(text), &open); {
	case res.StatusCode == 404:
		f.State, f.Says, f.Cure = Bad, "there is no Socket.IO server at "+res.Request.URL.Path, "mount it there, or give its path in the URL (and in the client's option path; io(\"/path\") would name a namespace)"
	case res.StatusCode == 200 && ok && err == nil && open.SID != "":
		f.State, f.Says = Good, "a session was opened"
	case oldServer.MatchString(body):
		f.State, f.Says, f.Cure = Bad, "the server is of version 1 or 2", "use a client of version 2, or update the server"
	case strings.Contains(body, `"code":5`):
		f.State, f.Says, f.Cure = Bad, "the server speaks another version of the protocol", "a client of version 3 or 4 needs a server of version 3 or 4; realtime.Config.AllowEIO3 takes clients of version 2"
	case res.StatusCode == 403:
		f.State, f.Says, f.Cure = Bad, fmt.Sprintf("refused: %.80q", body), "see what the server's own check of requests, or a proxy, does not like"
	default:
		f.State, f.Says, f.Cure = Bad, fmt.Sprintf("%s: %.80q is no handshake", res.Status, body), "see who answers there: a proxy, a page for whatever is not found?"
	}
	return open, f
}

// oldServer begins a handshake of protocol 3: the length, then the packet.
var oldServer = regexp.MustCompile(`^\d+:0\{`)

// websocket checks that an upgrade gets through.
func (s *site) websocket(ctx context.Context) Finding {
	f := Finding{Check: "WebSocket", State: Good, Says: "the upgrade gets through"}
	res, body, err := s.get(ctx, "websocket")
	const proxy = "let the proxy pass upgrades; nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\";"
	switch {
	case err != nil:
		f.State, f.Says, f.Cure = Poor, "no answer: "+err.Error(), proxy
	case res.StatusCode == 403:
		f.State, f.Says, f.Cure = Poor, fmt.Sprintf("refused: %.80q", body), "allow the origin in realtime.Config"
	case res.StatusCode != http.StatusSwitchingProtocols:
		f.State, f.Says, f.Cure = Poor, "answered with "+res.Status+", so clients stay with long-polling", proxy
	}
	return f
}

// clock compares the server's time with ours.
func clock(res *http.Response, now time.Time) Finding {
	f := Finding{Check: "clock", State: Good, Says: "the server's and ours agree"}
	date, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		f.Says = "the server does not tell its time"
	} else if off := now.Sub(date).Round(time.Second).Abs(); off > time.Minute {
		f.State, f.Says, f.Cure = Poor, fmt.Sprintf("the server's and ours differ by %s", off), "let both machines synchronize their clocks (timedatectl set-ntp true)"
	}
	return f
}

// cors judges whether a page of the origin may read the answers.
func (s *site) cors(res *http.Response) Finding {
	f := Finding{Check: "CORS", State: Good, Says: s.origin + " is allowed"}
	u, err := url.Parse(s.origin)
	allowed := res.Header.Get("Access-Control-Allow-Origin")
	if err == nil && u.Scheme == s.url.Scheme && u.Host == s.url.Host {
		f.Says = s.origin + " is the site's own origin"
	} else if allowed != "*" && allowed != s.origin {
		f.State, f.Says = Bad, fmt.Sprintf("a page of %s may not read the answers", s.origin)
		f.Cure = "allow the origin in realtime.Config, exactly as it is here, without a slash at its end"
	}
	return f
}
