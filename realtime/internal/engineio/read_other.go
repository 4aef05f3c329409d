//go:build !unix

package engineio

func (s *webSocket) readRaw() { s.readPlain() }
