package main

import (
	"context"
	"io"
	"os"
	"sync"

	"github.com/zocalo-go/zocalo/internal/dev"
	"github.com/zocalo-go/zocalo/internal/terminal"
)

// follow runs the session with single keys, when both ends of the conversation
// are a terminal, and without otherwise. The terminal is as before when it
// returns, and when it panics.
func (c *console) follow(ctx context.Context, in io.Reader, cfg dev.Config) error {
	file, ok := in.(*os.File)
	if !ok || !c.terminal {
		return dev.Run(ctx, cfg)
	}
	keys, err := terminal.Listen(file)
	if err != nil {
		return dev.Run(ctx, cfg)
	}
	defer keys.Restore()
	c.keys = true
	restart := make(chan struct{}, 1)
	cfg.Restart, cfg.Crashed = restart, keys.Restore

	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel()
	watching.Go(func() {
		keys.Watch(ctx, func(key byte) { c.press(key, restart) })
	})
	return dev.Run(ctx, cfg)
}

// press does what a key asks for. Others do nothing.
func (c *console) press(key byte, restart chan<- struct{}) {
	switch key {
	case 'r':
		select {
		case restart <- struct{}{}:
		default: // it is asked for already
		}
	case 'o':
		c.browse(c.url)
	case 'q':
		c.code()
	case 'c':
		c.printf("\x1b[2J\x1b[3J\x1b[H%s at %s\n", c.bold(c.name), c.link(c.url))
	case 'h', '?':
		c.help()
	case '\n', '\r':
		c.printf("\n")
	}
}

func (c *console) help() {
	for _, key := range [][2]string{
		{"r", "build and restart"},
		{"o", "open " + c.url},
		{"q", "show the address for other machines as a QR code"},
		{"c", "clear the screen"},
		{"h", "show this"},
	} {
		c.printf("  %s  %s\n", c.bold(key[0]), key[1])
	}
	c.printf("  %s %s\n", c.faint("sockets, requests, routes and the log, live:"), c.link(c.url+"/_dev/"))
}

// code draws the network's URL.
func (c *console) code() {
	if c.network == "" {
		c.printf("%s\n", c.warn("only this machine is served; start devserver with --host 0.0.0.0 for others in the network"))
		return
	}
	drawing, err := terminal.QR(c.network, c.colour)
	if err != nil {
		c.printf("%s\n", c.warn(err.Error()))
		return
	}
	c.printf("%s%s\n", drawing, c.link(c.network))
}

func (c *console) browse(url string) {
	if err := openBrowser(url); err != nil {
		c.printf("%s\n", c.warn("warning: no browser could be opened: "+err.Error()))
	}
}
