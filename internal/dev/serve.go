package dev

import (
	"context"
	"fmt"
	"os"
	"time"
)

// Serve builds the app once and runs it the way production does: no watching,
// no reload, ZOCALO_ENV=production. It returns nil when the app ends well or
// ctx ended it, a [*BuildError] when the build failed, and otherwise the
// error of the process, an [*os/exec.ExitError] as a rule.
func Serve(ctx context.Context, cfg Config) error {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return fmt.Errorf("dev: %w", err)
	}
	defer cfg.Listener.Close()
	if cfg.Colour {
		cfg.Stdout, cfg.Stderr = &logWriter{out: cfg.Stdout, paint: true}, &logWriter{out: cfg.Stderr, paint: true}
	}
	out, err := os.MkdirTemp("", "devserver-")
	if err != nil {
		return fmt.Errorf("dev: %w", err)
	}
	defer os.RemoveAll(out)
	begin := time.Now()
	b := newBuilder(cfg, out)
	result, err := b.build(ctx, 1)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return err
	case result.problem != nil:
		return &BuildError{result.problem}
	}
	pub := newPublic(cfg.Listener, nil)
	defer pub.stop()
	p, err := start(result.path, "", cfg, pub, nil, nil)
	if err != nil {
		return err
	}
	cfg.Report(Event{Kind: Ready, Took: time.Since(begin)})
	select {
	case <-p.done:
		if p.err != nil {
			return fmt.Errorf("dev: the app: %w", p.err)
		}
	case <-ctx.Done():
		p.stop(cfg.Grace)
	}
	return nil
}

// A BuildError is a build that failed.
type BuildError struct{ Problem *Problem }

// Error is what the go command printed.
func (e *BuildError) Error() string { return e.Problem.Text() }
