package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"testing"
)

func TestRun(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, func(name string) string { return map[string]string{"CONTRACT": "sio5", "PORT": "0"}[name] }, writer)
	}()
	line, err := bufio.NewReader(reader).ReadString('\n')
	if want := fmt.Sprintf("READY %d\n", os.Getpid()); line != want || err != nil {
		t.Errorf("it printed %q, %v, want %q", line, err, want)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestRunWithoutContract(t *testing.T) {
	if err := run(t.Context(), func(string) string { return "" }, io.Discard); err == nil {
		t.Error("it served, though CONTRACT is not set")
	}
}
