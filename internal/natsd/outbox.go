package natsd

import (
	"net"
	"sync"
	"time"
)

const (
	maxWaiting = 64 << 20         // bytes that may wait for a client
	patience   = 10 * time.Second // for a client to take anything
)

// An outbox is what is to be written to a client. Its methods may be called
// concurrently.
type outbox struct {
	conn net.Conn

	mu       sync.Mutex // guards the rest
	filled   sync.Cond  // when there is something to write, or nothing any more
	waiting  []byte
	finished bool // nothing is added any more
}

func newOutbox(conn net.Conn) *outbox {
	o := &outbox{conn: conn}
	o.filled.L = &o.mu
	return o
}

// add has bytes written after those that wait, and reports false if the client is
// done for. It never waits: a client for which too much waits is closed.
func (o *outbox) add(b []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.finished {
		return false
	}
	if len(o.waiting)+len(b) > maxWaiting {
		o.waiting, o.finished = nil, true
		o.filled.Signal()
		o.conn.Close() // who reads and who writes find out
		return false
	}
	o.waiting = append(o.waiting, b...)
	o.filled.Signal()
	return true
}

// finish has the connection closed when all that waits is written.
func (o *outbox) finish() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.finished = true
	o.filled.Signal()
}

// close closes the connection now.
func (o *outbox) close() {
	o.finish()
	o.conn.Close()
}

// drain writes until there is nothing more, and closes the connection.
func (o *outbox) drain() {
	defer o.close()
	for {
		o.mu.Lock()
		for len(o.waiting) == 0 && !o.finished {
			o.filled.Wait()
		}
		batch := o.waiting
		o.waiting = nil
		o.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		o.conn.SetWriteDeadline(time.Now().Add(patience))
		if _, err := o.conn.Write(batch); err != nil {
			return
		}
	}
}
