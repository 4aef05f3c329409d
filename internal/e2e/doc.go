// Package e2e drives Zócalo with the clients that people use.
//
// Its tests put a small town on the network (town_test.go: every kind of handler a Socket.IO application has) and send
// in npm's socket.io-client, in Node and in Chromium, and the browser client that package realtime serves. One set of
// scenarios, written in JavaScript under node/, runs against all of them over polling, over WebSocket and with the
// upgrade from one to the other. Beside that, two Chromium pages talk on the demo, and a soak of raw connections checks
// that nothing is left behind.
//
// A client that is not on the machine (Node with npm, Chromium) is skipped and named, unless ZOCALO_REQUIRE_ALL=1 is
// set: then its absence is a failure.
package e2e
