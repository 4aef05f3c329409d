package conformance

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// TestFatalPackets is the table of what ends the connection of the client that sends it.
func TestFatalPackets(t *testing.T) {
	joined := map[string][]frame{
		"a second CONNECT":                          {text("40")},
		"CONNECT with a string":                     {text(`40/custom,"x"`)},
		"CONNECT with a list":                       {text(`40/custom,[1]`)},
		"CONNECT with null":                         {text(`40/custom,null`)},
		"CONNECT with broken JSON":                  {text(`40/custom,{`)},
		"CONNECT_ERROR":                             {text(`44{"message":"x"}`)},
		"DISCONNECT with a payload":                 {text(`41{}`)},
		"a namespace not joined":                    {text(`42/custom,["message"]`)},
		"an ack for a namespace not joined":         {text(`43/custom,1[]`)},
		"no type":                                   {text("4")},
		"type 7":                                    {text(`47["message"]`)},
		"type x":                                    {text("4x")},
		"an object as event":                        {text("42{}")},
		"a string as event":                         {text(`42"message"`)},
		"no event name":                             {text("42[]")},
		"null as event name":                        {text("42[null]")},
		"an object as event name":                   {text(`42[{"a":1}]`)},
		"broken JSON":                               {text(`42["message"`)},
		"trailing garbage":                          {text(`42["message"]x`)},
		"an ack id that is none":                    {text(`42abc["message"]`)},
		"an ack that is no list":                    {text(`431{}`)},
		"reserved event connect":                    {text(`42["connect"]`)},
		"reserved event connect_error":              {text(`42["connect_error"]`)},
		"reserved event disconnect":                 {text(`42["disconnect"]`)},
		"reserved event disconnecting":              {text(`42["disconnecting"]`)},
		"reserved event newListener":                {text(`42["newListener"]`)},
		"reserved event removeListener":             {text(`42["removeListener"]`)},
		"reserved event in binary":                  {text(`451-["disconnect",{"_placeholder":true,"num":0}]`), binary("x")},
		"eleven attachments":                        {text(`4511-["message"]`)},
		"a huge number of attachments":              {text(`4599999999999-["message"]`)},
		"a negative number of attachments":          {text(`45-1-["message"]`)},
		"a number of attachments that is none":      {text(`45x-["message"]`)},
		"no number of attachments":                  {text(`45["message"]`)},
		"text while an attachment is due":           {text(`451-["message",{"_placeholder":true,"num":0}]`), text(`42["message"]`)},
		"binary when none is due":                   {binary("x")},
		"a placeholder out of range":                {text(`451-["message",{"_placeholder":true,"num":1}]`), binary("x")},
		"a negative placeholder":                    {text(`451-["message",{"_placeholder":true,"num":-1}]`), binary("x")},
		"a placeholder that is no index":            {text(`451-["message",{"_placeholder":true,"num":"splice"}]`), binary("x")},
		"a placeholder out of range, deep":          {text(`451-["message",{"a":[{"_placeholder":true,"num":9}]}]`), binary("x")},
		"an ack with a placeholder out of range":    {text(`461-1[{"_placeholder":true,"num":2}]`), binary("x")},
		"one attachment more than announced":        {text(`451-["random",{"_placeholder":true,"num":0}]`), binary("x"), binary("y")},
		"an event for a namespace that was left":    {text("40/custom"), text("41/custom"), text(`42/custom,["message"]`)},
		"an event after DISCONNECT":                 {text("41"), text(`42["message"]`)},
		"a CONNECT to a namespace already joined":   {text("40/custom"), text("40/custom")},
		"a broken packet for a namespace not there": {text("42/random,{}")},
	}
	for name, frames := range joined {
		t.Run(name, func(t *testing.T) {
			l := newSite(t, "sio5").talk()
			l.send(frames...)
			l.cutOff()
		})
	}
	for name, frames := range map[string][]frame{
		"an event before CONNECT":             {text(`42["message"]`)},
		"DISCONNECT before CONNECT":           {text("41")},
		"an ack before CONNECT":               {text("431[]")},
		"an unknown type before CONNECT":      {text("4abc")},
		"binary before CONNECT":               {binary("x")},
		"an event for another than CONNECTed": {text("40/custom"), text(`42["message"]`)},
	} {
		t.Run(name, func(t *testing.T) {
			l := newSite(t, "sio5").dial("?EIO=4&transport=websocket")
			l.read()
			l.send(frames...)
			l.cutOff()
		})
	}
}

// cutOff reads to the close, which has to come without a status and without an echo before it.
func (l *line) cutOff() {
	l.t.Helper()
	for {
		f, closed := l.next()
		if closed != nil {
			if closed.Code != websocket.StatusNoStatusRcvd || closed.Reason != "" {
				l.t.Errorf("closed with %d %q, want no status", closed.Code, closed.Reason)
			}
			return
		}
		if strings.Contains(f.data, "message-back") || strings.HasPrefix(f.data, "43") {
			l.t.Fatalf("it was echoed: %q", f.data)
		}
	}
}

