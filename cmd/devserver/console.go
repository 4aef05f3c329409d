package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/zocalo-go/zocalo/internal/dev"
	"github.com/zocalo-go/zocalo/internal/terminal"
)

// A console tells the user what happens: with colours on a terminal, unless
// NO_COLOR is set (no-color.org), and in plain lines everywhere else.
type console struct {
	w        io.Writer
	terminal bool // somebody looks
	colour   bool
	keys     bool   // and may press them
	name     string // of the app
	url      string // on this machine
	// network is the URL for other machines, or empty.
	network string
	open    bool // in the browser, when the app is ready
	nodes   int  // if there are several
	greeted sync.Once
}

func newConsole(w io.Writer) *console {
	c := &console{w: w}
	if f, ok := w.(*os.File); ok && os.Getenv("TERM") != "dumb" {
		info, err := f.Stat()
		c.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
		c.colour = c.terminal && os.Getenv("NO_COLOR") == "" && terminal.Escapes(f)
	}
	return c
}

func (c *console) printf(format string, args ...any) { fmt.Fprintf(c.w, format, args...) }

func (c *console) bold(s string) string  { return c.style("1", s) }
func (c *console) faint(s string) string { return c.style("2", s) }
func (c *console) fail(s string) string  { return c.style("1;31", s) }
func (c *console) good(s string) string  { return c.style("32", s) }
func (c *console) link(s string) string  { return c.style("4;36", s) }
func (c *console) warn(s string) string  { return c.style("33", s) }

func (c *console) style(code, s string) string {
	if !c.colour {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// report prints an event of the session.
func (c *console) report(e dev.Event) {
	switch e.Kind {
	case dev.Ready:
		first := false
		c.greeted.Do(func() { first = true })
		if first {
			c.greet(e.Took)
		} else {
			c.printf("%s in %s %s\n", c.good("restarted"), milliseconds(e.Took), c.faint(list(e.Files)))
		}
	case dev.Reloaded:
		c.printf("%s %s\n", c.good("reloaded"), c.faint(list(e.Files)))
	case dev.Rerendered:
		c.printf("%s %s\n", c.good("rerendered"), c.faint(list(e.Files)))
	case dev.Swapped:
		c.printf("%s %s\n", c.good("swapped"), c.faint(list(e.Files)))
	case dev.Failed:
		c.printf("%s\n", c.fail(e.Problem.Title+": "+e.Problem.Detail))
		if e.Problem.Build {
			c.printf("%s\n", e.Problem.Output) // an app's last words have been seen
		}
		c.printf("%s\n", c.faint("shown at "+c.url+"; save the fix to go on"))
	case dev.Warned:
		c.printf("%s\n", c.warn("warning: "+e.Err.Error()))
	}
}

// greet says once where the app is.
func (c *console) greet(took time.Duration) {
	c.printf("%s ready in %s at %s\n", c.bold(c.name), milliseconds(took), c.link(c.url))
	if c.nodes > 1 {
		c.printf("%d nodes behind it; what each does: %s\n", c.nodes, c.link(c.url+"/_dev/"))
	}
	if c.network != "" {
		c.printf("on the network at %s\n", c.link(c.network))
	}
	if c.keys {
		c.printf("%s\n", c.faint("press h for help"))
	}
	if c.open {
		c.browse(c.url)
	}
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }

// list names a few files.
func list(files []string) string {
	const most = 3
	if len(files) > most {
		return strings.Join(files[:most], ", ") + fmt.Sprintf(" and %d more", len(files)-most)
	}
	return strings.Join(files, ", ")
}
