package engineio

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What a session's first answer has beside the handshake, by either transport.
func TestInitialAnswer(t *testing.T) {
	initial := Text([]byte("welcome"))
	config := Config{
		Cookie:        &http.Cookie{MaxAge: 60},
		InitialPacket: &initial,
		InitialHeaders: func(h http.Header, r *http.Request) {
			h.Add("Set-Cookie", "a=1")
			h.Add("Set-Cookie", "b=2")
		},
		Headers: func(h http.Header, r *http.Request) { h.Set("X-Method", r.Method) },
		CORS:    CORS{Origins: []string{"*"}, Methods: []string{"GET", "POST"}},
	}
	inWorlds(t, config, func(w *world) {
		res := w.get(base + Polling)
		id := sid(t, res.body)
		if _, rest, _ := strings.Cut(res.body, "\x1e"); rest != "4welcome" {
			t.Errorf("polling: %q", res.body)
		}
		want := []string{"io=" + id + "; Path=/; Max-Age=60; HttpOnly; SameSite=Lax", "a=1", "b=2"}
		if got := res.Header["Set-Cookie"]; !slices.Equal(got, want) {
			t.Errorf("polling: cookies %q, want %q", got, want)
		}
		url := base + Polling + "&sid=" + id
		for _, later := range []reply{w.post(url, "4hello"), w.get(url), w.get(base), w.do("OPTIONS", url, "")} {
			if len(later.Header["Set-Cookie"]) != 0 || later.Header.Get("X-Method") != later.Request.Method {
				t.Errorf("%s %d: headers %v", later.Request.Method, later.StatusCode, later.Header)
			}
		}
		if got := w.do("OPTIONS", url, "").Header.Get("Access-Control-Allow-Methods"); got != "GET,POST" {
			t.Errorf("methods %q", got)
		}

		ws, handshake := w.dial(base + WebSocket)
		defer ws.CloseNow()
		if got := handshake.Header["Set-Cookie"]; !slices.Equal(got, want[1:]) || handshake.Header.Get("X-Method") != "GET" {
			t.Errorf("websocket: headers %v", handshake.Header)
		}
		w.read(ws)
		expect(t, w.read(ws), "4welcome")
	})
}

func TestCookie(t *testing.T) {
	template := &http.Cookie{Name: "sticky", Path: "/chat", SameSite: http.SameSiteNoneMode, Secure: true}
	inWorlds(t, Config{Cookie: template}, func(w *world) {
		res := w.get(base + Polling)
		want := "sticky=" + sid(t, res.body) + "; Path=/chat; HttpOnly; Secure; SameSite=None"
		expect(t, res.Header.Get("Set-Cookie"), want)
		expect(t, template.Value, "")
	})
}

func TestGenerateID(t *testing.T) {
	const refusal = `{"code":3,"message":"Bad request"}`
	config := Config{GenerateID: func(r *http.Request) (string, error) {
		id := r.URL.Query().Get("id")
		if id == "fail" {
			return "", errors.New("no id today")
		}
		return id, nil
	}}
	inWorld(t, config, func(w *world) {
		expect(t, sid(t, w.get(base+Polling+"&id=one").body), "one")
		for _, id := range []string{"one", "fail", ""} {
			for _, headers := range [][]string{nil, {"Connection", "Upgrade", "Upgrade", "websocket"}} {
				transport := Polling
				if headers != nil {
					transport = WebSocket
				}
				got := w.do("GET", base+transport+"&id="+id, "", headers...)
				if got.StatusCode != 400 || got.body != refusal {
					t.Errorf("%s, id %q: %d %s", transport, id, got.StatusCode, got.body)
				}
			}
		}
		// An id whose WebSocket did not come about is free again.
		w.do("GET", base+WebSocket+"&id=two", "", "Connection", "Upgrade", "Upgrade", "websocket")
		expect(t, sid(t, w.get(base+Polling+"&id=two").body), "two")
	})
}

func TestOnRefused(t *testing.T) {
	var got []string
	config := Config{
		OnRefused: func(r *http.Request, code int, message string) {
			got = append(got, fmt.Sprint(r.Method, code, message))
		},
		AllowRequest: func(*http.Request) error { return errors.New("not you") },
	}
	inWorld(t, config, func(w *world) {
		w.get(base)
		w.get(base + Polling + "&sid=none")
		w.do("GET", base+WebSocket+"&sid=none", "", "Connection", "Upgrade", "Upgrade", "websocket")
		w.post(base+Polling, "")
		w.get(base + WebSocket)
		w.get(base + Polling)
		want := []string{"GET0Transport unknown", "GET1Session ID unknown", "GET1Session ID unknown", "POST2Bad handshake method",
			"GET3Bad request", "GET4not you"}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		for code, n := range map[string]int64{"0": 1, "1": 2, "2": 1, "3": 1, "4": 1, "5": 0} {
			if got := w.tally.of(MetricRefusals + " " + code); got != n {
				t.Errorf("%d refusals with code %s, want %d", got, code, n)
			}
		}
	})
}

