// Package need is for tests that use what a machine may lack: Node, Chromium,
// Redis. Where it is missing they are skipped by name, or fail where
// ZOCALO_REQUIRE_ALL=1 says that everything has to be there.
package need

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// All reports whether nothing may be skipped.
func All() bool { return os.Getenv("ZOCALO_REQUIRE_ALL") == "1" }

// Missing skips the test for want of something, or fails it where everything has
// to be there.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if All() {
		t.Fatalf(format, args...)
	}
	t.Skipf("SKIPPED: "+format, args...)
}

// Command returns the path of the first of the programs that is there.
func Command(t testing.TB, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Missing(t, "%s is not installed", strings.Join(names, " or "))
	return ""
}

// Chromium returns the path of the browser.
func Chromium(t testing.TB) string {
	t.Helper()
	return Command(t, "chromium", "chromium-browser", "google-chrome")
}

// Modules has npm install what the package.json in dir names, unless that was
// done for the same lock file before. It needs Node, npm, and a registry the first
// time.
func Modules(t testing.TB, dir string) {
	t.Helper()
	Command(t, "node")
	npm := Command(t, "npm")
	if err := install(npm, dir); err != nil {
		Missing(t, "npm ci in %s: %v", dir, err)
	}
}

func install(npm, dir string) error {
	lock, err := os.Stat(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return err
	}
	installed, err := os.Stat(filepath.Join(dir, "node_modules", ".package-lock.json"))
	if err == nil && !installed.ModTime().Before(lock.ModTime()) {
		return nil
	}
	cmd := exec.Command(npm, "ci", "--no-audit", "--no-fund")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}
