//go:build unix

package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// full reports whether the faults come at the size of a real cluster (make soak), and not at that of a test.
func full() bool { return os.Getenv("ZOCALO_SOAK") == "1" }

// together has tests run beside each other, but for soaks, whose times are of interest.
func together(t *testing.T) {
	if !full() {
		t.Parallel()
	}
}

// sized returns the first of two numbers for tests, the second for soaks.
func sized(small, large int) int {
	if full() {
		return large
	}
	return small
}

// faults are what may happen to a cluster. While each does, a server beside the nodes sends ticks to everybody.
var faults = []struct {
	name string
	run  func(*testing.T, *fleet, string)
}{
	{"DropEverybody", dropEverybody},
	{"RestartNode", restartNode},
	{"KillNode", killNode},
	{"PartitionNode", partitionNode},
}

// TestClusterFaults lets faults happen to clusters on engines that keep packets: every client hears every tick,
// once, in order, and goes on where it was.
func TestClusterFaults(t *testing.T) {
	together(t)
	binary := buildNode(t)
	for _, e := range keepers {
		t.Run(e.name, func(t *testing.T) {
			together(t)
			service := e.start(t)
			for _, fault := range faults {
				t.Run(fault.name, func(t *testing.T) {
					fault.run(t, newFleet(t, e, e.url(service.Addr)), binary)
				})
			}
		})
	}
}

// TestClusterClockOff lets a node live an hour ahead of the others.
func TestClusterClockOff(t *testing.T) {
	together(t)
	binary, ahead := buildNode(t), buildNode(t, "-overlay", ahead(t))
	for _, e := range keepers {
		t.Run(e.name, func(t *testing.T) {
			together(t)
			service := e.start(t)
			clockOff(newFleet(t, e, e.url(service.Addr)), binary, ahead)
		})
	}
}

// three starts three nodes.
func (f *fleet) three(binary string) {
	for range 3 {
		f.add(binary, f.url)
	}
}

// Everybody loses the connection again and again, is away for two seconds, and comes back to any node.
func dropEverybody(t *testing.T, f *fleet, binary string) {
	f.three(binary)
	clients := f.listen(sized(60, 1000))
	clients.pause = func() time.Duration { return 2 * time.Second }
	drops, every := sized(2, 4), time.Duration(sized(4, 15))*time.Second
	f.emit(sized(20, 10), func() {
		for range drops {
			<-time.After(every - 2*time.Second)
			clients.drop()
			<-time.After(2 * time.Second)
		}
	})
	clients.complete(0)
}

// One of three nodes stops in order and is started again, as in a deploy.
func restartNode(t *testing.T, f *fleet, binary string) {
	f.three(binary)
	clients := f.listen(sized(60, 2000))
	npm := f.npmListeners(sized(0, 6))
	f.emit(sized(20, 5), func() {
		<-time.After(time.Second)
		f.nodes[1].stop()
		clients.until("back", func() bool { return clients.there == len(clients.all) })
		f.nodes[1].start()
		<-time.After(2 * time.Second)
	})
	clients.complete(0)
	f.completeNPM(npm)
}

// A node dies without a word.
func killNode(t *testing.T, f *fleet, binary string) {
	f.three(binary)
	clients := f.listen(sized(60, 1000))
	f.emit(20, func() {
		<-time.After(2 * time.Second)
		f.nodes[0].kill()
		clients.until("back", func() bool { return clients.there == len(clients.all) })
		<-time.After(2 * time.Second)
	})
	clients.complete(sized(len(clients.all)/10, 0))
}

// A node reaches neither the engine nor the others, for longer than it takes to be taken for dead; its clients stay
// with it.
func partitionNode(t *testing.T, f *fleet, binary string) {
	service := f.url[strings.Index(f.url, "127.0.0.1"):]
	service, _, _ = strings.Cut(service, "/")
	wire := newProxy(t, service)
	f.add(binary, strings.Replace(f.url, service, wire.addr(), 1))
	f.add(binary, f.url)
	f.add(binary, f.url)
	clients := f.listen(sized(45, 300))
	f.emit(20, func() {
		<-time.After(time.Second)
		wire.stall()
		<-time.After(4 * signs())
		wire.cut()
		wire.resume()
		<-time.After(4 * signs())
	})
	clients.complete(sized(len(clients.all)/10, 0))
}

// clockOff sends clients to and fro between a node whose clock is wrong and others, and stops it.
func clockOff(f *fleet, binary, ahead string) {
	f.add(ahead, f.url)
	f.add(binary, f.url)
	f.add(binary, f.url)
	clients := f.listen(sized(45, 300))
	f.emit(20, func() {
		for range 3 {
			<-time.After(2 * time.Second)
			clients.drop()
		}
		clients.until("back", func() bool { return clients.there == len(clients.all) })
		f.nodes[0].stop()
		clients.until("back", func() bool { return clients.there == len(clients.all) })
	})
	clients.complete(sized(len(clients.all)/10, 0))
}

// ahead returns a file for go build's -overlay with which time.Now tells an hour more than it is. Faking the clock from
// outside does not reach programs in Go, which do not ask the C library.
func ahead(t *testing.T) string {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const now = "sec, nsec, mono := runtimeNow()\n"
	if strings.Count(string(source), now) < 1 {
		t.Fatalf("%s does not have %q any more: look where time.Now gets the seconds", path, now)
	}
	changed := filepath.Join(t.TempDir(), "time.go")
	if err := os.WriteFile(changed, []byte(strings.Replace(string(source), now, now+"\tsec += 3600\n", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(t.TempDir(), "overlay.json")
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{path: changed}})
	if err == nil {
		err = os.WriteFile(overlay, text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return overlay
}
