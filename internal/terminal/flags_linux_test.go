package terminal_test

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func flags(t *testing.T, f *os.File) uint32 {
	t.Helper()
	s, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return s.Lflag
}