// TestPackets is the table of what is accepted, with the frames that come back.
func TestPackets(t *testing.T) {
	for _, test := range []struct {
		name       string
		sent, back []frame
	}{
		{"an event", []frame{text(`42["message",1,"2",{"3":[true]}]`)}, []frame{text(`42["message-back",1,"2",{"3":[true]}]`)}},
		{"no argument", []frame{text(`42["message"]`)}, []frame{text(`42["message-back"]`)}},
		{"null", []frame{text(`42["message",null]`)}, []frame{text(`42["message-back",null]`)}},
		{"an event with an ack", []frame{text(`42456["message-with-ack",1,"2",{"3":[false]}]`)}, []frame{text(`43456[1,"2",{"3":[false]}]`)}},
		{"an ack of nothing", []frame{text(`420["message-with-ack"]`)}, []frame{text(`430[]`)}},
		{"a large ack id", []frame{text(`429007199254740991["message-with-ack"]`)}, []frame{text(`439007199254740991[]`)}},
		{"leading zeros in an ack id", []frame{text(`42007["message-with-ack"]`)}, []frame{text(`437[]`)}},
		{"the same ack id twice", []frame{text(`421["message-with-ack",1]`), text(`421["message-with-ack",2]`)}, []frame{text(`431[1]`), text(`431[2]`)}},
		{"binary", []frame{
			text(`452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`), binary("\x01\x02\x03"), binary("\x04\x05\x06"),
		}, []frame{
			text(`452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`), binary("\x01\x02\x03"), binary("\x04\x05\x06"),
		}},
		{"binary with an ack", []frame{
			text(`452-789["message-with-ack",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`), binary("\x01"), binary("\x02"),
		}, []frame{
			text(`462-789[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`), binary("\x01"), binary("\x02"),
		}},
		{"binary, nested", []frame{
			text(`451-["message",{"a":[{"b":{"_placeholder":true,"num":0}}]}]`), binary("x"),
		}, []frame{
			text(`451-["message-back",{"a":[{"b":{"_placeholder":true,"num":0}}]}]`), binary("x"),
		}},
		{"empty binary", []frame{
			text(`451-["message",{"_placeholder":true,"num":0}]`), binary(""),
		}, []frame{
			text(`451-["message-back",{"_placeholder":true,"num":0}]`), binary(""),
		}},
		{"binary as base64", []frame{
			text(`451-["message",{"_placeholder":true,"num":0}]`), text("bAQID"),
		}, []frame{
			text(`451-["message-back",{"_placeholder":true,"num":0}]`), binary("\x01\x02\x03"),
		}},
		{"a placeholder twice", []frame{
			text(`451-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]`), binary("x"),
		}, []frame{
			text(`452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`), binary("x"), binary("x"),
		}},
		{"an attachment that nothing refers to", []frame{
			text(`451-["message",1]`), binary("x"),
		}, []frame{
			text(`42["message-back",1]`),
		}},
		{"what looks like a placeholder in a plain event", []frame{
			text(`42["message",{"_placeholder":true,"num":0}]`),
		}, []frame{
			text(`42["message-back",{"_placeholder":true,"num":0}]`),
		}},
		{"no attachment announced", []frame{text(`450-["message",1]`)}, []frame{text(`42["message-back",1]`)}},
		{"whitespace", []frame{text("42[ \"message\" ,\n1 ]")}, []frame{text(`42["message-back",1]`)}},
		{"characters that HTML escapes", []frame{text(`42["message","<a href='x'>&amp;</a>"]`)}, []frame{text(`42["message-back","<a href='x'>&amp;</a>"]`)}},
		{"characters beyond ASCII", []frame{text("42[\"message\",\"żółć 漢字 🎉 \u2028\u2029\"]")}, []frame{text("42[\"message-back\",\"żółć 漢字 🎉 \u2028\u2029\"]")}},
		{"the order of keys", []frame{text(`42["message",{"z":1,"a":{"y":2,"b":3}}]`)}, []frame{text(`42["message-back",{"z":1,"a":{"y":2,"b":3}}]`)}},
		{"half a surrogate pair", []frame{text(`42["message","\ud800"]`)}, []frame{text(`42["message-back","\ud800"]`)}},
		{"numbers, which stay as they are written", []frame{text(`42["message",1e21,1e-7,-0,9007199254740993]`)},
			[]frame{text(`42["message-back",1e21,1e-7,-0,9007199254740993]`)}},
		{"a numeric event name", []frame{text(`42[1,"x"]`)}, nil},
		{"an empty event name", []frame{text(`42["","x"]`)}, nil},
		{"an event that nobody listens to", []frame{text(`42["random"]`), text(`427["random"]`)}, nil},
		{"an event without data", []frame{text("42")}, nil},
		{"an unknown ack id", []frame{text("4399[1]")}, nil},
		{"an ack without an id", []frame{text("43[1]")}, nil},
		{"a CONNECT to an unknown namespace", []frame{text("40/random")}, []frame{text(`44/random,{"message":"Invalid namespace"}`)}},
		{"a namespace with a query", []frame{text("40/custom?a=b,")}, []frame{text(`44/custom?a=b,{"message":"Invalid namespace"}`)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newSite(t, "sio5").talk()
			l.send(test.sent...)
			l.expect(test.back...)
			l.send(text(`42["message","still here"]`))
			l.expect(text(`42["message-back","still here"]`))
		})
	}
}

