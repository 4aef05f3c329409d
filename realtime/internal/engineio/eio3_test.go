package engineio

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const base3 = "http://test/?EIO=3&transport="

var payloads3 = []struct {
	name    string
	packets []Packet
	base64  bool
	payload string
	binary  bool
}{
	{"text", []Packet{text("hello"), text("€"), text("𝄞")}, false, "6:4hello2:4€3:4𝄞", false},
	{"no data", []Packet{noop, closePacket}, false, "1:61:1", false},
	{"binary", []Packet{text("€"), Binary([]byte{1, 2, 3, 4})}, false, "\x00\x04\xff4€\x01\x05\xff\x04\x01\x02\x03\x04", true},
	{"long binary", []Packet{Binary(bytes.Repeat([]byte{9}, 122))}, false, "\x01\x01\x02\x03\xff\x04" + strings.Repeat("\x09", 122), true},
	{"base64", []Packet{text("€"), Binary([]byte{1, 2, 3, 4})}, true, "2:4€10:b4AQIDBA==", false},
}

func TestPayload3(t *testing.T) {
	for _, test := range payloads3 {
		got, binary := appendPayload3(nil, test.packets, test.base64)
		if string(got) != test.payload || binary != test.binary {
			t.Errorf("%s: got %q, %v, want %q", test.name, got, binary, test.payload)
		}
		if again := again3(t, got, binary); !slices.EqualFunc(again, test.packets, samePacket) {
			t.Errorf("%s: decoded to %v", test.name, again)
		}
	}
}

func samePacket(a, b Packet) bool { return bytes.Equal(a.frame, b.frame) }

// decode3 decodes a payload into packets.
func decode3(body []byte, binary bool) (packets []Packet, err error) {
	cut := cutText3
	if binary {
		cut = cutBinary3
	}
	for body = bytes.Clone(body); body != nil; {
		p, rest, err := cut(body)
		switch {
		case err != nil:
			return nil, err
		case p.binary:
			packets = append(packets, Binary(p.data))
		default:
			packets = append(packets, textPacket(p.kind, p.data))
		}
		body = rest
	}
	return packets, nil
}

func again3(t *testing.T, body []byte, binary bool) []Packet {
	t.Helper()
	packets, err := decode3(body, binary)
	if err != nil {
		t.Fatalf("%q: %v", body, err)
	}
	return packets
}

func TestPayload3Invalid(t *testing.T) {
	for _, body := range []string{"", "abc", ":", ":4a", "2", "2:", "3:4a", "1:9", "1:b", "4:b5AQ", "4:b4A?", "-1:4", "1e1:4", " 2:4a", "2:4a3",
		"2:4𝄞", "11111111111:4", "1:41", "4294967297:4"} {
		if packets, err := decode3([]byte(body), false); err == nil {
			t.Errorf("text %q: decoded to %v", body, packets)
		}
	}
	for _, body := range []string{"", "\x00", "\x02\x01\xff4", "\x00\xff4", "\x00\x02\xff4", "\x00\x0a\xff4", "\x01\x01\xff\x05", "\x01\x00\xff", "\x00\x00\xff",
		"\x00\x02\xff4\xff", "\x00" + strings.Repeat("\x09", 11) + "\xff4", "\x00\x01\xff4\x07",
		"\x00\x04\x02\x09\x04\x09\x06\x07\x02\x09\x05\xff4"} { // the last is -1 in 32 bits
		if packets, err := decode3([]byte(body), true); err == nil {
			t.Errorf("binary %q: decoded to %v", body, packets)
		}
	}
	if packets, err := decode3([]byte("0:002:4a"), false); err != nil || len(packets) != 2 || !samePacket(packets[1], text("a")) {
		t.Errorf("an empty packet, which the reference ignores: %v, %v", packets, err)
	}
}

// What decodes encodes to a payload that decodes to the same.
func FuzzPayload3(f *testing.F) {
	for _, test := range payloads3 {
		f.Add([]byte(test.payload), test.binary, test.base64)
	}
	f.Fuzz(func(t *testing.T, body []byte, binary, asBase64 bool) {
		if !binary && !validText(body) {
			return
		}
		packets, err := decode3(body, binary)
		if err != nil {
			return
		}
		encoded, isBinary := appendPayload3(nil, packets, asBase64)
		if isBinary != (!asBase64 && slices.ContainsFunc(packets, Packet.binary)) {
			t.Fatalf("%v: binary %v", packets, isBinary)
		}
		if again := again3(t, encoded, isBinary); !slices.EqualFunc(again, packets, samePacket) {
			t.Fatalf("%v became %v by %q", packets, again, encoded)
		}
	})
}

func validText(body []byte) bool { return bytes.Equal(bytes.ToValidUTF8(body, nil), body) }

func (w *world) open3(query string) (url string, p *peer) {
	w.t.Helper()
	res := w.get(base3 + Polling + query)
	length, handshake, _ := strings.Cut(res.body, ":")
	if res.StatusCode != 200 || length == "" {
		w.t.Fatalf("handshake: %d %q", res.StatusCode, res.body)
	}
	p = <-w.peers
	if p.Protocol() != 3 {
		w.t.Errorf("protocol %d", p.Protocol())
	}
	return base3 + Polling + "&sid=" + sid(w.t, handshake), p
}

