//go:build !linux

package engineio

import "sync"

// poller is for Linux. Elsewhere, each connection has a reader.
type poller struct{ tasks sync.WaitGroup }

type parked struct{}

func newPoller(*Server) *poller { return &poller{} }

func (s *webSocket) park(*inlet, *poller) bool { return false }

func (s *webSocket) kick() {}
