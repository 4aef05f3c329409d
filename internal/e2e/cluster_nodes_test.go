//go:build unix

package e2e

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/internal/e2e/engines"
	"github.com/zocalo-go/zocalo/internal/services"
	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
)

// An engine is one on which clusters are tested.
type engine struct {
	name  string // of package engines
	start func(testing.TB) *services.Service
	url   func(addr string) string
}

// keepers are those that keep packets.
var keepers = []engine{
	{"redis", func(t testing.TB) *services.Service { return services.Redis(t) }, func(addr string) string { return "redis://" + addr }},
	{"nats", func(t testing.TB) *services.Service { return services.NATS(t) }, func(addr string) string { return "nats://" + addr }},
	{"postgres", services.Postgres, func(addr string) string { return "postgres://postgres@" + addr + "/postgres" }},
}

// signs is the time between two signs of life of the nodes, and half of that after which a silent one is taken for dead.
func signs() time.Duration { return time.Duration(sized(1, 2)) * time.Second }

// A fleet is a cluster of processes, and a server in this one that speaks to their clients.
type fleet struct {
	t       *testing.T
	engine  engine
	url     string // of the engine
	nodes   []*process
	emitter *realtime.Server
	sent    int
	turn    atomic.Uint32
}

// process is a node.
type process struct {
	fleet  *fleet
	binary string
	url    string // of the engine, as this node reaches it
	addr   string // where it listens; the same when it is started again
	cmd    *exec.Cmd
	exited chan struct{}
	err    error // once exited
	stderr bytes.Buffer
}

// buildNode builds the program that is a node, and returns its path.
func buildNode(t *testing.T, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clusternode")
	cmd := exec.Command("go", append(append([]string{"build", "-o", path}, args...), "./clusternode")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building a node: %v\n%s", err, out)
	}
	return path
}

func newFleet(t *testing.T, e engine, url string) *fleet {
	t.Helper()
	f := &fleet{t: t, engine: e, url: url}
	adapter, disconnect, err := engines.Open(e.name, url, cluster.Options{HeartbeatInterval: signs()})
	if err != nil {
		t.Fatal(err)
	}
	f.emitter = realtime.NewServer(realtime.Config{Adapter: adapter, Recovery: &realtime.Recovery{}})
	t.Cleanup(func() {
		f.emitter.Close()
		disconnect()
	})
	return f
}

// add starts a node that reaches the engine by a URL.
func (f *fleet) add(binary, url string) *process {
	f.t.Helper()
	p := &process{fleet: f, binary: binary, url: url, addr: "127.0.0.1:0"}
	f.nodes = append(f.nodes, p)
	p.start()
	f.t.Cleanup(func() {
		p.signal(syscall.SIGKILL)
		<-p.exited
		if f.t.Failed() {
			f.t.Logf("the node at %s logged\n%s", p.addr, p.stderr.String())
		}
	})
	return p
}

// start starts it, and returns when it listens.
func (p *process) start() {
	t := p.fleet.t
	t.Helper()
	p.cmd = exec.Command(p.binary, "-engine", p.fleet.engine.name, "-url", p.url, "-listen", p.addr, "-heartbeat", signs().String())
	p.cmd.Stderr = &p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	exited := make(chan struct{})
	p.exited = exited
	go func() {
		p.err = p.cmd.Wait()
		close(exited)
	}()
	if err != nil {
		<-exited
		t.Fatalf("a node does not listen: %v\n%s", err, p.stderr.String())
	}
	p.addr = strings.TrimSpace(addr)
}

func (p *process) signal(s os.Signal) { p.cmd.Process.Signal(s) }

// stop ends it in order, and fails the test when it does not.
func (p *process) stop() {
	p.fleet.t.Helper()
	p.signal(syscall.SIGTERM)
	<-p.exited
	if p.err != nil {
		p.fleet.t.Errorf("a node ended with %v", p.err)
	}
}

// kill ends it as a crash does.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.exited
}

// dial connects to one node after the other, but for those that do not listen.
func (f *fleet) dial() (net.Conn, error) {
	var last error
	for range f.nodes {
		n := f.nodes[int(f.turn.Add(1))%len(f.nodes)]
		conn, err := net.Dial("tcp", n.addr)
		if err == nil {
			return conn, nil
		}
		last = err
	}
	return nil, last
}

// balance is a load balancer of connections before the fleet, which returns its address.
func (f *fleet) balance() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.t.Fatal(err)
	}
	var pipes sync.WaitGroup
	pipes.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			pipes.Go(func() { f.join(client) })
		}
	})
	f.t.Cleanup(func() { listener.Close() }) // the pipes end with the nodes and the clients
	return listener.Addr().String()
}

// join copies between a client and a node until one of them ends.
func (f *fleet) join(client net.Conn) {
	defer client.Close()
	node, err := f.dial()
	if err != nil {
		return
	}
	go func() {
		io.Copy(node, client)
		node.Close()
	}()
	io.Copy(client, node)
	node.Close()
}

// emit sends so many ticks, numbered on, at a rate a second, while during runs, and not fewer than until that has ended.
func (f *fleet) emit(rate int, during func()) {
	f.t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		during()
	}()
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for {
		f.sent++
		if err := f.emitter.To("plaza").Emit("tick", f.sent); err != nil {
			f.t.Errorf("tick %d: %v", f.sent, err)
		}
		select {
		case <-done:
			return
		case <-tick.C:
		}
	}
}
