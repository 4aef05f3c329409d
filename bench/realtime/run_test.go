//go:build linux

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// The servers that are compared with keep the contract, by every transport, and what is measured of them is reported. Of the
// scenarios these end after so many operations, however long those take.
func TestRun(t *testing.T) {
	if runtime.NumCPU() < 2 {
		if os.Getenv("ZOCALO_REQUIRE_ALL") == "1" {
			t.Fatal("server and load generator need a processor each")
		}
		t.Skip("server and load generator need a processor each")
	}
	t.Chdir("..")
	scratch := t.TempDir()
	args := []string{"-quick", "-ordinary", "-attempts", "1", "-out", scratch, "-servers", "ours,limit", "-scenarios", "large,upgrade"}
	var out bytes.Buffer
	if err := run(context.Background(), args, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.Bytes())
	}
	page, err := os.ReadFile(filepath.Join(scratch, "performance.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []string{"| broadcast of 100 KB, per delivery |", "| connect by polling and upgrade |"} {
		if !strings.Contains(string(page), row) {
			t.Errorf("the report lacks %q:\n%s", row, page)
		}
	}

	out.Reset()
	if err := run(context.Background(), append(args, "-resume"), &out); err != nil {
		t.Fatalf("%v\n%s", err, out.Bytes())
	}
	if strings.Contains(out.String(), " left ") {
		t.Errorf("what had been measured was measured again:\n%s", out.Bytes())
	}
}

func TestUnknownNames(t *testing.T) {
	t.Chdir("..")
	for _, args := range [][]string{{"-servers", "nobody"}, {"-scenarios", "nothing"}} {
		err := run(context.Background(), append(args, "-out", t.TempDir()), &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), "name some of") {
			t.Errorf("%q: the error does not name the choice: %v", args, err)
		}
	}
}
