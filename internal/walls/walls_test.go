package walls

import (
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// one is the only package, or file, that may import a library at all.
var one = map[string]struct{ file, why string }{
	"github.com/coder/websocket":  {"realtime/internal/engineio/websocket.go", "the WebSocket library can be replaced in one file"},
	"github.com/aymerick/raymond": {"app/handlebars", "raymond can be replaced in one package"},
}

type pkg struct {
	ImportPath string
	Dir        string
	Standard   bool
	GoFiles    []string
	Imports    []string
}

func TestWalls(t *testing.T) {
	out, err := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,Standard,GoFiles,Imports", Module+"/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	seen := 0
	for {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		path := strings.TrimPrefix(p.ImportPath, Module+"/")
		room, ok := roomOf(path)
		if !ok {
			continue
		}
		seen++
		for _, imported := range p.Imports {
			if !allowed(room, imported) {
				t.Errorf("%s imports %s, which it may not: %s", path, imported, room.Why)
			}
		}
	}
	if seen < 8 {
		t.Errorf("the walls were checked for %d packages only; is the module's path right?", seen)
	}
}

// roomOf returns the rules of a package of the module: its own, or those of the
// nearest package above.
func roomOf(path string) (Room, bool) {
	for ; path != "."; path = filepath.ToSlash(filepath.Dir(path)) {
		for _, room := range Rooms() {
			if room.Package == path {
				return room, true
			}
		}
	}
	return Room{}, false
}

func allowed(room Room, imported string) bool {
	if path, ours := strings.CutPrefix(imported, Module+"/"); ours {
		return path == room.Package || below(path, room.Package) && !hasRoom(path) ||
			slices.ContainsFunc(room.Module, func(m string) bool { return path == m || below(path, m) && !hasRoom(path) })
	}
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return true // the standard library
	}
	return slices.ContainsFunc(room.ThirdParty, func(m string) bool { return imported == m || below(imported, m) })
}

func hasRoom(path string) bool {
	return slices.ContainsFunc(Rooms(), func(r Room) bool { return r.Package == path })
}

func below(path, above string) bool { return strings.HasPrefix(path, above+"/") }

func TestOnePlace(t *testing.T) {
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git" || path == filepath.Join(root, "bench")) {
			// bench/ is a module of its own: what is compared there is not what the framework stands on.
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return nil // a fixture that is broken on purpose; the compiler checks the rest
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		for _, spec := range file.Imports {
			imported := strings.Trim(spec.Path.Value, `"`)
			for library, place := range one {
				if (imported == library || below(imported, library)) && rel != place.file && !below(rel, place.file) {
					t.Errorf("%s imports %s, which only %s may: %s", rel, imported, place.file, place.why)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
