// Command build bundles the browser client's TypeScript into ../dist with
// esbuild, and writes the sums that tie the bundles to their sources.
//
// It is a module of its own, so that esbuild never reaches the users of the
// framework. With -check it writes nothing and fails when dist is out of date.
package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// sumsFile lists the SHA-256 of every source and every bundle, as sha256sum
// writes and checks it, with names relative to the client's directory.
const sumsFile = "dist/SHA256SUMS"

func main() {
	check := flag.Bool("check", false, "write nothing; fail when dist is out of date")
	flag.Parse()
	if err := run("..", *check); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run builds the client in the directory root.
func run(root string, check bool) error {
	files := map[string][]byte{}
	for _, bundle := range []struct {
		name, entry, codec string
		format             api.Format
		minify             bool
	}{
		{"socket.io.js", "src/global.ts", "src/json.ts", api.FormatIIFE, false},
		{"socket.io.min.js", "src/global.ts", "src/json.ts", api.FormatIIFE, true},
		{"socket.io.msgpack.min.js", "src/global.ts", "src/msgpack/codec.ts", api.FormatIIFE, true},
		{"socket.io.esm.js", "src/index.ts", "src/json.ts", api.FormatESModule, false},
		{"socket.io.esm.min.js", "src/index.ts", "src/json.ts", api.FormatESModule, true},
	} {
		outputs, err := build(root, bundle.entry, bundle.codec, bundle.name, bundle.format, bundle.minify)
		if err != nil {
			return fmt.Errorf("bundling %s: %w", bundle.name, err)
		}
		for _, output := range outputs {
			files["dist/"+filepath.Base(output.Path)] = output.Contents
		}
	}
	sums, err := sums(root, files)
	if err != nil {
		return err
	}
	files[sumsFile] = sums
	if check {
		return compare(root, files)
	}
	return write(root, files)
}

// build bundles what entry needs, with codec in the place of the module "codec".
func build(root, entry, codec, name string, format api.Format, minify bool) ([]api.OutputFile, error) {
	dir, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	result := api.Build(api.BuildOptions{
		AbsWorkingDir:     dir,
		EntryPoints:       []string{entry},
		Outfile:           "dist/" + name,
		Alias:             map[string]string{"codec": "./" + codec},
		Bundle:            true,
		Format:            format,
		Platform:          api.PlatformBrowser,
		Target:            api.ES2022,
		Charset:           api.CharsetUTF8,
		Sourcemap:         api.SourceMapLinked,
		LegalComments:     api.LegalCommentsNone,
		MinifyWhitespace:  minify,
		MinifyIdentifiers: minify,
		MinifySyntax:      minify,
		Banner:            map[string]string{"js": "/*! Zócalo's Socket.IO client | MIT licence */"},
	})
	var errs []error
	for _, message := range result.Errors {
		at := entry
		if message.Location != nil {
			at = fmt.Sprintf("%s:%d:%d", message.Location.File, message.Location.Line, message.Location.Column+1)
		}
		errs = append(errs, fmt.Errorf("%s: %s", at, message.Text))
	}
	return result.OutputFiles, errors.Join(errs...)
}

// sums covers what the bundles are made from and the bundles themselves.
func sums(root string, bundles map[string][]byte) ([]byte, error) {
	contents := maps.Clone(bundles)
	for _, start := range []string{"src", "build", "tsconfig.json"} {
		err := fs.WalkDir(os.DirFS(root), start, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			contents[name], err = os.ReadFile(filepath.Join(root, name))
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	var list bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(contents)) {
		fmt.Fprintf(&list, "%x  %s\n", sha256.Sum256(contents[name]), name)
	}
	return list.Bytes(), nil
}

func compare(root string, files map[string][]byte) error {
	var stale []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		content, err := os.ReadFile(filepath.Join(root, name))
		if err != nil || !bytes.Equal(content, files[name]) {
			stale = append(stale, name)
		}
	}
	if len(stale) > 0 {
		return fmt.Errorf("out of date: %s; run go generate in realtime/client", strings.Join(stale, ", "))
	}
	return nil
}

func write(root string, files map[string][]byte) error {
	if err := os.MkdirAll(filepath.Join(root, "dist"), 0o755); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(filepath.Join(root, name), files[name], 0o644); err != nil {
			return err
		}
	}
	return nil
}
