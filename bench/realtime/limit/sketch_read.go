//go:build linux

package main

import (
	"syscall"

	"github.com/zocalo-go/zocalo/bench/realtime/internal/frame"
	"github.com/zocalo-go/zocalo/bench/realtime/internal/socket"
)

// maxFrame is the longest frame that is taken.
const maxFrame = 1<<20 + frame.MaxHeader

// read reads until the connection ends. The frames are handled inside the callback of RawConn.Read, which after a short
// read goes straight back to the poller: that saves the read which would only say EAGAIN. It is safe because the poller
// is edge-triggered, and told to forget nothing before RawConn.Read is called again.
func (c *sketchConn) read(early []byte, ws *webSocket) {
	if len(early) > 0 {
		c.in = c.flusher.readPool.Get().(*[]byte)
		c.have = copy(*c.in, early)
		if !c.consume(ws) {
			return
		}
	}
	c.raw.Read(func(fd uintptr) bool { return c.drain(int(fd), ws) })
}

// drain reads what is there; true ends the connection. Between its calls, an idle connection holds no buffer.
func (c *sketchConn) drain(fd int, ws *webSocket) bool {
	for {
		if c.in == nil {
			c.in = c.flusher.readPool.Get().(*[]byte)
		}
		room := (*c.in)[c.have:]
		n, err := socket.Read(fd, room)
		if err == syscall.EAGAIN {
			c.release()
			return false
		}
		if err != nil || n == 0 {
			return true
		}
		c.have += n
		if !c.consume(ws) {
			return true
		}
		if n < len(room) {
			c.release()
			return false
		}
	}
}

// release gives the buffer back if nothing is in it.
func (c *sketchConn) release() {
	if c.have == 0 && c.in != nil {
		c.flusher.readPool.Put(c.in)
		c.in = nil
	}
}

// consume takes the frames that have come and keeps the beginning of the next; false ends the connection.
func (c *sketchConn) consume(ws *webSocket) bool {
	b := (*c.in)[:c.have]
	for len(b) > 0 {
		if c.big != nil {
			n := copy(c.big[len(c.big):cap(c.big)], b)
			c.big = c.big[:len(c.big)+n]
			b = b[n:]
			if len(c.big) == cap(c.big) {
				if ws.frame(c.big) < 0 {
					return false
				}
				c.big = nil
			}
			continue
		}
		n := ws.frame(b)
		if n < 0 {
			return false
		}
		if n > 0 {
			b = b[n:]
			continue
		}
		h, ok := frame.Parse(b)
		if ok && h.Len+h.Payload > maxFrame {
			return false
		}
		if !ok || h.Len+h.Payload <= len(*c.in) {
			break
		}
		c.big = append(make([]byte, 0, h.Len+h.Payload), b...)
		b = nil
	}
	c.have = copy(*c.in, b)
	return true
}
