package app

import (
	"net/http"
	"reflect"
	"testing"
)

// A tooled is a handler that can be looked into.
type tooled struct{ http.Handler }

func (tooled) DevTools() http.Handler { return http.NotFoundHandler() }

// A handler that answers at several paths, its own or those of the router around it, is looked into as one, and requests
// for any of them are not listed.
func TestDevWatchSeveralPaths(t *testing.T) {
	live, other := &tooled{}, &tooled{}
	inner := NewRouter()
	inner.Mount("/live", live)
	server := New()
	server.Use([]string{"/a", "/b"}, inner)
	server.Use("/c/", inner)
	server.Mount("/live", live)
	server.Mount("/other", other)
	watch := newDevWatch(server)
	want := []devMount{
		{[]string{"/a/live/*", "/b/live/*", "/c/live/*", "/live/*"}, "/_dev/app/mounts/0", live},
		{[]string{"/other/*"}, "/_dev/app/mounts/1", other},
	}
	if got := watch.mounts(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	for path, looked := range map[string]bool{"/a/live/x": true, "/b/live": true, "/live/": true, "/lively": false, "/b": false} {
		if watch.looked(path) != looked {
			t.Errorf("%s: %t", path, !looked)
		}
	}
}
