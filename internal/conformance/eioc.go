package conformance

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
)

// eioc greets and sends messages back, but for three words it has its own answers to. It refuses handshakes with "deny"
// in the query, and sets four cookies with the first answer.
func eioc(env Env) http.Handler {
	var posted postedHeaders
	engine := realtime.NewEngine(realtime.Config{
		Path:         "/engine.io/",
		PingInterval: env.milliseconds("PING_INTERVAL", 500),
		MaxPayload:   100,
		CORS:         realtime.CORS{Origins: []string{"*"}},
		AllowRequest: func(r *http.Request) error {
			if r.URL.Query().Has("deny") {
				return errors.New("Forbidden")
			}
			return nil
		},
	}, func(conn *realtime.Conn) {
		conn.OnClose(func(string) { posted.forget(conn.ID()) })
		conn.OnMessage(func(data []byte, binary bool) {
			switch string(data) {
			case "give binary":
				conn.SendBinary([]byte{0, 1, 2, 3, 4})
			case "give utf8":
				conn.Send("пойду спать всем спокойной ночи")
			case "sendHeaders":
				conn.Send(posted.json(conn.ID()))
			default:
				reply(conn, data, binary)
			}
		})
		conn.Send("hi")
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sid := r.URL.Query().Get("sid")
		if sid == "" {
			cookies := []string{
				"1=1; Max-Age=86400",
				"2=2; Path=/; HttpOnly; Secure; SameSite=Strict",
				"3=3; Max-Age=0",
				"4=4; Expires=" + time.Now().UTC().Format(http.TimeFormat),
			}
			for _, cookie := range cookies {
				w.Header().Add("Set-Cookie", cookie)
			}
		} else if r.Method == http.MethodPost {
			posted.remember(sid, r.Header)
		}
		engine.ServeHTTP(w, r)
	})
}

// postedHeaders keeps the headers of each session's last POST: the one that carries the message being handled, since
// a session's POSTs do not overlap.
type postedHeaders struct {
	mu   sync.Mutex
	last map[string]http.Header
}

func (p *postedHeaders) remember(sid string, header http.Header) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last == nil {
		p.last = map[string]http.Header{}
	}
	p.last[sid] = header.Clone()
}

func (p *postedHeaders) forget(sid string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.last, sid)
}

// json writes the headers as Node shows them: names in lower case, values as strings.
func (p *postedHeaders) json(sid string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	plain := map[string]string{}
	for name, values := range p.last[sid] {
		plain[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	text, err := json.Marshal(plain)
	if err != nil {
		return "{}"
	}
	return string(text)
}
