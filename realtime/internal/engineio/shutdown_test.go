package engineio

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
)

// shutdown runs Shutdown and returns where its result will come.
func (w *world) shutdown(ctx context.Context) <-chan error {
	done := make(chan error, 1)
	go func() { done <- w.server.Shutdown(ctx) }()
	synctest.Wait()
	return done
}

// A polling client that is between two polls gets what waited, and is not waited
// for when it does not come.
func TestShutdownBetweenPolls(t *testing.T) {
	inWorlds(t, Config{}, func(w *world) {
		url, p := w.open()
		other, _ := w.open()
		p.Send(text("a"))
		start := time.Now()
		done := w.shutdown(w.t.Context())
		time.Sleep(lastPoll / 2)
		w.poll(url, "4a")
		w.poll(url, "1")
		if got := w.get(url); got.StatusCode != 400 {
			t.Errorf("a poll after the last: %d", got.StatusCode)
		}
		if got := w.get(base + Polling); got.StatusCode != 503 {
			t.Errorf("a handshake: %d", got.StatusCode)
		}
		if err := <-done; err != nil || time.Since(start) != lastPoll {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if got := w.get(other); got.StatusCode != 400 {
			t.Errorf("a poll that comes too late: %d", got.StatusCode)
		}
	})
}

// A client that has not polled for so long is not waited for.
func TestShutdownWithSilentClient(t *testing.T) {
	inWorlds(t, Config{}, func(w *world) {
		w.open()
		url, p := w.open()
		time.Sleep(lastPoll / 2)
		p.Send(text("a"))
		w.poll(url, "4a")
		time.Sleep(lastPoll / 4)
		p.Send(text("b"))
		start := time.Now()
		if err := <-w.shutdown(w.t.Context()); err != nil || time.Since(start) != 3*lastPoll/4 {
			t.Errorf("between polls: %v after %v", err, time.Since(start))
		}
	})
	inWorlds(t, Config{}, func(w *world) {
		w.open()
		time.Sleep(lastPoll)
		start := time.Now()
		if err := <-w.shutdown(w.t.Context()); err != nil || time.Since(start) != 0 {
			t.Errorf("silent: %v after %v", err, time.Since(start))
		}
	})
}

// When all have had their last poll, there is nothing to wait for.
func TestShutdownAfterLastPoll(t *testing.T) {
	inWorlds(t, Config{}, func(w *world) {
		url, p := w.open()
		p.Send(text("a"))
		start := time.Now()
		done := w.shutdown(w.t.Context())
		w.poll(url, "4a")
		w.poll(url, "1")
		if err := <-done; err != nil || time.Since(start) != 0 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// The WebSockets that do not close in time are cut when the context ends.
func TestShutdownCuts(t *testing.T) {
	inWorlds(t, Config{}, func(w *world) {
		conn := w.raw(base + WebSocket)
		defer conn.Close()
		p := <-w.peers
		p.Send(text("a"))
		synctest.Wait() // the handshake is being written
		late := errors.New("late")
		ctx, cancel := context.WithTimeoutCause(w.t.Context(), time.Second, late)
		defer cancel()
		start := time.Now()
		if err := <-w.shutdown(ctx); err != late || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		synctest.Wait()
		p.expect(t, "closed: forced close")
		if _, err := conn.ReadByte(); err == nil {
			t.Error("the connection still lives")
		}
	})
}

// A client gets one grace after a close frame, whatever it sends meanwhile.
func TestCloseGrace(t *testing.T) {
	inWorlds(t, Config{}, func(w *world) {
		conn := w.raw(base + WebSocket)
		defer conn.Close()
		p := <-w.peers
		conn.frame() // the handshake
		p.expect(t, "drained")
		start := time.Now()
		conn.Write(maskedText("junk"))
		if got := conn.frame(); got != "\x88\x00" {
			t.Errorf("got %q, want a close frame", got)
		}
		for time.Since(start) < closeGrace-100*time.Millisecond {
			time.Sleep(100 * time.Millisecond)
			conn.Write(maskedText("junk"))
		}
		if _, err := conn.ReadByte(); err == nil || time.Since(start) != closeGrace {
			t.Errorf("it ended with %v after %v", err, time.Since(start))
		}
		p.expect(t, "closed: parse error")
	})
}

// The answer to a poll that its client does not read ends, and so does the session.
func TestPollThatIsNotRead(t *testing.T) {
	inWorlds(t, Config{PingInterval: 10 * time.Second, PingTimeout: 5 * time.Second}, func(w *world) {
		url, p := w.open()
		conn, err := w.listener.dial(w.t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: test\r\n\r\n", strings.TrimPrefix(url, "http://test"))
		synctest.Wait()
		time.Sleep(time.Second)
		p.Send(text(strings.Repeat("x", 100_000)))
		synctest.Wait()
		p.Send(text("b"))
		time.Sleep(10 * time.Second)
		w.post(url, "3") // it lives otherwise
		p.expect(t, "heartbeat")
		time.Sleep(5*time.Second - 1)
		p.expect(t)
		time.Sleep(time.Nanosecond)
		p.expect(t, "closed: transport close")
		if p.Buffered() != 0 {
			t.Errorf("%d bytes still wait", p.Buffered())
		}
	})
}

// A text message must be UTF-8, over any transport.
func TestTextThatIsNotUTF8(t *testing.T) {
	inWorlds(t, Config{}, func(w *world) {
		ws, p := w.openSocket()
		defer ws.CloseNow()
		p.expect(t, "drained")
		ws.Write(w.t.Context(), websocket.MessageText, []byte("4\xff"))
		expect(t, w.read(ws), websocket.StatusInvalidFramePayloadData.String())
		p.expect(t, "closed: parse error")
		url, p := w.open()
		w.post(url, "4\xff")
		p.expect(t, "closed: parse error")
		if got := w.get(url); got.StatusCode != 400 {
			t.Errorf("poll after the end: %d", got.StatusCode)
		}
	})
}

// rawConn is a WebSocket whose frames are read when a test says so.
type rawConn struct {
	net.Conn
	*bufio.Reader
}

func (c rawConn) Read(b []byte) (int, error) { return c.Reader.Read(b) }

// raw opens a WebSocket without a library that would read for itself.
func (w *world) raw(url string) rawConn {
	w.t.Helper()
	conn, err := w.listener.dial(w.t.Context(), "", "")
	if err != nil {
		w.t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n", strings.TrimPrefix(url, "http://test"))
	c := rawConn{conn, bufio.NewReaderSize(conn, 16)} // reads no further than it must
	res, err := http.ReadResponse(c.Reader, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		w.t.Fatalf("upgrade: %v, %v", res, err)
	}
	return c
}

// frame reads a short frame.
func (c rawConn) frame() string {
	var head [2]byte
	for i := range head {
		head[i], _ = c.ReadByte()
	}
	size := int(head[1])
	if size == 126 {
		high, _ := c.ReadByte()
		low, _ := c.ReadByte()
		size = int(high)<<8 | int(low)
	}
	body := make([]byte, size)
	for i := range body {
		body[i], _ = c.ReadByte()
	}
	return string(head[:]) + string(body)
}

// maskedText is the frame of a text message from a client, by a mask of zeros.
func maskedText(s string) []byte {
	return append([]byte{0x81, 0x80 | byte(len(s)), 0, 0, 0, 0}, s...)
}
