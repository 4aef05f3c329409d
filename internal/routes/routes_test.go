package routes

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestList(t *testing.T) {
	listing, unread, err := List(t.Context(), App{Dir: ".", Package: "./testdata/app", Timeout: time.Minute})
	if err != nil || unread != nil {
		t.Fatal(err, unread)
	}
	var got strings.Builder
	for _, r := range listing.Routes {
		place := fmt.Sprintf("%s:%d", filepath.Base(r.File), r.Line)
		if strings.HasPrefix(place, "server.go:") {
			place = "server.go" // of Go's library
		}
		fmt.Fprintf(&got, "%s %s %s %s %s\n", r.Kind, r.Method, r.Pattern, r.Handler, place)
	}
	for _, n := range listing.Namespaces {
		fmt.Fprintf(&got, "namespace %s %q %v %s\n", n.Path, n.Name, n.Parent, n.Of)
		for _, e := range n.Events {
			fmt.Fprintf(&got, "  %s %s %s %s:%d\n", e.From, e.Event, e.Handler, filepath.Base(e.File), e.Line)
		}
	}
	const want = `middleware  / main.main.func1 main.go:39
route GET /books/:id main.(*books).show main.go:19
mount  /files/* http.NotFound server.go
mount  /socket.io/* *realtime.Server main.go:49
namespace /socket.io "^/x" true 
  server connection main.main.func3 main.go:48
namespace /socket.io "" true 
  server connection main.main.func5 main.go:51
namespace /socket.io "/" false 
  server connection main.(*books).connected main.go:21
  client ping func(n int) (int, error) main.go:22
  client typed func(context.Context, string) error main.go:27
  client asked answer main.go:28
namespace /socket.io "/admin" false 
  server connection main.main.func2 main.go:45
  client "close " + when closed rooms.go:8
namespace  "" false unknown
  client lonely func() main.go:34
`
	if got.String() != want {
		t.Errorf("listed:\n%s\nwant:\n%s", got.String(), want)
	}
}

// An app that does not tell is an error that says why.
func TestListFails(t *testing.T) {
	for pkg, want := range map[string]string{
		"./testdata/broken":    "undefined: nothing",
		"./testdata/silent":    "ended without calling app.Listen",
		"./testdata/fails":     "no database",
		"./testdata/app/rooms": "not package main",
		"./testdata/nothing":   "does not build",
	} {
		if _, _, err := List(t.Context(), App{Dir: ".", Package: pkg, Timeout: time.Minute}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", pkg, err, want)
		}
	}
	// That it printed something by then is for the scheduler to say.
	_, _, err := List(t.Context(), App{Dir: ".", Package: "./testdata/stuck", Timeout: time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "did not come to app.Listen within 1ms") {
		t.Errorf("stuck: %v", err)
	}
}
