package dev_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zocalo-go/zocalo/internal/dev"
)

func TestServe(t *testing.T) {
	serve := func(t *testing.T, ctx context.Context, dir string, report func(dev.Event, string)) error {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		url := "http://" + ln.Addr().String()
		return dev.Serve(ctx, dev.Config{Dir: dir, Listener: ln.(*net.TCPListener), Report: func(e dev.Event) { report(e, url) }})
	}
	t.Run("production", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var got string
		err := serve(t, ctx, "testdata/app", func(e dev.Event, url string) {
			defer cancel()
			s := &session{t: t, url: url}
			_, env := s.get("/env/ZOCALO_ENV")
			_, control := s.get("/env/ZOCALO_DEV")
			got = env + "," + control
		})
		if err != nil || got != "production," {
			t.Errorf("%q, %v", got, err)
		}
	})
	t.Run("exit status", func(t *testing.T) {
		err := serve(t, t.Context(), "testdata/app", func(e dev.Event, url string) { (&session{t: t, url: url}).try("/crash") })
		if err == nil || !strings.Contains(err.Error(), "exit status 3") {
			t.Errorf("%v", err)
		}
	})
	t.Run("broken", func(t *testing.T) {
		dir := t.TempDir()
		os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module x\n"), 0o644)
		os.WriteFile(filepath.Join(dir, "x.go"), []byte("package main\n"), 0o644)
		err := serve(t, t.Context(), dir, func(dev.Event, string) { t.Error("ready") })
		if err == nil || !strings.Contains(err.Error(), "function main is undeclared") {
			t.Errorf("%v", err)
		}
	})
}
