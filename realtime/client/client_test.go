package client_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/internal/need"
	"github.com/zocalo-go/zocalo/realtime/client"
)

func TestOpen(t *testing.T) {
	want := []string{
		"socket.io.esm.js", "socket.io.esm.js.map", "socket.io.esm.min.js", "socket.io.esm.min.js.map",
		"socket.io.js", "socket.io.js.map", "socket.io.min.js", "socket.io.min.js.map",
		"socket.io.msgpack.min.js", "socket.io.msgpack.min.js.map",
	}
	if got := client.Names(); !slices.Equal(got, want) {
		t.Fatalf("Names() = %q, want %q", got, want)
	}
	strong := regexp.MustCompile(`^"[\w-]{22}"$`)
	tags := map[string]string{}
	for _, name := range want {
		t.Run(name, func(t *testing.T) {
			bundle, ok := client.Open(name)
			if !ok || bundle.Name != name {
				t.Fatalf("Open = %v, %v", bundle, ok)
			}
			if again, _ := client.Open(name); again != bundle {
				t.Error("Open made the bundle twice")
			}
			reader, err := gzip.NewReader(bytes.NewReader(bundle.Gzip))
			if err != nil {
				t.Fatal(err)
			}
			if unpacked, err := io.ReadAll(reader); err != nil || !bytes.Equal(unpacked, bundle.Content) {
				t.Errorf("Gzip holds another content (error %v)", err)
			}
			for _, tag := range []string{bundle.ETag, bundle.GzipETag} {
				if !strong.MatchString(tag) {
					t.Errorf("%s is no strong ETag", tag)
				}
				if other, ok := tags[tag]; ok {
					t.Errorf("%s is the ETag of %s, too", tag, other)
				}
				tags[tag] = name
			}
			if script, isMap := strings.CutSuffix(name, ".map"); isMap {
				testMap(t, script, bundle)
			} else if bundle.ContentType != "text/javascript; charset=utf-8" {
				t.Errorf("ContentType = %q", bundle.ContentType)
			}
		})
	}
	for _, name := range []string{"", "SHA256SUMS", "socket.io", "../client.go", "dist/socket.io.js"} {
		if bundle, ok := client.Open(name); ok {
			t.Errorf("Open(%q) = %v", name, bundle)
		}
	}
}

func testMap(t *testing.T, script string, bundle *client.Bundle) {
	if bundle.ContentType != "application/json" {
		t.Errorf("ContentType = %q", bundle.ContentType)
	}
	var sourceMap struct{ Sources, SourcesContent []string }
	if err := json.Unmarshal(bundle.Content, &sourceMap); err != nil {
		t.Fatal(err)
	}
	if len(sourceMap.Sources) == 0 || len(sourceMap.Sources) != len(sourceMap.SourcesContent) {
		t.Errorf("%d sources with %d contents", len(sourceMap.Sources), len(sourceMap.SourcesContent))
	}
	code, _ := client.Open(script)
	if link := "//# sourceMappingURL=" + bundle.Name; !bytes.Contains(code.Content, []byte(link)) {
		t.Errorf("%s has no line %q", script, link)
	}
}

// What a page loads must stay small: the official client is 12.8 KB as a
// minified module, compressed.
func TestSize(t *testing.T) {
	for _, name := range []string{"socket.io.min.js", "socket.io.msgpack.min.js", "socket.io.esm.min.js"} {
		bundle, _ := client.Open(name)
		if size := len(bundle.Gzip); size > 9_500 {
			t.Errorf("%s has %d bytes compressed", name, size)
		}
	}
}

// The bundler writes the sums of all that it read and wrote: when one differs,
// sources and bundles have parted.
func TestUpToDate(t *testing.T) {
	sums, err := os.ReadFile("dist/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	var present []string
	for _, start := range []string{"build", "dist", "src", "tsconfig.json"} {
		err := filepath.WalkDir(start, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() && path != filepath.FromSlash("dist/SHA256SUMS") {
				present = append(present, filepath.ToSlash(path))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(present)
	var want strings.Builder
	for _, path := range present {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&want, "%x  %s\n", sha256.Sum256(content), path)
	}
	if string(sums) != want.String() {
		t.Errorf("the bundles are not those of the sources: run go generate in realtime/client\ngot sums\n%swant\n%s", sums, want.String())
	}
}

// TestNode runs the client's own tests, which bring their server along.
func TestNode(t *testing.T) {
	version, err := exec.Command("node", "-p", "process.versions.node").Output()
	if err != nil {
		need.Missing(t, "%s", "there is no node: "+err.Error())
	}
	var major, minor int
	if _, err := fmt.Sscanf(string(version), "%d.%d", &major, &minor); err != nil {
		t.Fatalf("node's version %q: %v", version, err)
	}
	if major < 20 || major == 20 && minor < 10 {
		need.Missing(t, "%s", fmt.Sprintf("node %d.%d has no WebSocket; 20.10 has", major, minor))
	}
	args := []string{"--test"}
	if major < 22 {
		args = append(args, "--experimental-websocket")
	}
	files, err := filepath.Glob("test/*.test.mjs")
	if err != nil || len(files) == 0 {
		t.Fatalf("tests found: %q, error %v", files, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	output, err := exec.CommandContext(ctx, "node", append(args, files...)...).CombinedOutput()
	if err != nil {
		t.Errorf("node --test: %v\n%s", err, output)
	}
}
