package dev

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A builder turns a package into executables, each in a file of its own: the
// one before is still running.
type builder struct {
	dir   string // where go build runs
	pkg   string
	out   string   // directory of the executables
	flags []string // of go build, beside -o
	env   []string // beside the environment
}

// newBuilder makes executables that are run at once, in the directory out.
func newBuilder(cfg Config, out string) *builder {
	return &builder{dir: cfg.Dir, pkg: cfg.Package, out: out, flags: []string{"-buildvcs=false"}}
}

// newQuickBuilder is newBuilder for a build that somebody waits for. It spares
// what only a debugger reads, and the optimizing of the command itself, unless
// GOFLAGS asks for other things; what the command imports comes from the build
// cache as it is. And it spares the tools, which are done in a moment, most of
// their garbage collection.
func newQuickBuilder(cfg Config, out string) *builder {
	b := newBuilder(cfg, out)
	flags := os.Getenv("GOFLAGS")
	if !strings.Contains(flags, "-ldflags") && !strings.Contains(flags, "-gcflags") {
		b.flags = append(b.flags, "-ldflags=-s -w", "-gcflags=-l -dwarf=false")
	}
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		b.env = append(b.env, "GOGC=off", "GOMEMLIMIT=512MiB")
	}
	return b
}

// built is how a build ended: an executable, or the problem that prevented it.
type built struct {
	number  int
	path    string
	problem *Problem
	took    time.Duration
}

// build runs go build. Its error is only of the machine (no go command, no
// space) or of ctx; a mistake in the code is the result's problem.
func (b *builder) build(ctx context.Context, number int) (built, error) {
	r, err := b.buildTo(ctx, filepath.Join(b.out, fmt.Sprintf("app-%d%s", number, exe())))
	r.number = number
	return r, err
}

// buildTo is build with a path for the executable.
func (b *builder) buildTo(ctx context.Context, path string) (built, error) {
	start := time.Now()
	r := built{path: path}
	output, err := b.compile(ctx, r.path)
	if pkgs := cutShort(output); err != nil && len(pkgs) > 0 {
		// The compiler stops after ten mistakes unless asked not to.
		if all, err := b.compile(ctx, os.DevNull, append([]string{"-gcflags=-e"}, pkgs...)...); err != nil && len(all) > 0 {
			output = all
		}
	}
	r.took = time.Since(start)
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return r, ctx.Err()
	case errors.As(err, &exit):
		r.problem = b.problem(output)
		return r, nil
	case err != nil:
		return r, fmt.Errorf("dev: go build: %w", err)
	case !executable(r.path):
		r.problem = &Problem{
			Build:  true,
			Title:  "Nothing to run",
			Detail: fmt.Sprintf("%s is not package main. Run devserver where the app's main.go is, or name its package.", b.pkg),
			Output: strings.TrimSpace(string(output)),
		}
	}
	return r, nil
}

// compile runs go build -o path with extra arguments, or else for b.pkg.
func (b *builder) compile(ctx context.Context, path string, args ...string) ([]byte, error) {
	if len(args) == 0 {
		args = []string{b.pkg}
	}
	return b.command(ctx, slices.Concat([]string{"build", "-o", path}, b.flags, args)...).CombinedOutput()
}

// command is the go command with arguments, in the app's directory. It ends
// with ctx, and so does what it started.
func (b *builder) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.dir
	cmd.Env = append(append(os.Environ(), "PWD="+b.dir), b.env...)
	ownGroup(cmd)
	cmd.Cancel = func() error { return killGroup(cmd.Process) }
	cmd.WaitDelay = time.Second
	return cmd
}

// executable tells what go build wrote from the archive that it writes, too,
// when a package is not a command.
func executable(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	magic := make([]byte, 7)
	_, err = io.ReadFull(f, magic)
	return err == nil && string(magic) != "!<arch>"
}

// problem parses what go build printed: lines "file:line:column: message",
// continued by indented ones, under headings "# package".
func (b *builder) problem(output []byte) *Problem {
	p := &Problem{Build: true, Title: "Build failed", Output: strings.TrimSpace(string(output))}
	for line := range strings.Lines(string(output)) {
		line = strings.TrimRight(line, "\r\n")
		switch m := position.FindStringSubmatch(line); {
		case m != nil:
			number, _ := strconv.Atoi(m[2])
			column, _ := strconv.Atoi(m[3])
			p.Errors = append(p.Errors, newError(b.dir, m[1], number, column, m[4]))
		case strings.HasPrefix(line, "\t") && len(p.Errors) > 0:
			p.Errors[len(p.Errors)-1].Message += "\n" + strings.TrimSpace(line)
		}
	}
	switch n := len(p.Errors); n {
	case 0:
		p.Detail = "The go command says why."
	case 1:
		p.Detail = fmt.Sprintf("One mistake, in %s.", p.Errors[0].File)
	default:
		files := map[string]bool{}
		for _, e := range p.Errors {
			files[e.File] = true
		}
		p.Detail = fmt.Sprintf("%d mistakes in %d files.", n, len(files))
		if len(files) == 1 {
			p.Detail = fmt.Sprintf("%d mistakes in %s.", n, p.Errors[0].File)
		}
	}
	return p
}

var position = regexp.MustCompile(`^(?:vet: |go: )?((?:[A-Za-z]:)?[^:\s][^:]*\.[a-z]+):(\d+)(?::(\d+))?: (.*)$`)

// cutShort names the packages of which the compiler did not report everything.
func cutShort(output []byte) (pkgs []string) {
	if !bytes.Contains(output, []byte("too many errors")) {
		return nil
	}
	for line := range strings.Lines(string(output)) {
		if heading, ok := strings.CutPrefix(line, "# "); ok {
			pkgs = append(pkgs, strings.TrimSpace(heading))
		}
	}
	return pkgs
}

func exe() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}