func TestConnect(t *testing.T) {
	for _, test := range []struct {
		name, sent, prefix, auth string
	}{
		{"main", "40", "40", `42["auth",{}]`},
		{"main with a slash", "40/,", "40", `42["auth",{}]`},
		{"credentials", `40{"token":"123"}`, "40", `42["auth",{"token":"123"}]`},
		{"a session to recover, without recovery", `40{"pid":"foo","offset":"bar"}`, "40", `42["auth",{"pid":"foo","offset":"bar"}]`},
		{"an id is ignored", `400{"token":"123"}`, "40", `42["auth",{"token":"123"}]`},
		{"custom", "40/custom,", "40/custom,", `42/custom,["auth",{}]`},
		{"custom without a comma", "40/custom", "40/custom,", `42/custom,["auth",{}]`},
		{"custom with credentials", `40/custom,{"token":"abc"}`, "40/custom,", `42/custom,["auth",{"token":"abc"}]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newSite(t, "sio5").dial("?EIO=4&transport=websocket")
			l.read()
			l.send(text(test.sent))
			reply := l.read().data
			payload, ok := strings.CutPrefix(reply, test.prefix)
			var got map[string]string
			if err := json.Unmarshal([]byte(payload), &got); !ok || err != nil || len(got) != 1 || got["sid"] == "" {
				t.Errorf("got %q, %v", reply, err)
			}
			l.expect(text(test.auth))
		})
	}
}

// TestEventRightBehindConnect sends without waiting for the answer, which Node's server takes for an event before CONNECT.
func TestEventRightBehindConnect(t *testing.T) {
	s := newSite(t, "sio5")
	sid := s.open()
	s.expect(s.post(sid, "40\x1e42[\"message\",1]"), 200, "ok")
	var got []string
	for len(got) < 3 {
		got = append(got, strings.Split(s.poll(sid).body, "\x1e")...)
	}
	if want := `42["message-back",1]`; got[2] != want {
		t.Errorf("got %q, want %s in the end", got, want)
	}
}

// TestViolationOverPolling has a polling client break the rules: its next poll says that the connection is closed.
func TestViolationOverPolling(t *testing.T) {
	for name, packets := range map[string][]string{
		"a second CONNECT":        {"40", "40"},
		"an event before CONNECT": {`42["some event"]`},
		"an invalid packet":       {"40", "4abc"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "sio5")
			sid := s.open()
			for _, packet := range packets {
				s.expect(s.post(sid, packet), 200, "ok")
			}
			s.expect(s.poll(sid), 200, "1")
			s.gone(sid)
		})
	}
}

func TestReconnectOnTheSameConnection(t *testing.T) {
	l := newSite(t, "sio5").talk()
	l.send(text("41"), text("40"))
	if got := l.read().data; !strings.HasPrefix(got, `40{"sid":"`) {
		t.Fatalf("got %q", got)
	}
	l.expect(text(`42["auth",{}]`))
	l.send(text(`42["message",1]`))
	l.expect(text(`42["message-back",1]`))
}

func TestNamespacesShareAConnection(t *testing.T) {
	l := newSite(t, "sio5").talk()
	l.send(text("40/custom,"))
	if got := l.read().data; !strings.HasPrefix(got, `40/custom,{"sid":"`) {
		t.Fatalf("got %q", got)
	}
	l.expect(text(`42/custom,["auth",{}]`))
	l.send(text("41/custom,"), text(`42["message","main goes on"]`))
	l.expect(text(`42["message-back","main goes on"]`))
}

func TestPacketsOverPolling(t *testing.T) {
	s := newSite(t, "sio5")
	sid := s.join()
	sent := []string{
		`42["message",1]`,
		`452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, "bAQ==", "bAg==",
		`427["message-with-ack","é"]`,
	}
	want := []string{
		`42["message-back",1]`,
		`452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, "bAQ==", "bAg==",
		`437["é"]`,
	}
	s.expect(s.post(sid, strings.Join(sent, "\x1e")), 200, "ok")
	var got []string
	for len(got) < len(want) {
		got = append(got, strings.Split(s.poll(sid).body, "\x1e")...)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
