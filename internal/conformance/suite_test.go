package conformance

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestOfficialSuites runs the protocol suites of github.com/socketio/socket.io against the server, from the checkout
// that ZOCALO_SOCKETIO_REPO names. They are not ours to copy, and no registry has them, so without a checkout the test
// is skipped, also where everything else has to be there: TestWire and its neighbours pin the same contracts.
//
// Each suite connects to localhost:3000, so that port has to be free. To look for data races in the server, too, set
// GOFLAGS=-race.
func TestOfficialSuites(t *testing.T) {
	repo := os.Getenv("ZOCALO_SOCKETIO_REPO")
	if repo == "" {
		t.Skip("ZOCALO_SOCKETIO_REPO is not set to a checkout of github.com/socketio/socket.io: " +
			"the official protocol suites were not run")
	}
	server := filepath.Join(t.TempDir(), "server")
	if out, err := exec.Command("go", "build", "-o", server, "./server").CombinedOutput(); err != nil {
		t.Fatalf("building the server: %v\n%s", err, out)
	}
	for _, suite := range []struct {
		contract, folder string
		tests            int
	}{
		{"eio4", "docs/engine.io-protocol/v4-test-suite", 25},
		{"sio5", "docs/socket.io-protocol/v5-test-suite", 32},
	} {
		t.Run(suite.contract, func(t *testing.T) {
			folder := prepare(t, filepath.Join(repo, filepath.FromSlash(suite.folder)))
			start(t, server, suite.contract)

			cmd := exec.Command(filepath.Join("node_modules", ".bin", "mocha"), "--reporter", "json", "test-suite.js")
			cmd.Dir = folder
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, _ := cmd.Output() // mocha's status is the number of failures, which are in its report
			var report struct {
				Tests []struct {
					FullTitle string
					Err       struct{ Message string }
				}
			}
			if err := json.Unmarshal(out, &report); err != nil {
				t.Fatalf("mocha's report: %v\n%s%s", err, out, stderr.Bytes())
			}
			for _, test := range report.Tests {
				t.Run(test.FullTitle, func(t *testing.T) {
					if test.Err.Message != "" {
						t.Error(test.Err.Message)
					}
				})
			}
			if len(report.Tests) < suite.tests {
				t.Errorf("the suite ran %d tests, it should have %d", len(report.Tests), suite.tests)
			}
		})
	}
}

// prepare copies a suite to the user's cache and installs what it needs there, once for each lock file.
func prepare(t *testing.T, source string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	lock, err := os.ReadFile(filepath.Join(source, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(lock)
	folder := filepath.Join(cache, "zocalo", "suites", filepath.Base(source)+"-"+hex.EncodeToString(sum[:6]))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"package.json", "package-lock.json", "node-imports.js", "test-suite.js"} {
		data, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "node_modules", ".bin", "mocha")); err != nil {
		cmd := exec.Command("npm", "ci", "--no-audit", "--no-fund")
		cmd.Dir = folder
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("npm ci: %v\n%s", err, out)
		}
	}
	return folder
}

// start runs the server until the test ends, and fails the test for a data race that it reports.
func start(t *testing.T, server, contract string) {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command(server)
	cmd.Env = append(os.Environ(), "CONTRACT="+contract, "PORT=3000")
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the server ended with %v\n%s", err, stderr.Bytes())
		}
		if bytes.Contains(stderr.Bytes(), []byte("DATA RACE")) {
			t.Errorf("%s", stderr.Bytes())
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "READY ") {
		t.Fatalf("the server said %q, %v", line, err)
	}
}
