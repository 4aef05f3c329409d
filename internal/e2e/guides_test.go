package e2e

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/zocalo-go/zocalo/internal/marked"
)

// What the guides show of Go is compiled: every block of it stands in a file of examples. Those of package realtime are
// its own to test.
func TestGuidesShowWhatCompiles(t *testing.T) {
	names, err := filepath.Glob("example_*_test.go")
	if err != nil || len(names) == 0 {
		t.Fatalf("no examples, %v", err)
	}
	for _, dir := range []string{"adapter/nats/embedded", "emitter", "presence"} {
		names = append(names, filepath.Join("..", "..", "realtime", dir, "example_test.go"))
	}
	var examples [][]string
	for _, name := range names {
		lines, err := marked.Lines(name)
		if err != nil {
			t.Fatal(err)
		}
		examples = append(examples, lines)
	}
	for _, guide := range []string{"README.md", "docs/app.md", "docs/middleware.md", "docs/scaling.md", "docs/views.md"} {
		blocks, err := marked.Blocks(filepath.Join("..", "..", guide), "go")
		if err != nil || len(blocks) == 0 {
			t.Errorf("%s shows no Go, %v; are its blocks marked with go?", guide, err)
		}
		for _, block := range blocks {
			if !slices.ContainsFunc(examples, block.In) {
				t.Errorf("%s:%d: this Go is in no example: copy it from one in internal/e2e/example_*_test.go, or add one that has it\n%s",
					guide, block.Line, strings.Join(block.Code, "\n"))
			}
		}
	}
}
