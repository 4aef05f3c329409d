package marked

import (
	"os"
	"path/filepath"
	"testing"
)

func TestReplace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "guide.md")
	const guide = "above\n<!-- what follows is written by `make it` -->\nold\n<!-- what stands above is written by `make it` -->\nbelow\n"
	if err := os.WriteFile(file, []byte(guide), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 { // a second time changes nothing
		if err := Replace(file, "make it", "\n| new |\n\n"); err != nil {
			t.Fatal(err)
		}
		want := "above\n<!-- what follows is written by `make it` -->\n\n| new |\n<!-- what stands above is written by `make it` -->\nbelow\n"
		if got, _ := os.ReadFile(file); string(got) != want {
			t.Errorf("got %q", got)
		}
	}
	if err := Replace(file, "make another", "text"); err == nil {
		t.Error("a guide without a place for the text was no error")
	}
}