// A client of another version is told both.
func TestWrongVersion(t *testing.T) {
	inWorlds(t, Config{}, func(w *world) {
		for asked, want := range map[string]string{
			"EIO=3": "client=3, server=4", "EIO=5": "client=5, server=4",
			"": "client=unknown, server=4", "EIO=4%0d%0ax": "client=unknown, server=4",
		} {
			got := w.get("http://test/?transport=polling&" + asked)
			expect(t, got.body, `{"code":5,"message":"Unsupported protocol version"}`)
			expect(t, got.Header.Get(versionHeader), want)
		}
	})
}

func TestHandlerIsTold(t *testing.T) {
	inWorlds(t, Config{}, func(w *world) {
		url, p := w.open()
		p.expect(t)
		p.Send(text("a"))
		p.Send(text("b"))
		w.poll(url, "4a 4b")
		p.expect(t, "drained")
		w.post(url, "3") // nobody asked for it
		p.expect(t)
		w.poll(url, "2")
		p.expect(t, "drained")
		w.post(url, "3")
		p.expect(t, "heartbeat")

		ws := w.upgrade(url)
		defer ws.CloseNow()
		p.expect(t, "upgraded: polling websocket")
		w.write(ws, "4hello")
		expect(t, w.read(ws), "4hello")
		p.expect(t, "drained")
		expect(t, w.read(ws), "2")
		p.expect(t, "drained")
		w.write(ws, "3")
		p.expect(t, "heartbeat")
		w.write(ws, "1")
		expect(t, w.read(ws), "StatusNoStatusRcvd")
		p.expect(t, "closed: transport close")
	})
}

func TestCount(t *testing.T) {
	inWorld(t, Config{MaxBuffered: 1000}, func(w *world) {
		url, p := w.open()
		p.Send(text("a"), Binary([]byte{1, 2}))
		if got := w.tally.of(MetricBuffered + " "); got != int64(p.Buffered()) || got == 0 {
			t.Errorf("%d bytes buffered, want %d", got, p.Buffered())
		}
		w.poll(url, "4a bAQI=")
		p.SendVolatile(text("lost"), text("too"))
		w.post(url, "4in")
		w.poll(url, "4in")
		ws := w.upgrade(url)
		defer ws.CloseNow()
		p.told()
		p.Send(text("b"))
		expect(t, w.read(ws), "4b")
		w.write(ws, "4back")
		expect(t, w.read(ws), "4back")
		p.told()
		if got := w.tally.of(MetricConnections + " websocket"); got != 1 || w.tally.of(MetricConnections+" polling") != 0 {
			t.Error("the upgrade moved no connection")
		}
		w.write(ws, "1")
		p.expect(t, "closed: transport close")
		w.read(ws)

		slow, p := w.open()
		p.Send(text(strings.Repeat("x", 900)))
		if err := p.Send(text(strings.Repeat("x", 900))); err != ErrSlow {
			t.Errorf("a packet that does not fit: %v", err)
		}
		p.expect(t, "closed: transport error")
		if got := w.get(slow); got.StatusCode != 400 {
			t.Errorf("poll after the end: %d", got.StatusCode)
		}

		want := map[string]int64{
			"connections polling": 0, "connections websocket": 0, "buffered ": 0, "upgrades websocket": 1,
			"disconnections transport close": 1, "disconnections transport error": 1, "refusals 1": 1,
			"dropped volatile": 2, "dropped overflow": 1,
			"packets_in polling": 1, "bytes_in polling": 3, "packets_in websocket": 2, "bytes_in websocket": 6,
			"packets_out polling": 5, "packets_out websocket": 2, "bytes_out websocket": 7,
		}
		got := maps.Clone(w.tally.totals)
		delete(got, "bytes_out polling") // depends on the handshake
		if !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// The gauges return to zero and nothing waits for ever when a session ends
// while its packets wait, whatever way it ends.
func TestBufferedReturnsToZero(t *testing.T) {
	for name, f := range map[string]func(w *world){
		"closed, never polled": func(w *world) {
			_, p := w.open()
			p.Send(text("a"))
			p.Close()
			time.Sleep(time.Minute)
			p.expect(t, "closed: forced close")
		},
		"ping timeout": func(w *world) {
			_, p := w.open()
			p.Send(text("a"))
			time.Sleep(time.Minute)
			p.expect(t, "closed: ping timeout")
		},
		"websocket that is not read": func(w *world) {
			ws, p := w.openSocket()
			for range 10 {
				p.Send(text(strings.Repeat("x", 10_000)))
				synctest.Wait()
			}
			time.Sleep(time.Minute)
			ws.CloseNow()
			if log := p.told(); !slices.Contains(log, "closed: ping timeout") && !slices.Contains(log, "closed: transport close") {
				t.Errorf("the handler was told %q", log)
			}
		},
		"at the shutdown": func(w *world) {
			_, p := w.open()
			p.Send(text("a"))
		},
	} {
		t.Run(name, func(t *testing.T) { inWorlds(t, Config{}, f) })
	}
}
