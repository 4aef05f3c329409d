package dev_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/zocalo-go/zocalo/internal/dev"
)

// A tree with 10,000 files and a loop, and a .go file that is saved 50 times as
// fast as it goes: the last text is what is served, after fewer builds than saves.
func TestManyFilesManySaves(t *testing.T) {
	s := run(t, func(dir string) {
		public := filepath.Join(dir, "public", "many")
		if err := os.MkdirAll(public, 0o755); err != nil {
			t.Fatal(err)
		}
		for i := range 10_000 {
			if err := os.WriteFile(filepath.Join(public, fmt.Sprintf("%d.txt", i)), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Symlink(dir, filepath.Join(public, "loop")); err != nil {
			t.Logf("no symbolic links here: %v", err)
		}
	})
	s.await(dev.Ready)
	s.want("/", "one")
	source := s.read("main.go")
	const saves = 50
	for i := 1; i <= saves; i++ {
		s.write("main.go", strings.Replace(source, `greeting = "one"`, fmt.Sprintf("greeting = %q", fmt.Sprint("save ", i)), 1))
	}
	restarts := 0
	for {
		s.await(dev.Ready)
		restarts++
		if _, body := s.get("/"); body == fmt.Sprint("save ", saves) {
			break
		}
	}
	if restarts >= saves {
		t.Errorf("%d builds of %d saves", restarts, saves)
	}
}

// An app that ignores SIGTERM is replaced nevertheless, and none of it is left.
func TestStubbornAppIsReplaced(t *testing.T) {
	s := run(t, func(dir string) {
		path := filepath.Join(dir, "main.go")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		stubborn := strings.Replace(string(text), "func main() {", "func main() {\n\tsignal.Ignore(syscall.SIGTERM)", 1)
		stubborn = strings.Replace(stubborn, "signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)", "context.WithCancel(context.Background())", 1)
		if err := os.WriteFile(path, []byte(stubborn), 0o644); err != nil {
			t.Fatal(err)
		}
	})
	s.await(dev.Ready)
	s.edit("main.go", `greeting = "one"`, `greeting = "two"`)
	s.await(dev.Ready)
	s.want("/", "two")
	s.stop()
	pids := regexp.MustCompile(`(?m)^pid (\d+)$`).FindAllStringSubmatch(s.output.String(), -1)
	if len(pids) != 2 {
		t.Fatalf("output %q", s.output)
	}
	for _, m := range pids {
		if running(m[1]) {
			t.Errorf("process %s is still there", m[1])
		}
	}
}
