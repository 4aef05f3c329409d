//go:build linux

package terminal_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/creack/pty"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/zocalo-go/zocalo/internal/need"
	"github.com/zocalo-go/zocalo/internal/terminal"
)

func TestMain(m *testing.M) {
	if how := os.Getenv("TERMINAL_TEST"); how != "" {
		watch(how)
		return
	}
	goleak.VerifyTestMain(m)
}

// watch is a program that listens to its terminal and then ends.
func watch(how string) {
	keys, err := terminal.Listen(os.Stdin)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer keys.Restore()
	fmt.Println("listening")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	keys.Watch(ctx, func(key byte) {
		fmt.Printf("key %q\n", key)
		switch {
		case key == 'x' && how == "panic":
			panic("on purpose")
		case key == 'x':
			cancel()
		}
	})
}

// Keys come one by one and unseen, and however the program ends, the terminal is
// as it was.
func TestKeys(t *testing.T) {
	for _, how := range []string{"end", "panic", "interrupt"} {
		t.Run(how, func(t *testing.T) {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "TERMINAL_TEST="+how)
			mine, its, err := pty.Open()
			if err != nil {
				need.Missing(t, "no pseudo-terminal: %v", err)
			}
			defer mine.Close()
			defer its.Close()
			before := flags(t, its)
			cmd.Stdin, cmd.Stdout, cmd.Stderr = its, its, its
			cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			await(t, mine, "listening")
			if flags(t, its)&(unix.ICANON|unix.ECHO) != 0 {
				t.Error("the terminal waits for Enter, or echoes")
			}
			fmt.Fprint(mine, "a")
			await(t, mine, `key 'a'`)
			if how == "interrupt" { // which is the program's to handle; here nothing is put back
				fmt.Fprint(mine, "\x03")
				if err := cmd.Wait(); err == nil {
					t.Error("Ctrl-C was not a signal")
				}
				return
			}
			fmt.Fprint(mine, "x")
			if err := cmd.Wait(); (err != nil) != (how == "panic") {
				t.Errorf("it ended with %v", err)
			}
			if after := flags(t, its); after != before {
				t.Errorf("the terminal's flags were %x, and are %x", before, after)
			}
		})
	}
}

// await reads until text comes.
func await(t *testing.T, r io.Reader, text string) {
	t.Helper()
	var all strings.Builder
	buf := make([]byte, 1024)
	for !strings.Contains(all.String(), text) {
		n, err := r.Read(buf)
		all.Write(buf[:n])
		if err != nil {
			t.Fatalf("no %q in %q: %v", text, all.String(), err)
		}
	}
}

func TestNoTerminal(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if _, err := terminal.Listen(r); !errors.Is(err, terminal.ErrNotTerminal) {
		t.Errorf("got %v", err)
	}
}

func TestQR(t *testing.T) {
	for _, colour := range []bool{false, true} {
		code, err := terminal.QR("http://192.168.1.17:8080", colour)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(code, "\n"), "\n")
		if len(lines) != 15 { // version 2 has 25 modules, and a border of 2 on each side
			t.Errorf("%d lines:\n%s", len(lines), code)
		}
		if strings.Contains(code, "\x1b") != colour {
			t.Errorf("colour is %v:\n%s", colour, code)
		}
		// The finder patterns stand in three corners.
		if want := map[bool]string{false: "██ ▄▄▄▄▄ █", true: "  █▀▀▀▀▀█ "}[colour]; !strings.Contains(lines[1], want) {
			t.Errorf("no finder pattern in %q", lines[1])
		}
	}
	if _, err := terminal.QR(strings.Repeat("x", 5000), false); err == nil {
		t.Error("5000 bytes fit")
	}
}
