//go:build linux

package main

import (
	"errors"
	"io"

	"golang.org/x/sys/unix"

	"github.com/zocalo-go/zocalo/bench/realtime/internal/frame"
	"github.com/zocalo-go/zocalo/bench/realtime/internal/socket"
)

// A conn is one TCP connection. It speaks HTTP, and WebSocket from the answer 101 on.
type conn struct {
	load      *load
	fd        int
	state     state
	first     []byte // the request to send when it is open
	out       []byte // what the kernel has not taken
	in        []byte // the beginning of an answer or a frame
	watched   uint32
	answered  func(status int, body []byte)
	message   func(op byte, p []byte)
	bigFrame  [64]byte // the beginning of a frame whose end is thrown away
	bigOp     byte
	remaining int // bytes of it to come
}

type state byte

const (
	connecting state = iota
	http
	webSocket
	closed
)

// bigger is the payload from which only the beginning of a frame is looked at: to gather 100 KB frames would make the
// generator slower than the server.
const bigger = 4096

// dial opens a connection and sends a request. Where there are several source addresses they take turns, so that there
// are enough ports.
func (l *load) dial(request []byte) *conn {
	c := &conn{load: l, fd: -1, first: request, state: closed}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		l.fail("no socket for client %d, is `ulimit -n` enough? %w", l.dialed, err)
		return c
	}
	for fd >= len(l.conns) {
		l.conns = append(l.conns, make([]*conn, 1024)...)
	}
	c.fd, c.state = fd, connecting
	l.conns[fd] = c
	unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	if l.sources > 1 {
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
		source := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(1 + l.dialed%l.sources)}}
		if err := unix.Bind(fd, source); err != nil {
			l.fail("bind: %w", err)
		}
	}
	l.dialed++
	server := &unix.SockaddrInet4{Port: l.port, Addr: [4]byte{127, 0, 0, 1}}
	if err := unix.Connect(fd, server); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		l.fail("connect: %w", err)
	}
	c.watch(unix.EPOLL_CTL_ADD, unix.EPOLLIN|unix.EPOLLOUT)
	return c
}

func (c *conn) watch(op int, events uint32) {
	if c.watched == events {
		return
	}
	c.watched = events
	if err := unix.EpollCtl(c.load.epoll, op, c.fd, &unix.EpollEvent{Events: events, Fd: int32(c.fd)}); err != nil {
		c.load.fail("epoll: %w", err)
	}
}

// handle does what epoll says can be done.
func (c *conn) handle(events uint32) {
	if c.state == connecting {
		if events&(unix.EPOLLERR|unix.EPOLLHUP) != 0 {
			errno, _ := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR)
			c.broke(unix.Errno(errno))
			return
		}
		if events&unix.EPOLLOUT == 0 {
			return // what was said of the descriptor's last owner
		}
		c.state = http
		c.watch(unix.EPOLL_CTL_MOD, unix.EPOLLIN)
		c.send(c.first)
		return
	}
	if events&unix.EPOLLOUT != 0 {
		out := c.out
		c.out = nil
		c.watch(unix.EPOLL_CTL_MOD, unix.EPOLLIN)
		c.send(out)
	}
	if events&^unix.EPOLLOUT != 0 {
		n, err := socket.Read(c.fd, c.load.buffer)
		switch {
		case err == unix.EAGAIN:
		case err != nil:
			c.broke(err)
		case n == 0:
			c.broke(io.EOF)
		default:
			c.receive(c.load.buffer[:n])
		}
	}
}

// send writes what the kernel takes, and keeps the rest.
func (c *conn) send(p []byte) {
	for len(p) > 0 && len(c.out) == 0 && c.state != closed {
		n, err := socket.Write(c.fd, p)
		if err == unix.EAGAIN {
			c.watch(unix.EPOLL_CTL_MOD, unix.EPOLLIN|unix.EPOLLOUT)
			break
		}
		if err != nil {
			c.broke(err)
			return
		}
		p = p[n:]
	}
	if c.state != closed {
		c.out = append(c.out, p...)
	}
}

// sendText sends a text message by WebSocket.
func (c *conn) sendText(p []byte) {
	c.load.frame = frame.AppendMasked(c.load.frame[:0], frame.Text, p)
	c.send(c.load.frame)
}

// broke ends a connection that should have lived. A few may break; twenty are a server that does not work.
func (c *conn) broke(err error) {
	if c.state == closed {
		return
	}
	c.close()
	if c.load.broken++; c.load.broken == 20 {
		c.load.fail("20 connections broke, the last one: %w", err)
	}
}

// close ends a connection by RST, so that tens of thousands of them do not linger in TIME_WAIT until the next run.
func (c *conn) close() {
	if c.state == closed {
		return
	}
	c.state = closed
	c.load.conns[c.fd] = nil
	unix.SetsockoptLinger(c.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	unix.Close(c.fd)
}

func (l *load) closeAll() {
	for _, c := range l.conns {
		if c != nil {
			c.close()
		}
	}
}

// receive takes what was read.
func (c *conn) receive(b []byte) {
	if c.remaining > 0 {
		n := min(c.remaining, len(b))
		c.remaining -= n
		b = b[n:]
		if c.remaining > 0 {
			return
		}
		c.message(c.bigOp, c.bigFrame[:])
	}
	kept := len(c.in) > 0
	if kept {
		c.in = append(c.in, b...)
		b = c.in
	}
	for len(b) > 0 && c.state != closed {
		n := 0
		if c.state == webSocket {
			n = c.takeFrame(b)
		} else {
			n = c.takeAnswer(b)
		}
		if n == 0 {
			break
		}
		b = b[n:]
	}
	if len(b) > 0 || kept {
		c.in = append(c.in[:0], b...)
	}
}

// takeFrame takes the frame that b begins with and returns its length; 0 if b ends within it.
func (c *conn) takeFrame(b []byte) int {
	h, ok := frame.Parse(b)
	if !ok {
		return 0
	}
	if len(b) < h.Len+h.Payload {
		if h.Payload < bigger || len(b) < h.Len+len(c.bigFrame) {
			return 0
		}
		copy(c.bigFrame[:], b[h.Len:])
		c.bigOp = h.Op
		c.remaining = h.Len + h.Payload - len(b)
		return len(b)
	}
	p := b[h.Len : h.Len+h.Payload]
	switch h.Op {
	case frame.Close:
		c.broke(errors.New("the server closed it"))
	case frame.Ping:
		c.send(frame.AppendMasked(nil, frame.Pong, p))
	case frame.Pong:
	default:
		c.message(h.Op, p)
	}
	return h.Len + h.Payload
}
