//go:build !unix

package engineio

import (
	"errors"
	"net"
	"syscall"
)

// attempt is a write that does not wait, which this system has none of.
type attempt struct{}

func rawOf(net.Conn) syscall.RawConn { return nil }

func (*attempt) write(syscall.RawConn, []byte) (int, error) { return 0, errors.ErrUnsupported }
