package dev

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Config says what to run and where. Only Listener is required.
type Config struct {
	// Dir is where the app is built, runs and is watched; default the working
	// directory.
	Dir string
	// Package is the command to build, as go build understands it in Dir;
	// default ".".
	Package string
	// Args are the arguments of the app.
	Args []string
	// Env are variables for the app, "NAME=value", where neither the environment nor
	// the file .env in Dir says anything else.
	Env []string
	// Listener is the public listener. Run and Serve own it and close it.
	Listener *net.TCPListener
	// Nodes is how many processes of the app Run runs, behind a round robin on
	// Listener; default one, which has Listener itself.
	Nodes int
	// Host is one more name, beside loopback and addresses, under which pages
	// may ask for the error page and the events.
	Host string
	// Tools lets other machines use the tools at /_dev/, too, where Listener lets
	// them connect.
	Tools bool
	// Poll looks for changes twice a second instead of being told of them: some
	// network and container mounts tell nothing.
	Poll bool
	// Stdout and Stderr receive the app's output; default to discard it.
	Stdout, Stderr io.Writer
	// Colour has the levels of log lines coloured in Stdout and Stderr.
	Colour bool
	// Grace is how long an app that was asked to end may take; default 5 s.
	Grace time.Duration
	// Patience is after how long it is reported, as Warned, that an app does not
	// answer; default 10 s.
	Patience time.Duration
	// Restart, when set, asks for a build and a restart with each value.
	Restart <-chan struct{}
	// Crashed, when set, is called when a goroutine of a session panics, before
	// that ends the program: what must not be left as it is can be put right.
	Crashed func()
	// Report, when set, is told what happens, in order, by one goroutine at a
	// time. It must not block.
	Report func(Event)
}

func (c Config) withDefaults() (Config, error) {
	if c.Listener == nil {
		panic("dev: Config.Listener is nil: net.Listen first, the listener is what a restart hands over")
	}
	dir, err := filepath.Abs(cmp.Or(c.Dir, "."))
	if err != nil {
		return c, err
	}
	// The go command and the kernel speak of real paths.
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	c.Dir = dir
	c.Package = cmp.Or(c.Package, ".")
	c.Grace = cmp.Or(c.Grace, 5*time.Second)
	c.Patience = cmp.Or(c.Patience, 10*time.Second)
	c.Nodes = max(c.Nodes, 1)
	if c.Stdout == nil {
		c.Stdout = io.Discard
	}
	if c.Stderr == nil {
		c.Stderr = io.Discard
	}
	if c.Report == nil {
		c.Report = func(Event) {}
	}
	return c, nil
}

// An Event is one thing that happened in a session.
type Event struct {
	Kind    Kind
	Files   []string      // Ready, Reloaded, Rerendered, Swapped: what was saved; empty at the first start
	Took    time.Duration // Ready: from the save, or from the start of the session
	Problem *Problem      // Failed
	Err     error         // Warned
}

// A Kind is what an [Event] is about.
type Kind int

const (
	Ready      Kind = iota // a build of the app answers requests
	Failed                 // a build failed or the app ended; what served before goes on if it can
	Reloaded               // pages were told to load again
	Rerendered             // pages were told to take over what the views make now
	Swapped                // pages were told to swap style sheets and pictures
	Warned                 // something works less well than it should
)

// Run builds and runs the app and follows its source until ctx ends, then
// stops the app and returns nil. Mistakes in the app are reported and shown in
// the browser; an error means that the session itself cannot go on.
func Run(ctx context.Context, cfg Config) error {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return fmt.Errorf("dev: %w", err)
	}
	out, err := os.MkdirTemp("", "devserver-")
	if err != nil {
		return fmt.Errorf("dev: %w", err)
	}
	defer os.RemoveAll(out)
	watch, err := newWatcher(cfg.Dir, cfg.Poll)
	if err != nil && !errors.Is(err, errWatches) {
		return err
	}
	if err != nil {
		cfg.Report(Event{Kind: Warned, Err: err})
	}

	h := newHub()
	h.dir, h.name = cfg.Dir, filepath.Base(cfg.Dir)
	if tcp, ok := cfg.Listener.Addr().(*net.TCPAddr); ok {
		h.guarded = !cfg.Tools && !tcp.IP.IsLoopback()
	}
	nodes, front, err := newNodes(cfg, h)
	if err != nil {
		return err
	}
	s := &session{
		cfg:     cfg,
		hub:     h,
		nodes:   nodes,
		builder: newQuickBuilder(cfg, out),
		changes: make(chan change),
		built:   make(chan outcome),
		ready:   make(chan *process),
		exited:  make(chan *process),
		warned:  make(chan error),
		since:   time.Now(),
	}
	s.ctx, s.cancel = context.WithCancel(ctx)
	s.stopBuild = func() {}
	if watch != nil {
		s.start(func() { watch.run(s.ctx, s.changes, s.warn) })
	}
	if front != nil {
		s.start(func() { front.run(s.ctx) })
	}
	defer s.end()
	return s.loop()
}

