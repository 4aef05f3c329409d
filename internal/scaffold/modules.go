package scaffold

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// needed names the modules that an app of each template needs, as go mod tidy
// finds them: one a line, "// indirect" behind those that only the framework
// imports, "// sum" behind those of which go.sum has to know but go.mod does
// not. Versions and sums are the framework's. A test keeps it true:
//
//	go test ./internal/scaffold -run TestNeeded -update
//
//go:embed needed
var needed embed.FS

// mod is the framework's go.mod.
func (f Framework) mod() (goMod, error) {
	text, err := os.ReadFile(filepath.Join(f.Dir, "go.mod"))
	return parseMod(string(text)), err
}

// list is the file of needed for the app.
func (a App) list() string {
	if a.Adapter == "" || a.Adapter == Adapters()[0] {
		return a.Template + ".txt"
	}
	return a.Template + "-" + a.Adapter + ".txt"
}

// modules derives the app's go.mod and go.sum from the framework's, of which
// ours is the go.mod.
func (a App) modules(ours goMod) (mod, sum []byte, err error) {
	sums, err := os.ReadFile(filepath.Join(a.Framework.Dir, "go.sum"))
	if err != nil {
		return nil, nil, err
	}
	needed, err := needed.ReadFile("needed/" + a.list())
	if err != nil {
		return nil, nil, err
	}
	version := a.Framework.Version
	if version == "" {
		version = "v0.0.0"
	}
	direct := []string{framework + " " + version}
	var indirect []string
	wanted := map[string]bool{}
	for line := range strings.Lines(string(needed)) {
		name, comment, _ := strings.Cut(strings.TrimSpace(line), " // ")
		if name == "" {
			continue
		}
		wanted[name] = true
		if comment == "sum" {
			continue
		}
		v, ok := ours.require[name]
		if !ok {
			v, ok = summed(string(sums), name)
		}
		if !ok {
			return nil, nil, fmt.Errorf("the framework's go.mod in %s does not require %s, which a new app needs: this devserver is of another version; build it again", a.Framework.Dir, name)
		}
		if comment == "indirect" {
			indirect = append(indirect, name+" "+v+" // indirect")
		} else {
			direct = append(direct, name+" "+v)
		}
	}
	slices.Sort(direct)
	mod = fmt.Appendf(nil, "module %s\n\ngo %s\n", a.Module, ours.goVersion)
	mod = append(mod, requireBlock(direct)...)
	mod = append(mod, requireBlock(indirect)...)
	var lines []string // of go.sum
	if a.Framework.Version == "" {
		mod = fmt.Appendf(mod, "\nreplace %s => %s\n", framework, quoted(a.Framework.Dir))
	} else {
		lines = append(lines, framework+" "+version+" "+a.Framework.Sum+"\n", framework+" "+version+"/go.mod "+a.Framework.ModSum+"\n")
	}
	for line := range strings.Lines(string(sums)) {
		if name, _, _ := strings.Cut(line, " "); wanted[name] {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return mod, []byte(strings.Join(lines, "")), nil
}

// summed returns the version of a module that go.sum has the files of, if it is one: what only tests of a dependency
// import is not in the framework's go.mod.
func summed(sums, name string) (version string, only bool) {
	for line := range strings.Lines(sums) {
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[0] != name || strings.HasSuffix(fields[1], "/go.mod") {
			continue
		}
		if version != "" {
			return "", false
		}
		version = fields[1]
	}
	return version, version != ""
}
