package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// The clients of the soak speak Engine.IO and Socket.IO by hand, so that they can also do what a library would not.

const (
	overPolling   = "/socket.io/?EIO=4&transport=polling"
	overWebSocket = "/socket.io/?EIO=4&transport=websocket"
)

// request makes one request and returns the body of a 200.
func (s *soak) request(ctx context.Context, method, path, body string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s %s", method, path, response.Status, data)
	}
	return string(data), err
}

// A poller is a session over polling.
type poller struct {
	*soak
	path string
}

func (s *soak) poller(ctx context.Context) (*poller, error) {
	body, err := s.request(ctx, "GET", overPolling, "")
	if err != nil {
		return nil, err
	}
	var handshake struct{ SID string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(body, "0")), &handshake); err != nil {
		return nil, err
	}
	return &poller{s, overPolling + "&sid=" + handshake.SID}, nil
}

func (p *poller) post(ctx context.Context, packet string) error {
	_, err := p.request(ctx, "POST", p.path, packet)
	return err
}

// until polls until a packet with a prefix comes, and answers pings.
func (p *poller) until(ctx context.Context, prefix string) error {
	for {
		body, err := p.request(ctx, "GET", p.path, "")
		if err != nil {
			return err
		}
		found := false
		for packet := range strings.SplitSeq(body, "\x1e") {
			found = found || strings.HasPrefix(packet, prefix)
			if packet == "2" {
				if err := p.post(ctx, "3"); err != nil {
					return err
				}
			}
		}
		if found {
			return nil
		}
	}
}

// join opens a session over polling that has joined the main namespace and said something.
func (s *soak) join(ctx context.Context) (*poller, error) {
	p, err := s.poller(ctx)
	if err != nil {
		return nil, err
	}
	if err := p.post(ctx, "40"); err != nil {
		return nil, err
	}
	if err := p.until(ctx, "40{"); err != nil {
		return nil, err
	}
	s.joined.Add(1)
	if err := p.post(ctx, `421["echo","x"]`); err != nil {
		return nil, err
	}
	return p, p.until(ctx, `431["x"]`)
}

func (s *soak) pollAndLeave(ctx context.Context) error {
	p, err := s.join(ctx)
	if err != nil {
		return err
	}
	return p.post(ctx, "41\x1e1")
}

func (s *soak) pollAndVanish(ctx context.Context) error {
	_, err := s.join(ctx)
	return err
}

func (s *soak) pollAndCutPoll(ctx context.Context) error {
	p, err := s.join(ctx)
	if err != nil {
		return err
	}
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	for err == nil {
		err = p.until(short, "no such packet")
	}
	return ctx.Err()
}

func (s *soak) pollGarbage(ctx context.Context) error {
	p, err := s.join(ctx)
	if err != nil {
		return err
	}
	return p.post(ctx, "4garbage")
}

// A wire is a WebSocket.
type wire struct {
	*soak
	conn *websocket.Conn
}

// dial opens a WebSocket that ends with the context.
func (s *soak) dial(ctx context.Context, path string) (*wire, error) {
	conn, _, err := websocket.Dial(ctx, s.url+path, nil)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { conn.CloseNow() })
	return &wire{s, conn}, nil
}

func (w *wire) send(ctx context.Context, packets ...string) error {
	for _, packet := range packets {
		if err := w.conn.Write(ctx, websocket.MessageText, []byte(packet)); err != nil {
			return err
		}
	}
	return nil
}

// until reads until a packet with a prefix comes, and answers pings.
func (w *wire) until(ctx context.Context, prefix string) error {
	for {
		_, data, err := w.conn.Read(ctx)
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(string(data), prefix):
			return nil
		case string(data) == "2":
			if err := w.send(ctx, "3"); err != nil {
				return err
			}
		}
	}
}

