// Package client holds the browser client: the TypeScript sources of our own
// Socket.IO client (protocol 5 over Engine.IO 4) and the bundles made of them,
// embedded so that one binary serves everything a page needs.
//
//	socket.io.js  socket.io.min.js           for a script element: the global io
//	socket.io.esm.js  socket.io.esm.min.js   an ES module: import { io } from …
//	socket.io.msgpack.min.js                 the global io, speaking MessagePack
//
// Each has a source map, its name followed by .map. [Open] hands them out, with
// the headers' worth of facts that a server needs; serving is its caller's part.
//
// The bundles are committed. After a change in src run go generate here: the
// bundler in build is a module of its own and needs Go only. A test fails when
// sources and bundles part.
//
// Everything here is safe for concurrent use.
package client

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
)

//go:generate go -C build run .

//go:embed dist/*.js dist/*.map
var dist embed.FS

// Bundle is one file of the client in both of its encodings. Its byte slices
// are shared: nobody may change them.
type Bundle struct {
	// Name is the name of the file, such as "socket.io.min.js".
	Name string
	// ContentType is the value for the Content-Type header.
	ContentType string

	// Content is the file as it is.
	Content []byte
	// ETag is the strong validator of Content, in its quotes.
	ETag string

	// Gzip is the file compressed, for a Content-Encoding of gzip.
	Gzip []byte
	// GzipETag is the strong validator of Gzip, in its quotes: the encodings are
	// different representations (RFC 9110, section 8.8.3.3).
	GzipETag string
}

// bundles has a function for each file, which makes its Bundle on the first call.
var bundles = load()

func load() map[string]func() *Bundle {
	entries, err := fs.ReadDir(dist, "dist")
	if err != nil {
		panic("client: the embedded bundles cannot be read: " + err.Error())
	}
	all := make(map[string]func() *Bundle, len(entries))
	for _, entry := range entries {
		name := entry.Name()
		all[name] = sync.OnceValue(func() *Bundle { return newBundle(name) })
	}
	return all
}

// Open returns the file of the given name, without a directory. It is compressed
// once, when it is first asked for.
func Open(name string) (*Bundle, bool) {
	bundle, ok := bundles[name]
	if !ok {
		return nil, false
	}
	return bundle(), true
}

// Names lists the files, sorted.
func Names() []string {
	return slices.Sorted(maps.Keys(bundles))
}

func newBundle(name string) *Bundle {
	content, err := dist.ReadFile("dist/" + name)
	if err != nil {
		panic("client: an embedded bundle cannot be read: " + err.Error())
	}
	contentType := "text/javascript; charset=utf-8"
	if strings.HasSuffix(name, ".map") {
		contentType = "application/json"
	}
	compressed := compress(content)
	return &Bundle{
		Name:        name,
		ContentType: contentType,
		Content:     content,
		ETag:        etag(content),
		Gzip:        compressed,
		GzipETag:    etag(compressed),
	}
}

func compress(content []byte) []byte {
	var buffer bytes.Buffer
	// A valid level and a buffer: neither the writer nor a write can fail.
	writer, _ := gzip.NewWriterLevel(&buffer, gzip.BestCompression)
	writer.Write(content)
	writer.Close()
	return buffer.Bytes()
}

func etag(content []byte) string {
	sum := sha256.Sum256(content)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
}
