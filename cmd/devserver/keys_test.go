//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/zocalo-go/zocalo/internal/need"
)

// In a terminal, single keys restart, open, draw, clear and help; and Ctrl-C
// leaves the terminal as it was.
func TestKeys(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":           "module example.test/oaxaca\n\ngo 1.26\n",
		"main.go":          keysApp,
		"public/first.txt": "",
		"../browser.sh":    "#!/bin/sh\necho \"$1\" > '" + dir + "/public/opened.tmp' && mv '" + dir + "/public/opened.tmp' '" + dir + "/public/opened.txt'\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "--port", "0", "--host", "0.0.0.0")
	cmd.Args[0] = "devserver"
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "BROWSER="+filepath.Join(dir, "../browser.sh"), "NO_COLOR=", "TERM=xterm-256color", "PORT=")
	mine, its, err := pty.Open()
	if err != nil {
		need.Missing(t, "no pseudo-terminal: %v", err)
	}
	defer mine.Close()
	defer its.Close()
	before := localFlags(t, its)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = its, its, its
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	o := &output{grown: make(chan struct{})}
	go io.Copy(o, mine) // until mine is closed
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	await := func(re string) {
		t.Helper()
		if _, err := o.await(ctx, regexp.MustCompile(re)); err != nil {
			t.Fatal(err)
		}
	}
	press := func(keys string) { fmt.Fprint(mine, keys) }

	await(`press h for help`)
	if localFlags(t, its)&(unix.ICANON|unix.ECHO) != 0 {
		t.Error("the terminal waits for Enter, or echoes")
	}
	await("\x1b\\[32mINFO\x1b\\[0m serving")
	press("h")
	await(`build and restart[\s\S]*http://localhost:\d+/_dev/`)
	press("r")
	await(`restarted\S* in \d+ ms`)
	press("q")
	await(`▀[\s\S]*http://|only this machine`) // a machine without a network has no address
	press("c")
	await("\x1b\\[H.*oaxaca")
	press("o")
	await(`reloaded\S* .*public/opened\.txt`)
	press("\x03")
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if after := localFlags(t, its); after != before {
		t.Errorf("the terminal's flags were %x, and are %x", before, after)
	}
}

func localFlags(t *testing.T, f *os.File) uint32 {
	t.Helper()
	s, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return s.Lflag
}

const keysApp = `package main

import (
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
)

func main() {
	ln, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		log.Fatal(err)
	}
	slog.Info("serving")
	log.Fatal(http.Serve(ln, http.NotFoundHandler()))
}
`
