package main

import (
	"context"
	"net"
	"testing"
)

// A port that a server answers on is known as such, on whichever address of
// localhost that is.
func TestAnswered(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			t.Logf("there is no %s here: %v", addr, err)
			continue
		}
		_, port, err := net.SplitHostPort(ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if !answered(context.Background(), port) {
			t.Errorf("nobody is found at %s", ln.Addr())
		}
		ln.Close()
		if answered(context.Background(), port) {
			t.Errorf("somebody is found at %s, which is closed", ln.Addr())
		}
	}
}
