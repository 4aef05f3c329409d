package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// connected is how the demo's page shows that its socket is there.
const connected = "state=here "

// measureOurs makes apps with devserver new and saves files of the last one.
func measureOurs(ctx context.Context, s settings, r *report, w *window, scratch string) error {
	root, err := filepath.Abs("..")
	if err != nil {
		return err
	}
	devserver := filepath.Join(scratch, "devserver")
	// A build cache that has what installing devserver leaves in it, and nothing else.
	env := append(os.Environ(), "GOCACHE="+filepath.Join(scratch, "gocache"))
	if err := command(ctx, root, env, "go", "build", "-o", devserver, "./cmd/devserver"); err != nil {
		return err
	}

	fromNothing := r.row("nothing to a page whose socket is connected", "", ours)
	first := r.row("the same, the first app of a machine", "", ours)
	for n := range s.starts {
		dir := filepath.Join(scratch, "hello"+strconv.Itoa(n))
		port, err := freePort()
		if err != nil {
			return err
		}
		begin := time.Now()
		if err := command(ctx, scratch, env, devserver, "new", filepath.Base(dir)); err != nil {
			return err
		}
		p, err := launch(ctx, dir, env, devserver, "dev", "--port", port)
		if err != nil {
			return err
		}
		at, err := p.open(w, port, connected)
		if err == nil {
			row := fromNothing
			if n == 0 {
				row = first
			}
			row.add(at.Sub(begin))
		}
		if err == nil && n == s.starts-1 {
			err = saveOurs(s, r, w, dir)
		}
		p.stop()
		if err != nil {
			return fmt.Errorf("%w\nit printed:\n%s", err, p.output.String())
		}
	}
	return nil
}

// saveOurs prepares the demo so that each kind of file shows in it, and saves each.
func saveOurs(s settings, r *report, w *window, dir string) error {
	style := edit{file: filepath.Join(dir, "public", "plaza.css"), text: ":root { --saved: %d; }\n"}
	if err := style.append(0); err != nil {
		return err
	}
	if _, err := w.until("css=0 "); err != nil {
		return err
	}
	view := edit{file: filepath.Join(dir, "views", "index.handlebars"), text: "<p id=\"saved\">view-%d {{saved}}</p>\n"}
	code := edit{file: filepath.Join(dir, "main.go"), text: "\t\t\"saved\": func() string { return \"go-%d\" },\n"}
	if err := code.insert("handlebars.Helpers{\n", 0); err != nil {
		return err
	}
	if _, err := w.until(connected); err != nil {
		return err
	}
	if err := view.append(0); err != nil {
		return err
	}
	if _, err := w.until("text=view-0 go-0 ", connected); err != nil {
		return err
	}
	css, views, page, socket := r.row("save of a stylesheet", "50 ms", ours), r.row("save of a view", "100 ms", ours),
		r.row("save of a `.go` file", "700 ms", ours), r.row("the same, until its socket is back", "", ours)
	for n := 1; n <= s.saves; n++ {
		if err := style.save(w, css, n, "css="+strconv.Itoa(n)+" "); err != nil {
			return err
		}
		if err := view.save(w, views, n, fmt.Sprintf("text=view-%d ", n)); err != nil {
			return err
		}
		if err := code.save(w, page, n, fmt.Sprintf("text=view-%d go-%d ", n, n)); err != nil {
			return err
		}
		back, err := w.untilAlso(connected)
		if err != nil {
			return err
		}
		socket.add(back.Sub(code.saved))
		time.Sleep(time.Second) // what the restart leaves to do is no part of the next save
	}
	return nil
}

// An edit is one place in a file, whose text has a number in it.
type edit struct {
	file, text string
	last       string
	saved      time.Time // when save wrote it
}

func (e *edit) append(n int) error {
	old, err := os.ReadFile(e.file)
	if err != nil {
		return err
	}
	e.last = fmt.Sprintf(e.text, n)
	return os.WriteFile(e.file, append(old, e.last...), 0o644)
}

// insert puts the text behind a line.
func (e *edit) insert(behind string, n int) error {
	old, err := os.ReadFile(e.file)
	if err != nil {
		return err
	}
	if !bytes.Contains(old, []byte(behind)) {
		return fmt.Errorf("%s does not contain %q", e.file, behind)
	}
	e.last = fmt.Sprintf(e.text, n)
	return os.WriteFile(e.file, bytes.Replace(old, []byte(behind), []byte(behind+e.last), 1), 0o644)
}

// save writes another number, and adds how long it took until the page showed it.
func (e *edit) save(w *window, row *row, n int, shows ...string) error {
	old, err := os.ReadFile(e.file)
	if err != nil {
		return err
	}
	text := fmt.Sprintf(e.text, n)
	// Neither in step with the screen nor with any timer.
	time.Sleep(200*time.Millisecond + rand.N(200*time.Millisecond))
	e.saved = time.Now()
	if err := os.WriteFile(e.file, bytes.Replace(old, []byte(e.last), []byte(text), 1), 0o644); err != nil {
		return err
	}
	e.last = text
	at, err := w.until(shows...)
	if err != nil {
		return err
	}
	row.add(at.Sub(e.saved))
	return nil
}

// A program is a development server that runs.
type program struct {
	cmd    *exec.Cmd
	output syncBuffer
}

func launch(ctx context.Context, dir string, env []string, name string, args ...string) (*program, error) {
	p := &program{cmd: exec.CommandContext(ctx, name, args...)}
	p.cmd.Dir, p.cmd.Env = dir, env
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return p, p.cmd.Start()
}

// open shows the page as soon as somebody listens on the port.
func (p *program) open(w *window, port string, shows ...string) (time.Time, error) {
	address := "localhost:" + port
	for end := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			break
		}
		if time.Now().After(end) {
			return time.Time{}, err
		}
	}
	if err := w.visit("http://" + address + "/"); err != nil {
		return time.Time{}, err
	}
	return w.until(shows...)
}

// stop ends the program as Ctrl-C does.
func (p *program) stop() {
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGINT)
	kill := time.AfterFunc(10*time.Second, func() { syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) })
	defer kill.Stop()
	p.cmd.Wait()
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// command runs a program to its end; what it printed is part of the error.
func command(ctx context.Context, dir string, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, env
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
	return nil
}

// freePort is one that nobody listens on at the moment.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
