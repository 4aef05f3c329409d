package conformance

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

func TestUnknownContract(t *testing.T) {
	_, err := Handler("eio5", func(string) string { return "" })
	if err == nil || !strings.Contains(err.Error(), "bench, eio3, eio4, eioc, sio5, sioc") {
		t.Errorf("got %v, want an error that names the contracts", err)
	}
}

func TestEngineClientContract(t *testing.T) {
	l := newSite(t, "eioc").dial("?EIO=4&transport=websocket")
	l.read()
	l.send(text("4give binary"), text("4give utf8"), text("4x"), binary("y"))
	l.expect(text("4hi"), binary("\x00\x01\x02\x03\x04"), text("4пойду спать всем спокойной ночи"), text("4x"), binary("y"))
}

func TestEngineClientContractShowsHeaders(t *testing.T) {
	s := newSite(t, "eioc")
	sid := s.open()
	s.expect(s.do("POST", session(sid), "4sendHeaders", "X-Custom", "a custom value"), 200, "ok")
	body := ""
	for !strings.Contains(body, "{") {
		body = s.poll(sid).body
	}
	if !strings.Contains(body, `"x-custom":"a custom value"`) {
		t.Errorf("got %q", body)
	}
}

func TestClientContract(t *testing.T) {
	s := newSite(t, "sioc")
	l := s.dial("?EIO=4&transport=websocket&e=f")
	l.read()
	l.send(text("40"))
	var connect struct{ SID, PID string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(l.read().data, "40")), &connect); err != nil || connect.PID == "" {
		t.Errorf("connected with %+v, %v, want a pid to recover with", connect, err)
	}
	offset := regexp.MustCompile(`,"\d+"]$`) // the last argument of what can be recovered
	for _, test := range []struct {
		sent string
		back []frame
	}{
		{`42["hi"]`, []frame{text(`42["hi"]`)}},
		{`421["echo",{"a":[1]}]`, []frame{text(`431[{"a":[1]}]`)}},
		{`422["getId"]`, []frame{text(`432["` + connect.SID + `"]`)}},
		{`42["false"]`, []frame{text(`42["false",false]`)}},
		{`42["doge"]`, []frame{text(`451-["doge",{"_placeholder":true,"num":0}]`), binary("asdfasdf")}},
		{`42["ack"]`, []frame{text(`420["ack"]`)}},
		{`430[5,{"test":true}]`, []frame{text(`42["got it"]`)}},
		{`423["unknown"]`, nil},
		{"40/no", []frame{text(`44/no,{"message":"Auth failed (custom namespace)"}`)}},
		{"40/timeout", []frame{text(`44/timeout,{"message":"Invalid namespace"}`)}},
		{`42["abuff2","please arrive second"]`, []frame{text(`42["abuff2-ack"]`)}},
	} {
		l.send(text(test.sent))
		for _, want := range test.back {
			got := l.read()
			if event := offset.ReplaceAllString(got.data, "]"); event != want.data {
				t.Errorf("%s: got %+v, want %+v", test.sent, got, want)
			}
		}
	}

	l.send(text(`424["getHandshake"]`))
	if got := l.read().data; !strings.Contains(got, `"query":{`) || !strings.Contains(got, `"e":"f"`) || !strings.Contains(got, `"auth":{}`) {
		t.Errorf("handshake %s", got)
	}

	refused := s.dial("?EIO=4&transport=websocket&fail=true")
	refused.read()
	refused.send(text("40"))
	refused.expect(text(`44{"message":"Auth failed (main namespace)"}`))
}

func TestBenchContract(t *testing.T) {
	s := newSite(t, "bench")
	l := s.dial("?EIO=4&transport=websocket")
	l.read()
	l.send(text("40"))
	l.read()
	l.send(text(`421["echo",1,{"a":2}]`), text(`451-2["bin",{"_placeholder":true,"num":0}]`), binary("x"), text(`42["broadcast","all"]`),
		text(`423["join","r"]`), text(`42["say","r","hello"]`), text(`42["sink",1,2]`), text(`42["flood",2,"x"]`))
	l.expect(text(`431[1,{"a":2}]`), text(`461-2[{"_placeholder":true,"num":0}]`), binary("x"), text(`42["tick","all"]`),
		text(`433[]`), text(`42["said","hello"]`), text(`42["tick","x"]`), text(`42["tick","x"]`))
	if got, err := s.send(t.Context(), "GET", "/__gc", nil); err != nil || got.status != 200 {
		t.Errorf("/__gc: %d, %v", got.status, err)
	}
}
