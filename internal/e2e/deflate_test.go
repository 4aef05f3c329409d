package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"

	"github.com/zocalo-go/zocalo/realtime"
)

// TestDeflate has Node's WebSocket client agree on permessage-deflate in each of its ways.
func TestDeflate(t *testing.T) {
	modules(t)
	engine := realtime.NewEngine(realtime.Config{
		Path:              "/engine.io/",
		PerMessageDeflate: &realtime.PerMessageDeflate{},
		Logger:            slog.New(slog.DiscardHandler),
	}, func(c *realtime.Conn) {
		c.OnMessage(func(data []byte, binary bool) { c.Send(string(data)) })
	})
	defer engine.Close()
	server := httptest.NewServer(engine)
	defer server.Close()

	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "node", "deflate.mjs")
	cmd.Dir = "node"
	cmd.Env = append(os.Environ(), "URL="+server.URL+"/engine.io/")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, stderr.Bytes())
	}
	refused := map[string]bool{"nothing": true, "the server's window is to be small": true}
	seen := 0
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); seen++ {
		var got struct {
			Name       string
			Extensions string
			Echoed     int
			Received   int // bytes on the wire
			Error      string
		}
		if err := json.Unmarshal(lines.Bytes(), &got); err != nil {
			t.Fatalf("from node: %s", lines.Bytes())
		}
		t.Run(got.Name, func(t *testing.T) {
			if got.Error != "" || got.Echoed != 4 {
				t.Errorf("%d of 4 messages came back; %s", got.Echoed, got.Error)
			}
			if plain := got.Extensions == ""; plain != refused[got.Name] {
				t.Errorf("agreed on %q", got.Extensions)
			}
			if small := got.Received < 10_000; small == refused[got.Name] {
				t.Errorf("%d bytes came", got.Received)
			}
		})
	}
	if seen != 6 {
		t.Errorf("%d offers were tried, want 6", seen)
	}
}
