// Package webtransport lets clients reach a realtime server by WebTransport,
// over HTTP/3, directly or by upgrade from polling. It is a module of its own,
// so that only who uses it depends on QUIC.
//
//	config := realtime.Config{Transports: []string{"polling", "websocket", "webtransport"}}
//	socketServer := realtime.NewServer(config)
//	server := webtransport.NewServer(socketServer, webtransport.Config{
//		Addr:      ":443", // of UDP; pages come over TCP, from the same port
//		TLSConfig: &tls.Config{Certificates: certificates},
//	})
//	go server.ListenAndServe()
//
// Start with [Server]. A page needs nothing but the official client: it tries
// WebTransport by itself where the browser has it and the server offers it.
//
// A session takes one request of HTTP/3 and one bidirectional stream in it, by
// the framing of engine.io-parser; datagrams and further streams are not used.
//
// # Goroutines
//
// A session has one goroutine of this package, for as long as it lasts; those of
// quic-go are its own. [Server.Shutdown] waits for both.
package webtransport
