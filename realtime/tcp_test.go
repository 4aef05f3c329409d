package realtime_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/zocalo-go/zocalo/realtime"
)

// dialTCP connects over a real network connection, unlike the clients of a
// bubble, and joins "/".
func dialTCP(t *testing.T, url string) *websocket.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	ws, _, err := websocket.Dial(ctx, url+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.CloseNow() })
	ws.SetReadLimit(-1)
	readTCP(t, ws)
	ws.Write(ctx, websocket.MessageText, []byte("40"))
	if got := readTCP(t, ws); !strings.HasPrefix(string(got), "40") {
		t.Fatalf("got %s", got)
	}
	return ws
}

func readTCP(t *testing.T, ws *websocket.Conn) []byte {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		_, data, err := ws.Read(ctx)
		if err != nil {
			t.Error(err)
			return nil
		}
		if string(data) != "2" {
			return data
		}
		ws.Write(ctx, websocket.MessageText, []byte("3"))
	}
}

// A client that does not read keeps nobody waiting, and gets everything in the
// end, whole and in order: what the system takes of a write at once is any part
// of it.
func TestSlowClientOverTCP(t *testing.T) {
	server := realtime.NewServer(realtime.Config{MaxBuffered: 1 << 30})
	web := httptest.NewServer(server)
	defer web.Close()
	defer server.Close()
	slow, quick := dialTCP(t, web.URL), dialTCP(t, web.URL)

	const count = 400
	payload := func(i int) []byte {
		data := bytes.Repeat([]byte{byte(i)}, 1+i*i%50_000)
		return binary.BigEndian.AppendUint32(data, uint32(i))
	}
	read := func(ws *websocket.Conn) {
		for i := range count {
			if text := readTCP(t, ws); !strings.HasPrefix(string(text), `451-["e"`) {
				t.Errorf("event %d is %.50s", i, text)
				return
			}
			if data := readTCP(t, ws); !bytes.Equal(data, payload(i)) {
				t.Errorf("attachment %d is another", i)
				return
			}
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() { read(quick) })
	for i := range count {
		if err := server.Emit("e", payload(i)); err != nil {
			t.Error(err)
		}
	}
	wg.Wait() // while the other has read nothing
	read(slow)
}

// Many send to many at a time, and every client gets what each of them sent in
// the order in which it was sent.
func TestOrderOverTCP(t *testing.T) {
	server := realtime.NewServer(realtime.Config{})
	web := httptest.NewServer(server)
	defer web.Close()
	defer server.Close()
	const senders, count = 4, 500
	var clients, done sync.WaitGroup
	for range 5 {
		ws := dialTCP(t, web.URL)
		clients.Go(func() {
			var next [senders]int
			for range senders * count {
				data := readTCP(t, ws)
				var sender, n int
				if _, err := fmt.Sscanf(string(data), `42["e",%d,%d]`, &sender, &n); err != nil || n != next[sender] {
					t.Errorf("got %s, want number %d of its sender", data, next[sender])
					return
				}
				next[sender]++
			}
		})
	}
	for sender := range senders {
		done.Go(func() {
			for i := range count {
				server.Emit("e", sender, i)
			}
		})
	}
	done.Wait()
	clients.Wait()
}
