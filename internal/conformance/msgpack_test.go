package conformance

import (
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// newMsgpackSite serves the contract of the Socket.IO suite in MessagePack.
func newMsgpackSite(t *testing.T) *site {
	t.Helper()
	handler, err := Handler("sio5", func(name string) string {
		return map[string]string{"CODEC": "msgpack", "PING_INTERVAL": "60000", "PING_TIMEOUT": "60000", "CONNECT_TIMEOUT": "60000"}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	return newSiteOf(t, handler, "/socket.io/")
}

// Packets as npm's socket.io-msgpack-parser writes them.
const (
	connectMsgpack = "\x83\xa4type\x00\xa4data\xd4\x00\x00\xa3nsp\xa1/" // its data is undefined
	messageMsgpack = "\x84\xa4type\x02\xa4data\x93\xa7message\xc4\x02\x01\x02\x81\xa1a\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00" +
		"\xa7options\x81\xa8compress\xc3\xa3nsp\xa1/"
)

func TestMessagePack(t *testing.T) {
	l := newMsgpackSite(t).dial("?EIO=4&transport=websocket")
	l.read()
	l.send(binary(connectMsgpack))
	if got := l.read(); !got.binary || !strings.Contains(got.data, "\xa3sid\xb4") {
		t.Fatalf("CONNECT was answered %+v", got)
	}
	l.read() // "auth"
	l.send(binary(messageMsgpack))
	got := l.read()
	if !got.binary || !strings.Contains(got.data, "\x93\xacmessage-back\xc4\x02\x01\x02\x81\xa1a\xcb\x3f\xf8") {
		t.Errorf("got %+v", got)
	}
}

// TestFatalMessagePack is the table of what ends the connection of the client that sends it.
func TestFatalMessagePack(t *testing.T) {
	for name, sent := range map[string]frame{
		"text":                   text(`42["message"]`),
		"nothing":                binary(""),
		"no map":                 binary("\x92\x02\x91\xa7message"),
		"no type":                binary("\x82\xa4data\x91\xa7message\xa3nsp\xa1/"),
		"a type that is none":    binary("\x83\xa4type\x05\xa4data\x91\xa7message\xa3nsp\xa1/"),
		"no namespace":           binary("\x82\xa4type\x02\xa4data\x91\xa7message"),
		"a reserved event":       binary("\x83\xa4type\x02\xa4data\x91\xaadisconnect\xa3nsp\xa1/"),
		"an event that is a map": binary("\x83\xa4type\x02\xa4data\x80\xa3nsp\xa1/"),
		"cut short":              binary(messageMsgpack[:30]),
		"trailing bytes":         binary(messageMsgpack + "\x00"),
		"a huge announced size":  binary("\x83\xa4type\x02\xa4data\xdd\xff\xff\xff\xff\xa3nsp\xa1/"),
	} {
		t.Run(name, func(t *testing.T) {
			l := newMsgpackSite(t).dial("?EIO=4&transport=websocket")
			l.read()
			l.send(binary(connectMsgpack))
			l.read()
			l.read()
			l.send(sent)
			l.closed(websocket.StatusNoStatusRcvd)
		})
	}
}
