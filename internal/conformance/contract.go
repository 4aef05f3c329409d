// Package conformance answers the contracts that Socket.IO's official suites, and the project's own benchmark, expect of
// a server under test. Each contract is one file, written in the public API of package realtime alone: a contract that
// would need more is a fault of that API.
//
//	eio4   the Engine.IO protocol suite      (docs/engine.io-protocol/v4-test-suite of socketio/socket.io)
//	eio3   that of the protocol's revision 3 (docs/engine.io-protocol/v3-test-suite)
//	sio5   the Socket.IO protocol suite      (docs/socket.io-protocol/v5-test-suite)
//	eioc   the suite of the client engine.io-client
//	sioc   the suite of the client socket.io-client
//	bench  the load generator of bench/
//
// The command in server/ serves one of them. The tests run the official protocol suites against it where a checkout of
// socketio/socket.io is at hand, and our own tables of raw exchanges everywhere.
package conformance

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zocalo-go/zocalo/realtime/parser"
	"github.com/zocalo-go/zocalo/realtime/parser/msgpack"
)

// contracts maps each name to what serves it.
func contracts() map[string]func(Env) http.Handler {
	return map[string]func(Env) http.Handler{
		"bench": bench,
		"eio3":  eio3,
		"eio4":  eio4,
		"eioc":  eioc,
		"sio5":  sio5,
		"sioc":  sioc,
	}
}

// An Env looks a setting up, as os.Getenv does. PING_INTERVAL, PING_TIMEOUT and CONNECT_TIMEOUT, in milliseconds, take
// the place of what a contract asks for; CODEC=msgpack makes sio5 and sioc write MessagePack.
type Env func(name string) string

// milliseconds returns a setting, or the fallback where it is not a positive number.
func (env Env) milliseconds(name string, fallback int) time.Duration {
	n, err := strconv.Atoi(env(name))
	if err != nil || n <= 0 {
		n = fallback
	}
	return time.Duration(n) * time.Millisecond
}

// codec returns what packets are written with.
func (env Env) codec() parser.Codec {
	if env("CODEC") == "msgpack" {
		return msgpack.Codec
	}
	return parser.JSON
}

// Handler returns the server of a contract. Each call returns one of its own.
func Handler(contract string, env Env) (http.Handler, error) {
	all := contracts()
	build, known := all[contract]
	if !known {
		return nil, fmt.Errorf("no contract %q: set CONTRACT to one of %s", contract, strings.Join(slices.Sorted(maps.Keys(all)), ", "))
	}
	return build(env), nil
}
