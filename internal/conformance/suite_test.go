package conformance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A suite is one run of an official suite against a server.
type suite struct {
	name     string
	contract string   // what the server answers
	server   []string // further environment of the server
	folder   func(*testing.T, string) string
	mocha    []string // arguments
	env      []string // further environment of mocha
	tests    int      // how many have to pass
	inherent []string // titles of tests that cannot pass, and do not with Node's server either
}

// suites returns the suites, most of them with several settings of the client.
func suites() []suite {
	protocol := []string{"--exit", "test-suite.js"}
	engineClient := []string{"--exit", "test/index.js"}
	// Two tests connect to port 80, where nobody listens, and race the refusal against a clock they stop.
	client := []string{"--import=tsx", "--exit", "--invert", "--grep", "reconnect timeout should use", "test/index.ts"}
	return []suite{
		{name: "engine.io-v4", contract: "eio4", folder: protocolSuite("docs/engine.io-protocol/v4-test-suite"), mocha: protocol, tests: 25},
		{name: "engine.io-v3", contract: "eio3", folder: oldProtocolSuite, mocha: protocol, tests: 23},
		{name: "socket.io-v5", contract: "sio5", folder: protocolSuite("docs/socket.io-protocol/v5-test-suite"), mocha: protocol, tests: 32},
		{name: "engine.io-client", contract: "eioc", folder: clientSuite("engine.io-client"), mocha: engineClient, tests: 83},
		{name: "engine.io-client-fetch", contract: "eioc", folder: clientSuite("engine.io-client"), mocha: engineClient,
			env: []string{"USE_FETCH=1"}, tests: 82},
		{name: "socket.io-client", contract: "sioc", folder: clientSuite("socket.io-client"), mocha: client, tests: 109},
		{name: "socket.io-client-polling", contract: "sioc", folder: clientSuite("socket.io-client"), mocha: client,
			env: []string{"TRANSPORTS=polling"}, tests: 109},
		{name: "socket.io-client-websocket", contract: "sioc", folder: clientSuite("socket.io-client"), mocha: client,
			env: []string{"TRANSPORTS=websocket"}, tests: 109},
		{name: "socket.io-client-msgpack", contract: "sioc", server: []string{"CODEC=msgpack"}, folder: clientSuite("socket.io-client"),
			mocha: client, env: []string{"PARSER=socket.io-msgpack-parser"}, tests: 100, inherent: []string{
				// MessagePack keeps dates.
				"connection should receive date with ack",
				"connection should emit date as string",
				"connection should emit date in object",
				// What npm's parser reads in Node is a Buffer.
				"connection should get binary data (as an ArrayBuffer)",
				// The packets are compared with text.
				"connection should not reopen a cached but active socket",
				"connection should not reopen an already active socket",
				"retry should preserve the order of the packets",
				"retry should fail when the server does not acknowledge the packet",
				"retry should not emit a packet twice in the 'connect' handler",
			}},
	}
}

// TestOfficialSuites runs the suites of github.com/socketio/socket.io against the server, from the checkout that
// ZOCALO_SOCKETIO_REPO names: those of the protocols, and those of the JavaScript clients, whose own server ours takes
// the place of. They are not ours to copy, and no registry has them, so without a checkout the test is skipped, also
// where everything else has to be there: TestWire and its neighbours pin the same contracts.
//
// To look for data races in the server, too, set GOFLAGS=-race.
func TestOfficialSuites(t *testing.T) {
	repo := os.Getenv("ZOCALO_SOCKETIO_REPO")
	if repo == "" {
		t.Skip("ZOCALO_SOCKETIO_REPO is not set to a checkout of github.com/socketio/socket.io: " +
			"the official suites were not run")
	}
	server := filepath.Join(t.TempDir(), "server")
	if out, err := exec.Command("go", "build", "-o", server, "./server").CombinedOutput(); err != nil {
		t.Fatalf("building the server: %v\n%s", err, out)
	}
	for _, suite := range suites() {
		t.Run(suite.name, func(t *testing.T) {
			folder := suite.folder(t, repo)
			port := freePort(t)
			start(t, server, append(suite.server, "CONTRACT="+suite.contract, "PORT="+port))
			suite.check(t, suite.run(t, folder, port))
		})
	}
}

// A mochaReport is what mocha's JSON reporter writes.
type mochaReport struct {
	Tests []struct {
		FullTitle string
		Err       struct{ Message string }
	}
	Passes []struct{}
}

// run runs mocha in a suite's folder.
func (s suite) run(t *testing.T, folder, port string) mochaReport {
	t.Helper()
	output := filepath.Join(t.TempDir(), "report.json")
	args := append([]string{mocha(t, folder), "--reporter", "json", "--reporter-option", "output=" + output}, s.mocha...)
	cmd := exec.CommandContext(t.Context(), "node", args...)
	cmd.Dir = folder
	cmd.Env = append(append(os.Environ(), "PORT="+port), s.env...)
	cmd.WaitDelay = 10 * time.Second
	said, _ := cmd.CombinedOutput() // mocha's status is the number of failures, which are in its report
	data, err := os.ReadFile(output)
	var report mochaReport
	if err == nil {
		err = json.Unmarshal(data, &report)
	}
	if err != nil {
		t.Fatalf("mocha's report: %v\n%s", err, said)
	}
	return report
}

// check makes a subtest of each test that mocha ran.
func (s suite) check(t *testing.T, report mochaReport) {
	for _, test := range report.Tests {
		t.Run(test.FullTitle, func(t *testing.T) {
			if test.Err.Message == "" {
				return
			}
			for _, title := range s.inherent {
				if title == test.FullTitle {
					t.Logf("fails with every server: %s", test.Err.Message)
					return
				}
			}
			t.Error(test.Err.Message)
		})
	}
	if len(report.Passes) < s.tests {
		t.Errorf("%d tests passed, of which there should be %d", len(report.Passes), s.tests)
	}
}

// freePort returns a port that nobody listened on a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

// start runs the server until the test ends, and fails the test for a data race that it reports.
func start(t *testing.T, server string, env []string) {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command(server)
	cmd.Env = append(os.Environ(), env...)
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
		for _, fault := range []string{"DATA RACE", "panic"} {
			if bytes.Contains(stderr.Bytes(), []byte(fault)) {
				t.Errorf("the server said\n%s", stderr.Bytes())
			}
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "READY ") {
		t.Fatalf("the server said %q, %v", line, err)
	}
}
