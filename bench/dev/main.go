// Command dev measures the dev loop as a person sees it: from a save to the frame of Chromium that shows it, and from an
// empty directory to a page whose socket is connected. Vite does the same work beside it, on the same machine.
//
// It runs in the directory bench, needs Node, npm and Chromium, and writes docs/performance.md:
//
//	go run ./dev
//	go run ./dev -saves 5 -report ""   # print only
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

// settings are the flags.
type settings struct {
	saves  int
	starts int
	report string
	only   string
}

// runs reports whether a part of the measurement was asked for.
func (s settings) runs(part string) bool {
	return s.only == "" || strings.Contains(","+s.only+",", ","+part+",")
}

func main() {
	var s settings
	flag.IntVar(&s.saves, "saves", 20, "how often each kind of file is saved")
	flag.IntVar(&s.starts, "starts", 5, "how often an app is made from nothing")
	flag.StringVar(&s.report, "report", filepath.Join("..", "docs", "performance.md"), "the `file` to write the table into, between its marks; empty to print only")
	flag.StringVar(&s.only, "only", "", "only these `parts`, with commas between: ours, vite")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) error {
	scratch, err := os.MkdirTemp("", "bench-dev-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	w, err := openWindow(ctx, scratch)
	if err != nil {
		return err
	}
	defer w.close()

	var r report
	r.environment = environment(ctx, w)
	if s.runs("ours") {
		if err := measureOurs(ctx, s, &r, w, scratch); err != nil {
			return fmt.Errorf("devserver: %w", err)
		}
	}
	if s.runs("vite") {
		if err := measureVite(ctx, s, &r, w, scratch); err != nil {
			return fmt.Errorf("vite: %w", err)
		}
	}
	r.print(os.Stdout)
	if s.report == "" {
		return nil
	}
	return r.write(s.report)
}
