package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/zocalo-go/zocalo/internal/need"
)

// modes are the ways a client can hold its connection.
var modes = []string{"polling", "websocket", "upgrade"}

// TestNode sends npm's socket.io-client through every scenario.
func TestNode(t *testing.T) {
	modules(t)
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			place, err := json.Marshal(newPlace(t, mode, 200))
			if err != nil {
				t.Fatal(err)
			}
			runNode(t, "node.mjs", string(place))
		})
	}
}

// runNode runs a script, which reports the scenarios it tried on stdout, and makes a subtest of each.
func runNode(t *testing.T, script, place string) {
	t.Helper()
	var stderr bytes.Buffer
	// Node 20 has the WebSocket of browsers behind a flag; npm's clients bring their own.
	cmd := exec.CommandContext(t.Context(), "node", "--experimental-websocket", script)
	cmd.Dir = "node"
	cmd.Env = append(os.Environ(), "PLACE="+place)
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	count := 0
	for lines := bufio.NewScanner(stdout); lines.Scan(); count++ {
		var got report
		if err := json.Unmarshal(lines.Bytes(), &got); err != nil {
			t.Errorf("from node: %s", lines.Bytes())
			continue
		}
		got.check(t)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("node: %v\n%s", err, stderr.Bytes())
	}
	if count == 0 {
		t.Error("no scenario was run")
	}
}

// check makes a subtest of a report.
func (r report) check(t *testing.T) {
	t.Run(r.Name, func(t *testing.T) {
		if r.Error != "" {
			t.Error(r.Error)
		}
	})
}

// modules makes sure that npm's packages are installed, and skips the test where they cannot be.
func modules(t *testing.T) {
	t.Helper()
	need.Modules(t, "node")
}

// officialBundle is the official client for pages.
var officialBundle = filepath.Join("node", "node_modules", "socket.io-client", "dist", "socket.io.js")
