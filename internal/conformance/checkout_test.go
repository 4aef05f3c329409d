package conformance

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// This file makes suites of a checkout runnable: it copies them to the user's cache, with the port of the server as an
// environment variable where upstream has a constant, and installs there what they need, once for each state of the
// checkout. The checkout itself stays as it is.

// files are the contents of a folder, by slash-separated path.
type files map[string][]byte

// protocolSuite returns what prepares one of the protocol suites, which are folders of their own.
func protocolSuite(folder string) func(*testing.T, string) string {
	return func(t *testing.T, repo string) string {
		t.Helper()
		all := files{}
		for _, name := range []string{"package.json", "package-lock.json", "node-imports.js", "test-suite.js"} {
			all.read(t, filepath.Join(repo, filepath.FromSlash(folder)), name)
		}
		all.patch(t, "test-suite.js", `"http://localhost:3000"`, "`http://localhost:${process.env.PORT}`")
		return all.install(t, path.Base(folder), "npm ci --no-audit --no-fund")
	}
}

// oldProtocolSuite returns what prepares the suite of the protocol's revision 3, which as it is loses a message that
// arrives together with the answer to the WebSocket handshake: it begins to listen too late. Here events wait for who
// asks for them, as in the suite of revision 4.
func oldProtocolSuite(t *testing.T, repo string) string {
	t.Helper()
	const folder, suite = "docs/engine.io-protocol/v3-test-suite", "test-suite.js"
	all := files{}
	for _, name := range []string{"package.json", "package-lock.json", "node-imports.js", suite} {
		all.read(t, filepath.Join(repo, filepath.FromSlash(folder)), name)
	}
	all.patch(t, suite, `"http://localhost:3000"`, "`http://localhost:${process.env.PORT}`")
	all.patch(t, suite, "new WebSocket(", "patiently(")
	all.patch(t, suite, "function waitFor(", "function waitForNext(")
	all[suite] = append(all[suite], `
function patiently(url) {
  const socket = new WebSocket(url);
  socket.waiting = { open: [], message: [], close: [] };
  for (const [type, queue] of Object.entries(socket.waiting)) {
    socket.addEventListener(type, (event) => queue.ask ? queue.ask(event) : queue.push(event));
  }
  return socket;
}

function waitFor(socket, type) {
  const queue = socket.waiting[type];
  if (queue.length > 0) return Promise.resolve(queue.shift());
  return new Promise((resolve) => {
    queue.ask = (event) => {
      queue.ask = undefined;
      resolve(event);
    };
  });
}
`...)
	return all.install(t, path.Base(folder), "npm ci --no-audit --no-fund")
}

// clientSuite returns what prepares the suite of a JavaScript client. The clients are compiled from the checkout, with
// esbuild, which asks for no types. Two environment variables change a client's defaults: TRANSPORTS, separated by
// commas, and PARSER, the module of one.
func clientSuite(name string) func(*testing.T, string) string {
	packages := []string{"socket.io-component-emitter", "engine.io-parser", "engine.io-client", "socket.io-parser", "socket.io-client"}
	return func(t *testing.T, repo string) string {
		t.Helper()
		all := files{}
		commands := []string{"npm install --no-audit --no-fund"}
		for _, name := range packages {
			folder := "packages/" + name
			for _, part := range []string{"package.json", "lib", "test"} {
				all.read(t, repo, path.Join(folder, part))
			}
			if _, typescript := all[folder+"/lib/index.ts"]; typescript {
				commands = append(commands, "node_modules/.bin/esbuild "+folder+"/lib/**/*.ts --log-level=error --format=cjs"+
					" --outbase="+folder+"/lib --outdir="+folder+"/build/cjs")
				all.read(t, repo, folder+"/tsconfig.json")
			}
		}
		all.read(t, repo, "package-lock.json")
		all["package.json"] = workspace(t, repo, packages)

		const engine, client = "packages/engine.io-client/", "packages/socket.io-client/"
		all.patch(t, engine+"test/support/env.js", "port: 3000", "port: process.env.PORT")
		all.patch(t, engine+"lib/socket.ts", `o.transports || ["polling", "websocket", "webtransport"]`,
			`o.transports || process.env.TRANSPORTS?.split(",") || ["polling", "websocket", "webtransport"]`)
		all.patch(t, client+"lib/manager.ts", "opts.parser || parser",
			"opts.parser || (process.env.PARSER ? require(process.env.PARSER) : parser)")
		all.patch(t, client+"test/support/util.ts", `"http://localhost:3210"`, "`http://localhost:${process.env.PORT}`")
		for name := range all {
			switch {
			case strings.HasPrefix(name, engine+"test/fixtures/"), name == engine+"test/node.js":
				all.patch(t, name, `"http://localhost:3000"`, "`http://localhost:${process.env.PORT}`")
			case strings.HasPrefix(name, client+"test/fixtures/") && bytes.Contains(all[name], []byte("3210")):
				all.patch(t, name, `"http://localhost:3210"`, "`http://localhost:${process.env.PORT}`")
			}
		}
		// Without exec, what a test kills is the shell, and the client it started reconnects for ever.
		for _, name := range []string{engine + "test/node.js", client + "test/node.ts"} {
			all.patch(t, name, `process.execPath + " "`, `"exec " + process.execPath + " "`)
		}
		all.patch(t, client+"test/node.ts", "process.kill();", `process.removeAllListeners("close").kill();`)
		return filepath.Join(all.install(t, "clients", commands...), "packages", name)
	}
}