// closed reads until the server closes.
func (w *wire) closed(ctx context.Context) error {
	var err error
	for err == nil {
		err = w.until(ctx, "no such packet")
	}
	w.conn.CloseNow()
	return ctx.Err()
}

// talk opens a WebSocket that has joined the main namespace and said something.
func (s *soak) talk(ctx context.Context) (*wire, error) {
	w, err := s.dial(ctx, overWebSocket)
	if err != nil {
		return nil, err
	}
	if err := w.until(ctx, "0{"); err != nil {
		return nil, err
	}
	if err := w.send(ctx, "40"); err != nil {
		return nil, err
	}
	if err := w.until(ctx, "40{"); err != nil {
		return nil, err
	}
	s.joined.Add(1)
	if err := w.send(ctx, `421["echo","x"]`); err != nil {
		return nil, err
	}
	return w, w.until(ctx, `431["x"]`)
}

func (s *soak) socketAndLeave(ctx context.Context) error {
	w, err := s.talk(ctx)
	if err != nil {
		return err
	}
	defer w.conn.CloseNow()
	if err := w.send(ctx, "41", "40"); err != nil {
		return err
	}
	if err := w.until(ctx, "40{"); err != nil {
		return err
	}
	s.joined.Add(1)
	return w.send(ctx, "41")
}

func (s *soak) socketAndClose(ctx context.Context) error {
	w, err := s.talk(ctx)
	if err != nil {
		return err
	}
	return w.conn.Close(websocket.StatusNormalClosure, "")
}

func (s *soak) socketAndCut(ctx context.Context) error {
	w, err := s.talk(ctx)
	if err != nil {
		return err
	}
	return w.conn.CloseNow()
}

func (s *soak) socketGarbage(ctx context.Context) error {
	w, err := s.talk(ctx)
	if err != nil {
		return err
	}
	if err := w.send(ctx, "4garbage"); err != nil {
		return err
	}
	return w.closed(ctx)
}

func (s *soak) socketWithoutConnect(ctx context.Context) error {
	w, err := s.dial(ctx, overWebSocket)
	if err != nil {
		return err
	}
	defer w.conn.CloseNow()
	return w.until(ctx, "0{")
}

// probe begins the upgrade of a session over polling.
func (s *soak) probe(ctx context.Context) (*poller, *wire, error) {
	p, err := s.join(ctx)
	if err != nil {
		return nil, nil, err
	}
	w, err := s.dial(ctx, strings.Replace(p.path, "polling", "websocket", 1))
	if err != nil {
		return nil, nil, err
	}
	if err := w.send(ctx, "2probe"); err != nil {
		return nil, nil, err
	}
	return p, w, w.until(ctx, "3probe")
}

// upgraded completes it and says something.
func (s *soak) upgraded(ctx context.Context) (*wire, error) {
	_, w, err := s.probe(ctx)
	if err != nil {
		return nil, err
	}
	if err := w.send(ctx, "5", `422["echo","y"]`); err != nil {
		return nil, err
	}
	return w, w.until(ctx, `432["y"]`)
}

func (s *soak) upgradeAndLeave(ctx context.Context) error {
	w, err := s.upgraded(ctx)
	if err != nil {
		return err
	}
	if err := w.send(ctx, "41"); err != nil {
		return err
	}
	return w.conn.Close(websocket.StatusNormalClosure, "")
}

func (s *soak) upgradeAndCut(ctx context.Context) error {
	w, err := s.upgraded(ctx)
	if err != nil {
		return err
	}
	return w.conn.CloseNow()
}

// upgradeHalf loses the WebSocket before the switch, and goes on polling.
func (s *soak) upgradeHalf(ctx context.Context) error {
	p, w, err := s.probe(ctx)
	if err != nil {
		return err
	}
	w.conn.CloseNow()
	if err := p.post(ctx, `423["echo","z"]`); err != nil {
		return err
	}
	if err := p.until(ctx, `433["z"]`); err != nil {
		return err
	}
	return p.post(ctx, "1")
}