// A session is one call of Run; its goroutine owns all fields that are not channels.
type session struct {
	cfg     Config
	hub     *hub
	nodes   []*node
	builder *builder
	ctx     context.Context
	cancel  context.CancelFunc
	wg      sync.WaitGroup // of every goroutine that the session starts

	changes chan change
	built   chan outcome
	ready   chan *process
	exited  chan *process
	warned  chan error

	number    int // of the newest build, also of a failed one
	ended     int // the newest build of which a process has ended by itself
	stopBuild context.CancelFunc
	files     []string  // saved since the last build that was started
	since     time.Time // when they were saved
}

// outcome is what a builder sends.
type outcome struct {
	built
	err error
}

func (s *session) loop() error {
	s.build()
	for {
		select {
		case <-s.ctx.Done():
			return nil
		case err := <-s.warned:
			s.cfg.Report(Event{Kind: Warned, Err: err})
		case <-s.cfg.Restart:
			s.since = time.Now()
			s.build()
		case c := <-s.changes:
			s.changed(c)
		case o := <-s.built:
			if o.number != s.number {
				continue // a newer build is on its way
			}
			if o.err != nil {
				return o.err
			}
			if o.problem != nil {
				if err := s.failed(o.problem); err != nil {
					return err
				}
				continue
			}
			if err := s.replace(o.path); err != nil {
				return err
			}
		case p := <-s.ready:
			if p != p.node.current {
				continue
			}
			p.node.answering = true
			p.node.succeed(p)
			if s.answering() {
				s.hub.settle()
				s.cfg.Report(Event{Kind: Ready, Files: s.files, Took: time.Since(s.since)})
				s.files = nil
			}
		case p := <-s.exited:
			if p != p.node.current {
				continue
			}
			p.node.current = nil
			p.renounce()
			p.state.refuse()
			if err := s.lost(p); err != nil {
				return err
			}
		}
	}
}

// changed does what a save asks for; a build ends in fresh pages anyway.
func (s *session) changed(c change) {
	if len(c.sources) > 0 {
		for _, name := range c.sources {
			if !slices.Contains(s.files, name) {
				s.files = append(s.files, name)
			}
		}
		s.since = time.Now()
		s.build()
	}
	if len(c.assets) > 0 {
		s.hub.reload()
		s.cfg.Report(Event{Kind: Reloaded, Files: slices.Concat(c.assets, c.views, c.images, c.styles)})
		return
	}
	for _, swap := range []struct {
		what  string
		files []string
	}{{"css", c.styles}, {"image", c.images}} {
		for _, name := range swap.files {
			s.hub.swap(swap.what, name)
		}
	}
	if files := slices.Concat(c.styles, c.images); len(files) > 0 {
		s.cfg.Report(Event{Kind: Swapped, Files: files})
	}
	if len(c.views) > 0 {
		s.hub.rerender()
		s.cfg.Report(Event{Kind: Rerendered, Files: c.views})
	}
}

// build starts a build in place of one that may be under way.
func (s *session) build() {
	s.stopBuild()
	s.number++
	number := s.number
	ctx, stop := context.WithCancel(s.ctx)
	s.stopBuild = stop
	s.start(func() {
		defer stop()
		b, err := s.builder.build(ctx, number)
		select {
		case s.built <- outcome{b, err}:
		case <-s.ctx.Done():
		}
	})
}

// failed tells everybody, and answers in place of the app if there is none.
func (s *session) failed(p *Problem) error {
	s.hub.failed(p)
	s.cfg.Report(Event{Kind: Failed, Problem: p})
	return s.answer()
}

// start runs f in a goroutine that end waits for.
func (s *session) start(f func()) {
	s.wg.Go(func() {
		done := false
		defer func() {
			if !done && s.cfg.Crashed != nil {
				s.cfg.Crashed()
			}
		}()
		f()
		done = true
	})
}

// warn reports an error on behalf of another goroutine.
func (s *session) warn(err error) {
	select {
	case s.warned <- err:
	case <-s.ctx.Done():
	}
}

// end stops all that the session started and waits for it.
func (s *session) end() {
	s.cancel()
	s.hub.close()
	for _, n := range s.nodes {
		s.wg.Go(func() { n.end(s.cfg.Grace) })
	}
	s.wg.Wait()
}