// workspace returns the package.json of a workspace with some of the checkout's packages. It asks for what they are
// compiled and tested with, in the versions of the checkout; the packages name their other dependencies themselves.
func workspace(t *testing.T, repo string, packages []string) []byte {
	t.Helper()
	source := files{}
	source.read(t, repo, "package.json")
	var manifest struct {
		Name            string            `json:"name"`
		Private         bool              `json:"private"`
		Workspaces      []string          `json:"workspaces"`
		Overrides       map[string]string `json:"overrides"`
		DevDependencies map[string]string `json:"devDependencies"`
	}
	if err := json.Unmarshal(source["package.json"], &manifest); err != nil {
		t.Fatal(err)
	}
	tools := []string{"@sinonjs/fake-timers", "base64-arraybuffer", "blob", "expect.js", "has-cors", "mocha",
		"socket.io-msgpack-parser", "text-blob-builder", "tsx"}
	maps.DeleteFunc(manifest.DevDependencies, func(name, _ string) bool { return !slices.Contains(tools, name) })
	manifest.Workspaces = nil
	for _, name := range packages {
		manifest.Workspaces = append(manifest.Workspaces, "packages/"+name)
	}
	data, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// read adds a file, or every file of a folder, but for what is not there.
func (f files) read(t *testing.T, root, name string) {
	t.Helper()
	top := filepath.Join(root, filepath.FromSlash(name))
	err := filepath.WalkDir(top, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case file == top && os.IsNotExist(err):
			return nil
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == "node_modules":
			return fs.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		relative, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		f[filepath.ToSlash(relative)], err = os.ReadFile(file)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// patch replaces a text that has to be in a file.
func (f files) patch(t *testing.T, name, old, new string) {
	t.Helper()
	if !bytes.Contains(f[name], []byte(old)) {
		t.Fatalf("%s of the checkout does not contain %q: this version of it is not known here", name, old)
	}
	f[name] = bytes.ReplaceAll(f[name], []byte(old), []byte(new))
}

// install writes the files to a folder of the user's cache and runs the commands there, unless that was done before. A
// folder is never changed once it has its name, so that several tests may use it at the same time.
func (f files) install(t *testing.T, name string, commands ...string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	suites := filepath.Join(cache, "zocalo", "suites")
	folder := filepath.Join(suites, name+"-"+f.sum(commands))
	if _, err := os.Stat(folder); err == nil {
		return folder
	}
	if err := os.MkdirAll(suites, 0o755); err != nil {
		t.Fatal(err)
	}
	building, err := os.MkdirTemp(suites, "new-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(building)
	for name, data := range f {
		file := filepath.Join(building, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range commands {
		words := strings.Fields(command)
		cmd := exec.Command(words[0], words[1:]...)
		cmd.Dir = building
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
	}
	if err := os.Rename(building, folder); err != nil {
		if _, other := os.Stat(folder); other != nil { // not made by another run meanwhile
			t.Fatal(err)
		}
	}
	return folder
}

// sum identifies the files and the commands.
func (f files) sum(commands []string) string {
	hash := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(f)) {
		hash.Write([]byte(name + "\x00"))
		hash.Write(f[name])
		hash.Write([]byte{0})
	}
	hash.Write([]byte(strings.Join(commands, "\x00")))
	return hex.EncodeToString(hash.Sum(nil)[:6])
}

// mocha returns the script that runs mocha in a folder of the cache: that of the folder, or of the workspace it is in.
func mocha(t *testing.T, folder string) string {
	t.Helper()
	for up := folder; ; up = filepath.Dir(up) {
		script, err := filepath.EvalSymlinks(filepath.Join(up, "node_modules", ".bin", "mocha"))
		if err == nil {
			return script
		}
		if up == filepath.Dir(up) {
			t.Fatalf("no mocha for %s", folder)
		}
	}
}
