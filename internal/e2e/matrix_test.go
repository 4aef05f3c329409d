package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/parser"
	"github.com/zocalo-go/zocalo/realtime/parser/msgpack"
)

// A variant is one way of a client to talk to the town.
type variant struct {
	Mode  string `json:"mode"`
	Codec string `json:"codec"`
	Path  string `json:"path"`
}

// TestVersions has the official client of several versions, from 2.5, try what they all can do, in every variant.
// Version 2 has no MessagePack here: its parser writes other packets than a server of version 4 reads, also in Node.
func TestVersions(t *testing.T) {
	modules(t)
	ledger := newLedger()
	mux := http.NewServeMux()
	var variants []variant
	for _, c := range []struct {
		name, path string
		codec      parser.Codec
	}{
		{"default", "/socket.io/", parser.JSON},
		{"msgpack", "/msgpack/", msgpack.Codec},
	} {
		town := newTown(t, realtime.Config{Path: c.path, Codec: c.codec, AllowEIO3: true}, ledger)
		t.Cleanup(func() { town.Close() })
		mux.Handle(c.path, town)
		for _, mode := range modes {
			variants = append(variants, variant{mode, c.name, c.path})
		}
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)

	for _, version := range []struct {
		client   string
		variants []variant
	}{
		{"socket.io-client-2.5", variants[:len(modes)]},
		{"socket.io-client-3.1", variants},
		{"socket.io-client-4.0", variants},
		{"socket.io-client-4.5", variants},
		{"socket.io-client", variants},
	} {
		t.Run(version.client, func(t *testing.T) {
			place, err := json.Marshal(map[string]any{"url": server.URL, "client": version.client, "variants": version.variants})
			if err != nil {
				t.Fatal(err)
			}
			runNode(t, "matrix.mjs", string(place))
		})
	}
}
