//go:build linux

package main

import (
	"net"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/zocalo-go/zocalo/bench/realtime/internal/socket"
)

// A sketchConn is one WebSocket.
type sketchConn struct {
	conn    net.Conn
	raw     syscall.RawConn
	flusher *flusher

	// Guarded by mu.
	mu    sync.Mutex
	out   []byte // pooled; nil while nothing waits
	dirty bool   // the flusher will come
	slow  bool   // a goroutine waits for the kernel to take more
	dead  bool

	writing []byte                // what write is about
	written int                   // how much of it is
	try     func(fd uintptr) bool // tryWrite, bound once: a closure for each write would be garbage

	// Owned by the reader.
	in   *[]byte // pooled; nil while nothing has come
	have int     // bytes in it
	big  []byte  // a frame that does not fit in, as far as it has come
}

// maxWaiting is how much may wait for a client that does not read.
const maxWaiting = 4 << 20

func (c *sketchConn) send(f []byte, _ int, _ bool) {
	c.mu.Lock()
	wake := c.add(f)
	c.mu.Unlock()
	if wake {
		c.flusher.add(c)
	}
}

// add writes or keeps a frame, and reports whether the flusher has to be told. mu is held.
func (c *sketchConn) add(f []byte) bool {
	switch {
	case c.dead:
		return false
	case c.slow:
		c.out = append(c.out, f...)
		if len(c.out) > maxWaiting {
			c.dead = true
			go c.conn.Close()
		}
		return false
	case len(f) >= direct:
		c.flush()
		if c.slow || c.dead {
			c.out = append(c.out, f...)
		} else if n := c.write(f); n < len(f) {
			c.out = append(c.out, f[n:]...)
			c.wait()
		}
		return false
	}
	if c.out == nil {
		c.out = (*c.flusher.writePool.Get().(*[]byte))[:0]
	}
	c.out = append(c.out, f...)
	wake := !c.dirty
	c.dirty = true
	return wake
}

// flush writes what waits. mu is held.
func (c *sketchConn) flush() {
	if len(c.out) == 0 || c.slow {
		return
	}
	n := c.write(c.out)
	if n < len(c.out) && !c.dead {
		c.out = append(c.out[:0], c.out[n:]...)
		c.wait()
		return
	}
	if out := c.out[:0]; cap(out) <= direct {
		c.flusher.writePool.Put(&out)
	}
	c.out = nil
}

// write returns how much the kernel took. mu is held.
func (c *sketchConn) write(p []byte) int {
	c.writing, c.written = p, 0
	if c.raw.Write(c.try) != nil {
		c.dead = true
	}
	c.writing = nil
	return c.written
}

// tryWrite is c.try, what RawConn.Write calls back.
func (c *sketchConn) tryWrite(fd uintptr) bool {
	n, err := socket.Write(int(fd), c.writing)
	if err != nil && err != syscall.EAGAIN {
		c.dead = true
	}
	c.written = n
	return true // never waits here
}

// wait has a goroutine wait in the place of everybody else until the kernel has taken all. mu is held.
func (c *sketchConn) wait() {
	c.slow = true
	go func() {
		for {
			c.mu.Lock()
			out := c.out
			c.out = nil
			if len(out) == 0 || c.dead {
				c.slow = false
				c.mu.Unlock()
				return
			}
			c.mu.Unlock()
			c.conn.SetWriteDeadline(time.Now().Add(20 * time.Second))
			if _, err := c.conn.Write(out); err != nil {
				c.close()
			}
		}
	}()
}

func (c *sketchConn) close() {
	c.mu.Lock()
	c.dead = true
	c.mu.Unlock()
	c.conn.Close()
}

// A flusher writes what connections have gathered, and has the buffers that they share.
type flusher struct {
	readPool, writePool sync.Pool // of *[]byte

	mu      sync.Mutex
	dirty   []*sketchConn
	spare   []*sketchConn
	running bool
	wake    chan struct{}
}

func (f *flusher) add(c *sketchConn) {
	f.mu.Lock()
	f.dirty = append(f.dirty, c)
	wake := !f.running
	f.running = true
	f.mu.Unlock()
	if wake {
		f.wake <- struct{}{}
	}
}

func (f *flusher) run() {
	for range f.wake {
		for {
			runtime.Gosched() // whoever can run adds its frames first
			f.mu.Lock()
			turn := f.dirty
			if len(turn) == 0 {
				f.running = false
				f.mu.Unlock()
				break
			}
			f.dirty = f.spare[:0]
			f.mu.Unlock()
			for i, c := range turn {
				c.mu.Lock()
				c.dirty = false
				c.flush()
				c.mu.Unlock()
				turn[i] = nil
			}
			f.spare = turn
		}
	}
}
