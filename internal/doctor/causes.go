package doctor

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// elsewhere looks for what answers in the place of a Socket.IO server: one on
// another path, or a plain WebSocket server. f is what long-polling found.
func (s *site) elsewhere(ctx context.Context, f Finding) Finding {
	for _, path := range []string{"/socket.io/", "/ws/socket.io/", "/api/socket.io/", "/realtime/"} {
		if path == s.url.Path {
			continue
		}
		other := *s
		other.url = &url.URL{Scheme: s.url.Scheme, User: s.url.User, Host: s.url.Host, Path: path}
		res, body, err := other.get(ctx, "polling")
		if err != nil {
			continue
		}
		if open, found := polling(res, body); found.State == Good {
			other.end(ctx, open.SID)
			f.Says += ", but there is one at " + path
			f.Cure = fmt.Sprintf("set the client's option path to %q", path)
			return f
		}
	}
	if res, _, err := s.do(ctx, "GET", s.url.String(), true, ""); err == nil && res.StatusCode == http.StatusSwitchingProtocols {
		f.Says = "a plain WebSocket server answers there, which is no Socket.IO server"
		f.Cure = "use the browser's WebSocket with it, or a Socket.IO server"
	}
	return f
}

// session is the URL of a request of a session.
func (s *site) session(sid string) string {
	u := *s.url
	q := u.Query()
	q.Set("EIO", "4")
	q.Set("transport", "polling")
	q.Set("sid", sid)
	u.RawQuery = q.Encode()
	return u.String()
}

// sessions sends requests of one session, each on a connection of its own, as
// browsers may: the servers behind a load balancer have to know it. A pong that
// nobody asked for is allowed and does nothing.
func (s *site) sessions(ctx context.Context, sid string) Finding {
	f := Finding{Check: "sessions", State: Good, Says: "every request reached the session's server"}
	const tries = 6
	lost := 0
	for range tries {
		res, body, err := s.do(ctx, "POST", s.session(sid), false, "3")
		switch {
		case err != nil:
			f.State, f.Says, f.Cure = Poor, err.Error(), "see what closes the connection"
			return f
		case strings.Contains(body, `"code":1`):
			lost++
		case res.StatusCode != 200:
			f.State, f.Says, f.Cure = Poor, fmt.Sprintf("a POST is answered with %s: %.80q", res.Status, body), "let the proxy pass POST requests"
			return f
		}
	}
	s.end(ctx, sid)
	if lost > 0 {
		f.State, f.Says = Bad, fmt.Sprintf("%d of %d requests reached a server that does not know the session", lost, tries)
		f.Cure = "connect the servers by Config.Adapter (docs/scaling.md): a cluster needs no sticky sessions; or make the load balancer sticky (nginx: ip_hash; haproxy: cookie), or let clients use transports: [\"websocket\"] alone"
	}
	return f
}

// end closes a session.
func (s *site) end(ctx context.Context, sid string) {
	_, _, _ = s.do(ctx, "POST", s.session(sid), false, "1") // the server's time-out does it, too
}

// heartbeat judges how long a connection may be silent. Proxies close one after
// 60 seconds unless they are told otherwise.
func heartbeat(open handshake) Finding {
	f := Finding{Check: "heartbeat", State: Good}
	silence := open.PingInterval + open.PingTimeout
	f.Says = fmt.Sprintf("every %g s, and %g s for the answer", float64(open.PingInterval)/1000, float64(open.PingTimeout)/1000)
	switch {
	case silence >= 60_000:
		f.State, f.Cure = Poor, "proxies close what is silent for 60 s: set the proxy's time-out (nginx proxy_read_timeout, httpd ProxyTimeout) above their sum, or make realtime.Config.PingInterval shorter"
	case open.PingTimeout > 0 && open.PingTimeout < 5000:
		f.State, f.Cure = Poor, "a slow upload or a tab in the background takes longer: set realtime.Config.PingTimeout to 20 s"
	}
	return f
}

// payload tells how much a client may send at once.
func payload(open handshake) Finding {
	if open.MaxPayload == 0 {
		return Finding{"payload", Good, "the server does not tell its limit; more than that disconnects a client", ""}
	}
	return Finding{"payload", Good, fmt.Sprintf("at most %d bytes at once; a client that sends more is disconnected (realtime.Config.MaxPayload)", open.MaxPayload), ""}
}

// served judges the client that the server brings along.
func (s *site) served(ctx context.Context) []Finding {
	u := s.url.JoinPath("socket.io.js")
	res, body, err := s.do(ctx, "GET", u.String(), false, "")
	if err != nil {
		return nil
	}
	f := Finding{Check: "client", State: Good, Says: u.Path + " is not served; pages need a client of their own"}
	if res.StatusCode == 200 {
		f.Says = "the server's own, " + u.Path
		if m := banner.FindStringSubmatch(body); m != nil {
			state, says, cure := judgeClient(m[1])
			f.State, f.Says, f.Cure = state, u.Path+" has "+says, cure
			if state != Good {
				f.Cure += "; it may be that of another Socket.IO instance in the process, such as express-status-monitor's"
			}
		}
	}
	return []Finding{f}
}
