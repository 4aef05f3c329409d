// Package routes tells what an app answers: its routes, and the events of its
// Socket.IO namespaces.
//
// Start with [List]. Two sources are joined. The app itself is built and run
// with the environment variable ZOCALO_ROUTES, which makes app.Listen write its
// routes to the file of that name instead of listening; no request is served,
// no port is opened. And the source of the app's module is type-checked, because
// the events of a client are registered when it connects: [Source] finds which
// ones the handlers of "connection" register, without a connection.
package routes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Variable is the environment variable that names the file for the app.
const Variable = "ZOCALO_ROUTES"

// A Listing is what an app answers.
type Listing struct {
	Routes     []Route     `json:"routes"`     // in the order in which the app tries them
	Namespaces []Namespace `json:"namespaces"` // of every Socket.IO server that is mounted
}

// A Route is an entry of the app's stack, as app.RouteInfo describes it.
type Route struct {
	Kind    string `json:"kind"`   // "route", "mount", "middleware" or "error handler"
	Method  string `json:"method"` // "" for all
	Pattern string `json:"pattern"`
	Handler string `json:"handler"`
	File    string `json:"file"`
	Line    int    `json:"line"`
}

// A Namespace is one of Socket.IO, or stands for those that clients make.
type Namespace struct {
	Path   string  `json:"path"`             // where its server is mounted; "" with Unknown
	Name   string  `json:"name"`             // of a parent its expression
	Parent bool    `json:"parent,omitempty"` // clients make the namespaces that match the expression
	Of     string  `json:"of,omitempty"`     // "unknown": the source does not tell which namespace has these events
	Events []Event `json:"events"`
}

// Unknown is Namespace.Of where the source does not tell the namespace.
const Unknown = "unknown"

// An Event is one that is handled.
type Event struct {
	From    string `json:"from"` // "server" or "client": who emits it
	Event   string `json:"event"`
	Handler string `json:"handler"` // the function, or the signature of a literal
	File    string `json:"file"`
	Line    int    `json:"line"`
}

// An App is what List looks at.
type App struct {
	Dir     string        // where the go command runs
	Package string        // to build, "." or "./cmd/web"
	Env     []string      // of the app, beside ours
	Timeout time.Duration // how long the app may take to tell; 10 s unless given
}

// List builds the app and returns what it answers, with absolute file names.
// The second result is why its source could not be read, when only that failed:
// then the listing lacks what clients emit.
func List(ctx context.Context, a App) (*Listing, error, error) {
	type found struct {
		source *Source
		err    error
	}
	sources := make(chan found, 1)
	go func() {
		s, err := Load(ctx, a.Dir, a.Package)
		sources <- found{s, err}
	}()
	told, err := a.ask(ctx)
	read := <-sources
	if err != nil {
		return nil, nil, err
	}
	listing := join(told, read.source)
	return listing, read.err, nil
}

// told is a line of the file: what one application said of itself.
type told struct {
	Routes []Route `json:"routes"`
	Mounts []struct {
		Pattern     string          `json:"pattern"`
		Description json.RawMessage `json:"description"`
	} `json:"mounts"`
}

// ask builds the app, runs it, and reads what it tells.
func (a App) ask(ctx context.Context) ([]told, error) {
	dir, err := os.MkdirTemp("", "devserver-routes-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	bin, file := filepath.Join(dir, "app.exe"), filepath.Join(dir, "routes.json")
	list := exec.CommandContext(ctx, "go", "list", "-e", "-f", "{{.Name}}", a.Package)
	list.Dir = a.Dir
	if name, err := list.Output(); err == nil && len(name) > 1 && string(name) != "main\n" {
		return nil, fmt.Errorf("%s is not package main, so there is no app to ask", a.Package)
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", bin, a.Package)
	build.Dir = a.Dir
	if out, err := build.CombinedOutput(); err != nil {
		if len(out) == 0 {
			return nil, fmt.Errorf("the app does not build: %w", err)
		}
		return nil, fmt.Errorf("the app does not build:\n%s", bytes.TrimSpace(out))
	}
	if a.Timeout == 0 {
		a.Timeout = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	output := &tail{}
	run := exec.CommandContext(ctx, bin)
	run.Dir, run.Stdout, run.Stderr = a.Dir, output, output
	run.Env = append(append(os.Environ(), a.Env...), Variable+"="+file)
	run.WaitDelay = time.Second // a grandchild may keep the output open
	runErr := run.Run()
	text, err := os.ReadFile(file)
	switch {
	case err == nil:
		return parse(text)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, fmt.Errorf("the app did not come to app.Listen within %v; it tells its routes there%s", a.Timeout, output)
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case runErr == nil:
		return nil, fmt.Errorf("the app ended without calling app.Listen or app.Serve, where it tells its routes%s", output)
	}
	return nil, fmt.Errorf("the app ended before it came to app.Listen, where it tells its routes: %w%s", runErr, output)
}

// parse reads the file: an object a line, one for each application that listens.
func parse(text []byte) ([]told, error) {
	var all []told
	decoder := json.NewDecoder(bytes.NewReader(text))
	for {
		var t told
		switch err := decoder.Decode(&t); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("what the app tells of its routes cannot be read: %w", err)
		}
		all = append(all, t)
	}
}

// described is what realtime.Server tells of itself.
type described struct {
	Kind       string
	Namespaces []struct {
		Name      string
		Parent    bool
		Listeners []struct {
			Event, Handler, File string
			Line                 int
		}
	}
}

// join makes a listing of what the apps told and what their source, which may
// be nil, says.
func join(all []told, source *Source) *Listing {
	listing := &Listing{Routes: []Route{}, Namespaces: []Namespace{}}
	for _, t := range all {
		for _, r := range t.Routes {
			// The runtime does not know where a method's value is written.
			if f := source.find(r.Handler, "", 0); f != nil {
				r.File, r.Line = f.pos.Filename, f.pos.Line
			}
			listing.Routes = append(listing.Routes, r)
		}
		for _, m := range t.Mounts {
			var d described
			if json.Unmarshal(m.Description, &d) != nil || d.Kind != "socket.io" {
				continue // of another kind of handler
			}
			for _, n := range d.Namespaces {
				namespace := Namespace{Path: strings.TrimSuffix(m.Pattern, "/*"), Name: n.Name, Parent: n.Parent, Events: []Event{}}
				for _, l := range n.Listeners {
					f := source.find(l.Handler, l.File, l.Line)
					namespace.Events = append(namespace.Events, Event{"server", l.Event, short(l.Handler), f.file(l.File), f.line(l.Line)})
					if l.Event == "connection" {
						namespace.Events = append(namespace.Events, source.events(f)...)
					}
				}
				listing.Namespaces = append(listing.Namespaces, namespace)
			}
		}
	}
	if rest := source.rest(); len(rest) > 0 {
		listing.Namespaces = append(listing.Namespaces, Namespace{Of: Unknown, Events: rest})
	}
	for i, n := range listing.Namespaces {
		listing.Namespaces[i].Events = slices.CompactFunc(n.Events, func(a, b Event) bool { return a == b })
	}
	return listing
}

// short is a function's name without the directories of its package.
func short(name string) string { return name[strings.LastIndex(name, "/")+1:] }

// A tail keeps the end of what an app prints.
type tail struct{ text []byte }

func (t *tail) Write(p []byte) (int, error) {
	const most = 2000
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-most):]
	return len(p), nil
}

// String is empty, or the text on lines of its own.
func (t *tail) String() string {
	if text := strings.TrimSpace(string(t.text)); text != "" {
		return "; it printed:\n" + text
	}
	return ""
}
