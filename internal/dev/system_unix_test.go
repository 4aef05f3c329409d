//go:build unix

package dev

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// A process that gets the listener leaves it as it is for the one that has it
// already: were it to block, that one could not end any more.
func TestGiveKeepsNonblocking(t *testing.T) {
	ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	pub := newPublic(ln, http.NotFoundHandler())
	defer pub.stop()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^$")
	if err := pub.give(cmd); err != nil {
		t.Fatal(err)
	}
	err = cmd.Run()
	for _, f := range cmd.ExtraFiles {
		f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	raw, err := ln.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_GETFL, 0)
		if errno != 0 || flags&syscall.O_NONBLOCK == 0 {
			t.Errorf("the flags of the listener are %#x (%v), without O_NONBLOCK", flags, errno)
		}
	})
}
