package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/zocalo-go/zocalo/internal/need"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"devserver": main})
}

// The scripts run devserver as a process of its own. Beside testscript's own
// commands they have
//
//	serve ARGS       starts devserver and waits until it names a URL, which is then $URL
//	stop             interrupts it and waits; then the output is stdout and stderr
//	line REGEXP      waits for a line of its output
//	get PATH         asks $URL; the body is stdout, the status the first word of stderr
//	gone REGEXP      the process whose number stands in the output has ended
//	staticcheck      runs it over the module, where it is installed
//	busy             occupies a port, which is then $BUSY
func TestScripts(t *testing.T) {
	var cache, modules bytes.Buffer
	for name, out := range map[string]*bytes.Buffer{"GOCACHE": &cache, "GOMODCACHE": &modules} {
		cmd := exec.Command("go", "env", name)
		cmd.Stdout = out
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("GOCACHE", strings.TrimSpace(cache.String()))
			env.Setenv("GOMODCACHE", strings.TrimSpace(modules.String()))
			env.Setenv("GOPROXY", "off")
			env.Setenv("GOFLAGS", "-mod=readonly")
			env.Values["server"] = &server{}
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"serve": serve, "stop": stop, "line": line, "get": get, "busy": busy, "gone": gone, "staticcheck": staticcheck,
		},
	})
}

// server is the devserver that a script started.
type server struct {
	cmd    *exec.Cmd
	output *output
}

// output collects what a process prints and wakes who waits for a line.
type output struct {
	mu    sync.Mutex
	text  bytes.Buffer
	grown chan struct{} // closed when text grows
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.grown)
	o.grown = make(chan struct{})
	return o.text.Write(p)
}

// await returns the submatches of the first match of re.
func (o *output) await(ctx context.Context, re *regexp.Regexp) ([]string, error) {
	for {
		o.mu.Lock()
		m, grown, text := re.FindStringSubmatch(o.text.String()), o.grown, o.text.String()
		o.mu.Unlock()
		if m != nil {
			return m, nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return nil, fmt.Errorf("no %s in:\n%s", re, text)
		}
	}
}

func serve(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value("server").(*server)
	s.output = &output{grown: make(chan struct{})}
	exe, err := os.Executable()
	ts.Check(err)
	// testscript.Main chooses the command by the name it is called by.
	s.cmd = exec.Command(exe, args...)
	s.cmd.Args[0] = "devserver"
	s.cmd.Dir = ts.MkAbs(".")
	s.cmd.Stdout, s.cmd.Stderr = s.output, s.output
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOFLAGS", "PORT", "NO_COLOR", "BROWSER"} {
		s.cmd.Env = append(s.cmd.Env, name+"="+ts.Getenv(name))
	}
	ts.Check(s.cmd.Start())
	ts.Defer(func() {
		if s.cmd != nil {
			s.cmd.Process.Kill()
			s.cmd.Wait()
		}
	})
	line(ts, false, []string{`(?:at )(http://[^\s;]+)`})
}

func line(ts *testscript.TestScript, neg bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	m, err := ts.Value("server").(*server).output.await(ctx, regexp.MustCompile(args[0]))
	ts.Check(err)
	if len(m) > 1 {
		ts.Setenv("URL", m[1])
	}
}

func stop(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value("server").(*server)
	ts.Check(s.cmd.Process.Signal(os.Interrupt))
	err := s.cmd.Wait()
	s.cmd = nil
	fmt.Fprint(ts.Stdout(), s.output.text.String())
	ts.Check(err)
}

func get(ts *testscript.TestScript, neg bool, args []string) {
	res, err := http.Get(ts.Getenv("URL") + args[0])
	ts.Check(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%s\n", body)
	fmt.Fprintln(ts.Stderr(), res.Status)
}

func busy(ts *testscript.TestScript, neg bool, args []string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { ln.Close() })
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	ts.Setenv("BUSY", port)
}

// gone looks into /proc. A process that nobody waits for, a zombie, has ended.
func gone(ts *testscript.TestScript, neg bool, args []string) {
	m, err := ts.Value("server").(*server).output.await(context.Background(), regexp.MustCompile(args[0]))
	ts.Check(err)
	stat, err := os.ReadFile("/proc/" + m[1] + "/stat")
	if err != nil {
		return
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	if !strings.HasPrefix(state, "Z") && !strings.HasPrefix(state, "X") {
		ts.Fatalf("process %s is still there: %s", m[1], stat)
	}
}

// staticcheck is run where it is installed.
func staticcheck(ts *testscript.TestScript, neg bool, args []string) {
	path, err := exec.LookPath("staticcheck")
	if err != nil {
		if need.All() {
			ts.Fatalf("staticcheck is not installed: go install honnef.co/go/tools/cmd/staticcheck@v0.8.2")
		}
		ts.Logf("SKIPPED: staticcheck is not installed")
		return
	}
	cmd := exec.Command(path, "./...")
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=mod", "PWD="+cmd.Dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		ts.Fatalf("staticcheck: %v\n%s", err, out)
	}
}
