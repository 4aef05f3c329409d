package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// restartsApp counts its builds, and tells every socket what it is asked to.
const restartsApp = `package main

import (
	"log"
	"strconv"

	"github.com/zocalo-go/zocalo/app"
	"github.com/zocalo-go/zocalo/realtime"
)

const build = "build 0"

func main() {
	server := app.New()
	sockets := realtime.NewServer(realtime.Config{Recovery: &realtime.Recovery{}})
	sockets.On("connection", func(socket *realtime.Socket) {
		socket.On("build", func() string { return build })
	})
	server.Mount("/socket.io", sockets)
	server.Get("/", func(req *app.Request, res *app.Response) error { return res.Send(build) })
	server.Get("/tick/:n", func(req *app.Request, res *app.Response) error {
		n, err := strconv.Atoi(req.Param("n"))
		if err != nil {
			return err
		}
		sockets.Emit("tick", n)
		return res.Send("sent")
	})
	if err := server.Listen(""); err != nil {
		log.Fatal(err)
	}
}
`

// TestDevRestarts saves a Go file twenty times while requests come and sockets are connected: no request fails, and
// every socket comes back each time and goes on where it was, without a gap and without anything twice.
func TestDevRestarts(t *testing.T) {
	modules(t)
	const saves, clients = 20, 50
	a := newDevApp(t, "minimal", func(a *devApp) { a.write("main.go", restartsApp) })
	crowd := newCrowd(t, a.url, clients)
	crowd.await(t, a, clients, "build 0", false)

	ticks, pages := newLoad(t), newLoad(t)
	ticks.run(func(n int) error {
		_, err := get(fresh, fmt.Sprintf("%s/tick/%d", a.url, n))
		return err
	})
	pages.run(func(int) error {
		page, err := get(http.DefaultClient, a.url+"/")
		if err == nil && !strings.HasPrefix(page, "build ") {
			err = fmt.Errorf("the page is %q", page)
		}
		return err
	})
	for n := 1; n <= saves; n++ {
		if n == saves/2 { // a mistake, during which the build before goes on
			a.edit("main.go", "server := app.New()", "server := app.Neu()")
			a.await("the mistake", func() bool { return strings.Contains(a.output.String(), "app.Neu") })
			a.edit("main.go", "server := app.Neu()", "server := app.New()")
		}
		a.edit("main.go", fmt.Sprintf(`"build %d"`, n-1), fmt.Sprintf(`"build %d"`, n))
		a.await(fmt.Sprintf("build %d", n), func() bool {
			page, err := get(fresh, a.url+"/")
			if err != nil {
				t.Fatal(err)
			}
			return page == fmt.Sprintf("build %d", n)
		})
		crowd.await(t, a, clients, fmt.Sprintf("build %d", n), true)
	}
	last := ticks.stop()
	requests := last + pages.stop()
	crowd.complete(t, a, last)
	t.Logf("%d requests, %d ticks to each of %d sockets, during %d restarts", requests, last, clients, saves)
}

// fresh makes a connection for each request: one that is refused shows.
var fresh = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// A load is requests at fifty a second, one after the other; what comes late is made up for.
type load struct {
	t     *testing.T
	ended chan struct{}
	quit  chan struct{}
	once  sync.Once
	done  int // read when ended
}

func newLoad(t *testing.T) *load {
	l := &load{t: t, ended: make(chan struct{}), quit: make(chan struct{})}
	return l
}

// run calls request with 1, 2, 3 … until stop, or until one fails.
func (l *load) run(request func(n int) error) {
	l.t.Cleanup(func() { l.stop() })
	go func() {
		defer close(l.ended)
		tick := time.NewTicker(time.Second / 50)
		defer tick.Stop()
		begin := time.Now()
		for {
			select {
			case <-l.quit:
				return
			case <-tick.C:
			}
			for due := int(time.Since(begin) * 50 / time.Second); l.done < due; l.done++ {
				if err := request(l.done + 1); err != nil {
					l.t.Errorf("request %d: %v", l.done+1, err)
					return
				}
			}
		}
	}()
}

// stop ends the load and returns how many requests it made.
func (l *load) stop() int {
	l.once.Do(func() { close(l.quit) })
	<-l.ended
	return l.done
}

// A crowd is npm's clients in a process of Node.
type crowd struct {
	stdin  *json.Encoder
	says   chan crowdLine
	stderr bytes.Buffer
}

type crowdLine struct {
	Client    int
	Build     string
	Recovered bool
	Transport string
	Fault     string
	Complete  int
}

func newCrowd(t *testing.T, url string, clients int) *crowd {
	t.Helper()
	place, err := json.Marshal(map[string]any{"url": url, "clients": clients})
	if err != nil {
		t.Fatal(err)
	}
	c := &crowd{says: make(chan crowdLine, 1000)}
	cmd := exec.CommandContext(t.Context(), "node", "restarts.mjs")
	cmd.Dir = "node"
	cmd.Env = append(os.Environ(), "PLACE="+string(place))
	cmd.Stderr = &c.stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.stdin = json.NewEncoder(stdin)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.says)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			line := crowdLine{Client: -1}
			if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
				line.Fault = "from node: " + lines.Text()
			}
			c.says <- line
		}
	}()
	t.Cleanup(func() {
		stdin.Close()
		for range c.says {
		}
		if err := cmd.Wait(); err != nil && t.Context().Err() == nil {
			t.Errorf("node: %v\n%s", err, c.stderr.String())
		}
	})
	return c
}

// next returns what the crowd says next, which is no fault.
func (c *crowd) next(t *testing.T, what string) crowdLine {
	t.Helper()
	select {
	case line, ok := <-c.says:
		if !ok {
			t.Fatalf("node ended: %s", c.stderr.String())
		}
		if line.Fault != "" {
			t.Fatal(line.Fault)
		}
		return line
	case <-time.After(2 * time.Minute):
		t.Fatalf("%s did not come", what)
		panic("unreachable")
	}
}

// await waits until so many clients have connected to a build. On a machine that has too much to do one may do so
// twice, for want of a heartbeat; it goes on where it was then, too.
func (c *crowd) await(t *testing.T, a *devApp, clients int, build string, recovered bool) {
	t.Helper()
	there, again := map[int]bool{}, 0
	for len(there) < clients {
		line := c.next(t, "every client")
		second := there[line.Client] || line.Build != build
		if line.Recovered != (recovered || second) {
			t.Fatalf("client %d (%s) connected to %s with recovered %v; devserver printed:\n%s",
				line.Client, line.Transport, line.Build, line.Recovered, a.output.String())
		}
		if second {
			again++
		}
		if line.Build == build {
			there[line.Client] = true
		}
	}
	if again > 0 {
		t.Logf("%s: %d connections came a second time", build, again)
	}
}

// complete waits until every client has seen the last tick.
func (c *crowd) complete(t *testing.T, a *devApp, last int) {
	t.Helper()
	if err := c.stdin.Encode(last); err != nil {
		t.Fatal(err)
	}
	if line := c.next(t, "the last tick"); line.Complete != last {
		t.Fatalf("the crowd says %+v, want everything up to %d; devserver printed:\n%s", line, last, a.output.String())
	}
}