func TestPolling3(t *testing.T) {
	inWorlds(t, Config{AllowEIO3: true}, func(w *world) {
		url, p := w.open3("")
		w.post(url, "4:4a\x1e€2:4b")
		w.poll(url, "4:4a €2:4b")
		got := w.do("POST", url, "\x00\x02\xff4a\x01\x03\xff\x04\x01\x02", "Content-Type", "application/octet-stream")
		expect(t, got.body, "ok")
		got = w.get(url)
		expect(t, got.body, "\x00\x02\xff4a\x01\x03\xff\x04\x01\x02")
		expect(t, got.Header.Get("Content-Type"), "application/octet-stream")
		p.told()
		w.post(url, "1:2")
		w.poll(url, "1:3")
		p.expect(t, "heartbeat", "drained")
		w.post(url, "1:1")
		w.poll(url, "1:6")
		p.expect(t, "closed: transport close")

		url, _ = w.open3("&b64=1")
		w.post(url, "10:b4AQIDBA==")
		w.poll(url, "10:b4AQIDBA==")
		w.post(url, "1:3") // the client's part is the ping
		if got := w.get(url); got.StatusCode != 400 {
			t.Errorf("poll after a pong: %d", got.StatusCode)
		}
		url, p = w.open3("")
		w.post(url, "abc")
		p.expect(t, "closed: parse error")
	})
}

func TestWebSocket3(t *testing.T) {
	inWorlds(t, Config{AllowEIO3: true}, func(w *world) {
		ws, _ := w.dial(base3 + WebSocket)
		defer ws.CloseNow()
		if got := w.read(ws); !strings.HasPrefix(got, `0{"sid":`) || !strings.Contains(got, `"upgrades":[]`) {
			t.Errorf("handshake %q", got)
		}
		p := <-w.peers
		w.write(ws, "4text")
		expect(t, w.read(ws), "4text")
		w.writeBinary(ws, 4, 1, 2)
		expect(t, w.read(ws), "\x04\x01\x02")
		w.write(ws, "b4AQI=")
		expect(t, w.read(ws), "\x04\x01\x02")
		p.Send(text("a"), Binary([]byte{3}), text("b"))
		expect(t, w.read(ws)+w.read(ws)+w.read(ws), "4a\x04\x034b")
		p.told()
		w.write(ws, "2")
		expect(t, w.read(ws), "3")
		w.writeBinary(ws, 5, 1, 2)
		expect(t, w.read(ws), "StatusNoStatusRcvd")
		p.told()

		ws, _ = w.dial(base3 + WebSocket + "&b64=1")
		defer ws.CloseNow()
		w.read(ws)
		(<-w.peers).Send(Binary([]byte{1, 2}))
		expect(t, w.read(ws), "b4AQI=")
	})
}

func TestUpgrade3(t *testing.T) {
	inWorlds(t, Config{AllowEIO3: true}, func(w *world) {
		url, p := w.open3("")
		ws, _ := w.dial(strings.Replace(url, Polling, WebSocket, 1))
		defer ws.CloseNow()
		w.write(ws, "2probe")
		expect(t, w.read(ws), "3probe")
		w.poll(url, "1:6")
		p.Send(Binary([]byte{1}))
		w.write(ws, "5")
		expect(t, w.read(ws), "\x04\x01")
		if got := w.get(url); got.StatusCode != 400 {
			t.Errorf("poll after the upgrade: %d", got.StatusCode)
		}
	})
}

// A client that is silent for pingInterval and pingTimeout is gone, and only then.
func TestHeartbeat3(t *testing.T) {
	config := Config{AllowEIO3: true, PingInterval: 10 * time.Second, PingTimeout: 5 * time.Second}
	inWorlds(t, config, func(w *world) {
		url, p := w.open3("")
		for range 3 {
			time.Sleep(14 * time.Second)
			w.post(url, "1:2")
			w.poll(url, "1:3")
		}
		p.told()
		time.Sleep(15*time.Second - 1)
		p.expect(t)
		time.Sleep(time.Nanosecond)
		p.expect(t, "closed: ping timeout")
		if got := w.get(url); got.StatusCode != 400 {
			t.Errorf("poll after the end: %d", got.StatusCode)
		}
	})
}

// A session belongs to the revision it began with (CVE-2026-102599).
func TestRevisionMismatch(t *testing.T) {
	inWorlds(t, Config{AllowEIO3: true}, func(w *world) {
		for _, open := range []func() (string, *peer){w.open, func() (string, *peer) { return w.open3("") }} {
			url, p := open()
			other := strings.Replace(strings.Replace(url, "EIO=4", "EIO=x", 1), "EIO=3", "EIO=4", 1)
			other = strings.Replace(other, "EIO=x", "EIO=3", 1)
			const refusal = `{"code":3,"message":"Bad request"}`
			upgrade := []string{"Connection", "Upgrade", "Upgrade", "websocket"}
			for name, got := range map[string]reply{
				"poll":    w.get(other),
				"post":    w.post(other, "4a"),
				"upgrade": w.do("GET", strings.Replace(other, Polling, WebSocket, 1), "", upgrade...),
			} {
				if got.StatusCode != 400 || got.body != refusal {
					t.Errorf("%s of another revision: %d %s", name, got.StatusCode, got.body)
				}
			}
			synctest.Wait()
			p.expect(t) // and the session lives
		}
		for asked, want := range map[string]string{"5": "client=5, server=3 4", "": "client=unknown, server=3 4"} {
			expect(t, w.get("http://test/?transport=polling&EIO="+asked).Header.Get(versionHeader), want)
		}
	})
}
