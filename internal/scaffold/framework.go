package scaffold

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
)

// framework is the module path of the framework.
const framework = "github.com/zocalo-go/zocalo"

// A Framework says which framework an app uses and where its source is.
type Framework struct {
	Version string // a release, "v1.2.3"; empty for a checkout
	Sum     string // the release's line in go.sum: "h1:…"
	ModSum  string // the same of its go.mod
	Dir     string // absolute; holds go.mod, go.sum, views and public
}

// Find tells from the build information of the running program, which is that
// of debug.ReadBuildInfo, what an app written by it should use. A program that
// was installed as a released version uses that version, of which the module
// cache has all there is to know. One that was built from a checkout uses the
// checkout. The error of any other names the line to type.
func Find(info *debug.BuildInfo) (Framework, error) {
	if info != nil && info.Main.Path == framework && info.Main.Sum != "" {
		return release(info.Main.Version, info.Main.Sum)
	}
	if dir := checkout(); dir != "" {
		return Framework{Dir: dir}, nil
	}
	return Framework{}, errors.New("this devserver was built neither from a release nor from a checkout that is still there, " +
		"so it cannot tell which framework the app should use; type:\n\tgo install " + framework + "/cmd/devserver@latest")
}

// release finds a version in the module cache, where go install left it.
func release(version, sum string) (Framework, error) {
	fail := func(err error) (Framework, error) {
		return Framework{}, fmt.Errorf("the source of the framework's version %s is not in the module cache; type:\n\tgo mod download %s@%[1]s\n(%[3]w)", version, framework, err)
	}
	// The go command knows about GOPATH, GOMODCACHE and its own configuration file.
	out, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		return fail(fmt.Errorf("go env GOMODCACHE: %w", err))
	}
	cache := strings.TrimSpace(string(out))
	mod, err := os.ReadFile(filepath.Join(cache, "cache", "download", filepath.FromSlash(framework), "@v", escaped(version)+".mod"))
	if err != nil {
		return fail(err)
	}
	dir := filepath.Join(cache, filepath.FromSlash(framework)+"@"+escaped(version))
	if _, err := os.Stat(filepath.Join(dir, "go.sum")); err != nil {
		return fail(err)
	}
	return Framework{Version: version, Sum: sum, ModSum: hashMod(mod), Dir: dir}, nil
}

// checkout is the directory of the framework's source that this program was
// built from, or one that the program or the user stands in, or empty.
func checkout() string {
	_, file, _, _ := runtime.Caller(0) // not a path when built with -trimpath
	starts := []string{filepath.Dir(file)}
	if exe, err := os.Executable(); err == nil {
		starts = append(starts, filepath.Dir(exe))
	}
	if wd, err := os.Getwd(); err == nil {
		starts = append(starts, wd)
	}
	for _, dir := range starts {
		for filepath.IsAbs(dir) {
			if ModulePath(dir) == framework {
				return dir
			}
			parent := filepath.Dir(dir)
			if parent == dir {
				break
			}
			dir = parent
		}
	}
	return ""
}

// escaped is a version as the module cache spells it: an upper-case letter is
// an exclamation mark and the lower-case one (go.dev/ref/mod#module-proxy).
func escaped(version string) string {
	var b strings.Builder
	for _, r := range version {
		if 'A' <= r && r <= 'Z' {
			b.WriteByte('!')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}
