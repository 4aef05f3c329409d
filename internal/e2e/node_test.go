package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
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
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing(t, "%s is not installed: the official client was not tried", tool)
		}
	}
	if err := install(); err != nil {
		missing(t, "npm ci failed: the official client was not tried\n%v", err)
	}
}

// install runs npm ci where it was not run yet, or for another lock file.
func install() error {
	lock, err := os.Stat(filepath.Join("node", "package-lock.json"))
	if err != nil {
		return err
	}
	installed, err := os.Stat(filepath.Join("node", "node_modules", ".package-lock.json"))
	if err == nil && !installed.ModTime().Before(lock.ModTime()) {
		return nil
	}
	cmd := exec.Command("npm", "ci", "--no-audit", "--no-fund")
	cmd.Dir = "node"
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// officialBundle is the official client for pages.
var officialBundle = filepath.Join("node", "node_modules", "socket.io-client", "dist", "socket.io.js")

// missing skips the test for want of something, or fails it where everything has to be there.
func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("ZOCALO_REQUIRE_ALL") == "1" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}
