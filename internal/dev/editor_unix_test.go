//go:build unix

package dev

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A place opens in the editor that the environment names.
func TestOpenStartsTheEditor(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	file, told := filepath.Join(dir, "main.go"), filepath.Join(t.TempDir(), "told")
	if err := syscall.Mkfifo(told, 0o600); err != nil { // which is read when it is written
		t.Fatal(err)
	}
	script := filepath.Join(t.TempDir(), "code")
	if err := errors.Join(os.WriteFile(file, nil, 0o644), os.WriteFile(script, []byte("#!/bin/sh\nprintf '%s\\n' \"$PWD\" \"$@\" > '"+told+"'\n"), 0o755)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ZOCALO_EDITOR", script)
	w := httptest.NewRecorder()
	openPlace(dir)(w, httptest.NewRequest("POST", "/_dev/open", strings.NewReader(`{"file":"main.go","line":3,"column":9}`)))
	if w.Code != http.StatusNoContent {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if got, err := os.ReadFile(told); err != nil || string(got) != dir+"\n--goto\n"+file+":3:9\n" {
		t.Errorf("the editor was told %q %v", got, err)
	}
}
