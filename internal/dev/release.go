package dev

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A Release says what to build for other machines. Its zero value builds the
// package in the working directory.
type Release struct {
	// Dir is where the app is built; default the working directory.
	Dir string
	// Package is the command to build, as go build understands it in Dir;
	// default ".".
	Package string
	// Output is the file to write, relative to Dir; default bin/ and the last
	// element of Dir.
	Output string
	// Strict refuses what only this machine has: a go.mod that replaces a
	// module by a directory. A go.work is left out.
	Strict bool
}

// A Binary is what [Release.Build] wrote.
type Binary struct {
	Path     string        // as Output has it, with .exe for Windows
	Size     int64         // in bytes
	GOOS     string        // the system it is for
	GOARCH   string        // the architecture it is for
	Embedded []string      // which of views and public are in it
	Missing  []string      // which of them are there, but not in it
	Took     time.Duration // to build it
}

// A ReplaceError is the refusal to build a release from what only this machine
// has.
type ReplaceError struct {
	File     string   // the go.mod
	Replaced []string // "module => directory"
}

// Error names the line to type for each of them.
func (e *ReplaceError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s replaces modules by directories of this machine, so nobody else could build this release:", e.File)
	for _, r := range e.Replaced {
		module, _, _ := strings.Cut(r, " => ")
		fmt.Fprintf(&b, "\n\t%s\nrequire a version of it instead:\n\tgo mod edit -dropreplace=%s && go get %[2]s@latest", r, module)
	}
	return b.String()
}

// Build builds one static binary for the system and architecture that GOOS and
// GOARCH name: without cgo, without this machine's paths and without symbols.
// What was at its place before stays there unless all goes well. Its error is
// a [*BuildError] when the code is at fault and a [*ReplaceError] when Strict is.
func (r Release) Build(ctx context.Context) (Binary, error) {
	dir, err := filepath.Abs(cmp.Or(r.Dir, "."))
	if err != nil {
		return Binary{}, fmt.Errorf("dev: %w", err)
	}
	b := &builder{
		dir:   dir,
		pkg:   cmp.Or(r.Package, "."),
		flags: []string{"-trimpath", "-ldflags=-s -w"},
		env:   []string{"CGO_ENABLED=0"},
	}
	if r.Strict {
		b.env = append(b.env, "GOWORK=off")
		if err := b.checkReplaced(ctx); err != nil {
			return Binary{}, err
		}
	}
	var target struct{ GOOS, GOARCH, GOEXE string }
	if err := b.decode(ctx, &target, "env", "-json", "GOOS", "GOARCH", "GOEXE"); err != nil {
		return Binary{}, fmt.Errorf("dev: go env: %w", err)
	}
	bin := Binary{Path: cmp.Or(r.Output, filepath.Join("bin", filepath.Base(dir))), GOOS: target.GOOS, GOARCH: target.GOARCH}
	if filepath.Ext(bin.Path) != target.GOEXE && target.GOEXE != "" {
		bin.Path += target.GOEXE
	}
	place := bin.Path
	if !filepath.IsAbs(place) {
		place = filepath.Join(dir, place)
	}
	if info, err := os.Stat(place); err == nil && info.IsDir() {
		return Binary{}, fmt.Errorf("dev: %s is a directory; name the file to write", bin.Path)
	}

	if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
		return Binary{}, fmt.Errorf("dev: %w", err)
	}
	temp, err := os.MkdirTemp(filepath.Dir(place), ".build-")
	if err != nil {
		return Binary{}, fmt.Errorf("dev: %w", err)
	}
	defer os.RemoveAll(temp)
	made, err := b.buildTo(ctx, filepath.Join(temp, filepath.Base(place)))
	switch {
	case err != nil:
		return Binary{}, err
	case made.problem != nil:
		return Binary{}, &BuildError{made.problem}
	}
	if err := os.Rename(made.path, place); err != nil {
		return Binary{}, fmt.Errorf("dev: %w", err)
	}
	info, err := os.Stat(place)
	if err != nil {
		return Binary{}, fmt.Errorf("dev: %w", err)
	}
	bin.Size, bin.Took = info.Size(), made.took
	bin.Embedded, bin.Missing, err = b.embedded(ctx)
	return bin, err
}

// checkReplaced returns a ReplaceError if go.mod replaces a module by a
// directory.
func (b *builder) checkReplaced(ctx context.Context) error {
	var mod struct {
		Replace []struct {
			Old, New struct{ Path, Version string }
		}
	}
	if err := b.decode(ctx, &mod, "mod", "edit", "-json"); err != nil {
		return fmt.Errorf("dev: go mod edit: %w", err)
	}
	refusal := &ReplaceError{File: "go.mod"}
	for _, r := range mod.Replace {
		if r.New.Version == "" {
			refusal.Replaced = append(refusal.Replaced, r.Old.Path+" => "+r.New.Path)
		}
	}
	if len(refusal.Replaced) > 0 {
		return refusal
	}
	return nil
}

// embedded tells which of the directories that an app shows in development it
// also carries inside.
func (b *builder) embedded(ctx context.Context) (in, missing []string, err error) {
	var files []string // absolute
	cmd := b.command(ctx, "list", "-deps", "-json=Dir,Standard,EmbedFiles", b.pkg)
	out, err := cmd.Output()
	if err != nil {
		return nil, nil, fmt.Errorf("dev: go list: %w", err)
	}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var pkg struct {
			Dir        string
			Standard   bool
			EmbedFiles []string
		}
		if err := d.Decode(&pkg); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, nil, fmt.Errorf("dev: go list: %w", err)
		}
		for _, name := range pkg.EmbedFiles {
			if !pkg.Standard {
				files = append(files, filepath.Join(pkg.Dir, filepath.FromSlash(name)))
			}
		}
	}
	dir := b.dir
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	for _, name := range []string{"public", "views"} {
		if entries, err := fs.ReadDir(os.DirFS(dir), name); err != nil || len(entries) == 0 {
			continue
		}
		prefix, found := filepath.Join(dir, name)+string(filepath.Separator), false
		for _, file := range files {
			found = found || strings.HasPrefix(file, prefix)
		}
		if found {
			in = append(in, name)
		} else {
			missing = append(missing, name)
		}
	}
	return in, missing, nil
}

// decode runs the go command and reads its JSON. What it complains of is the
// error.
func (b *builder) decode(ctx context.Context, v any, args ...string) error {
	out, err := b.command(ctx, args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		return errors.New(strings.TrimSpace(string(exit.Stderr)))
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(out, v)
}
