package marked

import (
	"os"
	"path/filepath"
	"testing"
)

func TestBlocks(t *testing.T) {
	guide := filepath.Join(t.TempDir(), "guide.md")
	text := "# Guide\n```sh\nls\n```\n```go\na := 1   // one\n…\nb(a)\n```\n```go\nc()\n```\n"
	if err := os.WriteFile(guide, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	blocks, err := Blocks(guide, "go")
	if err != nil || len(blocks) != 2 || blocks[0].Line != 6 || len(blocks[1].Code) != 1 {
		t.Fatalf("got %v %v", blocks, err)
	}
	for _, test := range []struct {
		lines []string
		in    bool
	}{
		{[]string{"func main() {", "a := 1 // one", "b(a)", "}"}, true},
		{[]string{"a := 1 // one", "print(a)", "a++", "b(a)"}, true},
		{[]string{"a := 1 // one", "print(a)"}, false},
		{[]string{"b(a)", "a := 1 // one"}, false},
		{nil, false},
	} {
		if got := blocks[0].In(test.lines); got != test.in {
			t.Errorf("in %q: %v", test.lines, got)
		}
	}
	if _, err := Blocks(guide+"x", "go"); err == nil {
		t.Error("a guide that is not there was no error")
	}
}
