package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// Who has no go command is told where there is one.
func TestWithoutGo(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("go.mod", []byte("module example.test/plaza\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", "")
	for _, args := range [][]string{{"--port", "0"}, {"build"}, {"run", "--port", "0"}, {"routes"}} {
		var out, failed bytes.Buffer
		if code := run(t.Context(), args, strings.NewReader(""), &out, &failed); code != 1 || !strings.Contains(failed.String(), "install Go from https://go.dev/dl") {
			t.Errorf("%v: %d\n%s%s", args, code, &out, &failed)
		}
	}
}
