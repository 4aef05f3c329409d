package app

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

type described struct{ http.Handler }

func (described) Describe() any { return Map{"kind": "test"} }

// With ZOCALO_ROUTES an application tells its routes and ends, whichever way it would have served.
func TestListing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "routes.json")
	t.Setenv(listingVariable, file)
	server := New()
	server.Get("/books/:id", func(req *Request, res *Response) error { return nil })
	admin := NewRouter()
	admin.Mount("/live", described{http.NotFoundHandler()})
	server.Use("/admin", admin)
	if err := server.Listen("256.256.256.256:1"); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := New().Serve(context.Background(), l); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Accept(); err == nil {
		t.Error("the listener is still open")
	}

	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var first, second listing
	decoder := json.NewDecoder(f)
	if err := decoder.Decode(&first); err != nil {
		t.Fatal(err)
	}
	if err := decoder.Decode(&second); err != nil || len(second.Routes) != 0 {
		t.Errorf("the second application: %+v, %v", second, err)
	}
	if len(first.Routes) != 2 || first.Routes[0].Method != "GET" || first.Routes[0].Pattern != "/books/:id" || filepath.Base(first.Routes[0].File) != "listing_test.go" {
		t.Errorf("routes %+v", first.Routes)
	}
	if len(first.Mounts) != 1 || first.Mounts[0].Pattern != "/admin/live/*" || first.Mounts[0].Description.(map[string]any)["kind"] != "test" {
		t.Errorf("mounts %+v", first.Mounts)
	}

	t.Setenv(listingVariable, t.TempDir())
	if err := server.Listen(""); err == nil {
		t.Error("a directory can be written to")
	}
}
