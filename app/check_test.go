package app_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/zocalo-go/zocalo/app"
)

// A picky engine is one that finds a mistake in every file that has its extension.
type picky struct{}

func (picky) Render(w io.Writer, view app.View) error {
	_, err := fmt.Fprint(w, view.Name, " ", view.Data["a"], view.Options, view.Context != nil)
	return err
}

func (picky) Check(views fs.FS, extension string) error {
	files, err := fs.Glob(views, "*"+extension)
	for _, file := range files {
		err = errors.Join(err, errors.New(path.Join("views", file)+":1:1: no"))
	}
	return err
}

func TestCheckViews(t *testing.T) {
	t.Setenv("ZOCALO_ENV", "")
	server := app.New().Engine("p", picky{}).Set("views", fstest.MapFS{"a.p": {}, "b.x": {}})
	admin := app.New().Set("views", fstest.MapFS{"c.p": {}})
	server.Use("/admin", admin)
	err := server.CheckViews()
	if err == nil || err.Error() != "views/a.p:1:1: no\nviews/c.p:1:1: no" {
		t.Errorf("got %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Serve(context.Background(), l); err == nil || !strings.Contains(err.Error(), "views/a.p:1:1: no") {
		t.Errorf("Serve: %v", err)
	}
	if err := app.New().Engine("p", picky{}).Set("views", "nowhere").CheckViews(); err != nil {
		t.Error(err)
	}
}

func TestRenderOptions(t *testing.T) {
	server := app.New().Engine("p", picky{}).Set("views", fstest.MapFS{}).Set("view engine", "p")
	got, err := server.Render("x", app.Map{"a": 1}, 7, nil, app.Map{"a": 2})
	if err != nil || got != "x.p 2 [7] true" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestSeveralDirectoriesOfViews(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	for _, file := range []string{one + "/a.p", two + "/a.p", two + "/b.p"} {
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	server := app.New().Engine("p", dirEngine{}).Set("views", []string{one, two}).Set("view engine", "p")
	for name, want := range map[string]string{"a": one, "b": two} {
		if got, err := server.Render(name); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, want)
		}
	}
	_, err := server.Render("c")
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), one+", "+two) {
		t.Error(err)
	}
}

// A dirEngine writes the directory that it is given.
type dirEngine struct{}

func (dirEngine) Render(w io.Writer, view app.View) error {
	_, err := fmt.Fprint(w, view.FS)
	return err
}
