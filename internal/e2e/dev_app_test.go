package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A devApp is an app that was made by devserver new and is run by devserver dev, as a person has it.
type devApp struct {
	t      *testing.T
	dir    string
	url    string
	args   []string // of devserver dev, besides the port; prepare may set them
	env    []string // of it; so may this
	output lockedBuffer
}

// newDevApp makes an app from a template, with more arguments if there are any, lets prepare change it, and runs it
// until the test ends.
func newDevApp(t *testing.T, template string, prepare func(a *devApp), more ...string) *devApp {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(t.TempDir(), "devserver")
	if out, err := exec.Command("go", "build", "-o", bin, root+"/cmd/devserver").CombinedOutput(); err != nil {
		t.Fatalf("building devserver: %v\n%s", err, out)
	}
	a := &devApp{t: t, dir: filepath.Join(t.TempDir(), "square")}
	if out, err := exec.Command(bin, append([]string{"new", a.dir, "--template", template, "--no-git", "--framework-dir", root}, more...)...).CombinedOutput(); err != nil {
		t.Fatalf("devserver new: %v\n%s", err, out)
	}
	prepare(a)
	cmd := exec.Command(bin, append([]string{"dev", "--port", "0"}, a.args...)...)
	cmd.Env = append(os.Environ(), a.env...)
	cmd.Dir = a.dir
	cmd.Stdout, cmd.Stderr = &a.output, &a.output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		kill := time.AfterFunc(30*time.Second, func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
		defer kill.Stop()
		if err := cmd.Wait(); err != nil {
			t.Errorf("devserver: %v", err)
		}
		if t.Failed() {
			t.Logf("devserver printed:\n%s", a.output.String())
		}
	})
	a.await("the first build", func() bool {
		_, rest, ready := strings.Cut(a.output.String(), " at http://localhost:")
		port, _, whole := strings.Cut(rest, "\n")
		a.url = "http://127.0.0.1:" + port
		return ready && whole
	})
	return a
}

// await waits until something is the case, within two minutes.
func (a *devApp) await(what string, is func() bool) {
	a.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(2 * time.Minute); !is(); <-tick.C {
		if time.Now().After(end) {
			a.t.Fatalf("%s did not come; devserver printed:\n%s", what, a.output.String())
		}
	}
}

func (a *devApp) read(name string) string {
	a.t.Helper()
	text, err := os.ReadFile(filepath.Join(a.dir, name))
	if err != nil {
		a.t.Fatal(err)
	}
	return string(text)
}

func (a *devApp) write(name, text string) {
	a.t.Helper()
	if err := os.WriteFile(filepath.Join(a.dir, name), []byte(text), 0o644); err != nil {
		a.t.Fatal(err)
	}
}

// edit saves a file with one part of it replaced.
func (a *devApp) edit(name, old, now string) {
	a.t.Helper()
	text := a.read(name)
	if !strings.Contains(text, old) {
		a.t.Fatalf("%s does not contain %q:\n%s", name, old, text)
	}
	a.write(name, strings.Replace(text, old, now, 1))
}

// get asks the app for something, which it has to have.
func get(client *http.Client, url string) (string, error) {
	res, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(res.Body); err != nil {
		return "", err
	}
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("GET %s: %s\n%s", url, res.Status, body.String())
	}
	return body.String(), nil
}

// A lockedBuffer takes output and can be read meanwhile.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
