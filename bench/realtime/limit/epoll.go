//go:build linux

package main

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"

	"github.com/zocalo-go/zocalo/bench/realtime/internal/socket"
)

// An epollLoop serves all connections from one thread: it waits, reads, and at the end of each round writes what has
// come together.
type epollLoop struct {
	server *server
	epoll  int
	conns  []*epollConn // by file descriptor
	dirty  []*epollConn // those that have something to write
	buffer []byte
}

type epollConn struct {
	loop  *epollLoop
	fd    int
	ws    *webSocket // nil before the handshake
	in    []byte     // the beginning of a frame, or of a request
	out   []byte
	dirty bool
	full  bool // the kernel takes no more; the loop waits until it does
}

// direct is the length from which a frame is written at once: it would only be copied.
const direct = 16 << 10

func (s *server) serveEpoll(address string) error {
	runtime.LockOSThread()
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().Is4() {
		return fmt.Errorf("epoll listens on an IPv4 address, not %s", address)
	}
	listener, err := listen(at)
	if err != nil {
		return err
	}
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	l := &epollLoop{server: s, epoll: epoll, buffer: make([]byte, 256<<10)}
	if err := l.watch(unix.EPOLL_CTL_ADD, listener, unix.EPOLLIN); err != nil {
		return err
	}
	fmt.Println("READY", os.Getpid())
	return l.run(listener)
}

func listen(at netip.AddrPort) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return 0, err
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}); err != nil {
		return 0, err
	}
	return fd, unix.Listen(fd, 4096)
}

func (l *epollLoop) watch(op, fd int, events uint32) error {
	return unix.EpollCtl(l.epoll, op, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)})
}

func (l *epollLoop) run(listener int) error {
	events := make([]unix.EpollEvent, 512)
	next := time.Now().Add(tick)
	for {
		n, err := unix.EpollWait(l.epoll, events, 50)
		if err != nil && err != unix.EINTR {
			return err
		}
		for _, event := range events[:max(n, 0)] {
			if int(event.Fd) == listener {
				l.accept(listener)
			} else if c := l.conns[event.Fd]; c != nil {
				c.ready(event.Events)
			}
		}
		if now := time.Now(); now.After(next) {
			next = next.Add(tick)
			l.server.ping()
		}
		for i, c := range l.dirty {
			c.dirty = false
			c.flush()
			l.dirty[i] = nil
		}
		l.dirty = l.dirty[:0]
	}
}

func (l *epollLoop) accept(listener int) {
	for range 64 {
		fd, _, err := unix.Accept4(listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if err != nil {
			return
		}
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		for fd >= len(l.conns) {
			l.conns = append(l.conns, make([]*epollConn, 1024)...)
		}
		l.conns[fd] = &epollConn{loop: l, fd: fd}
		if l.watch(unix.EPOLL_CTL_ADD, fd, unix.EPOLLIN) != nil {
			l.conns[fd].close()
		}
	}
}

func (c *epollConn) ready(events uint32) {
	if events&unix.EPOLLOUT != 0 {
		c.full = false
		c.loop.watch(unix.EPOLL_CTL_MOD, c.fd, unix.EPOLLIN)
		c.flush()
	}
	if events&^unix.EPOLLOUT == 0 {
		return
	}
	n, err := socket.Read(c.fd, c.loop.buffer)
	if err == unix.EAGAIN {
		return
	}
	if err != nil || n == 0 || !c.data(c.loop.buffer[:n]) {
		c.close()
	}
}

// data takes what was read; false closes the connection.
func (c *epollConn) data(b []byte) bool {
	if len(c.in) > 0 {
		c.in = append(c.in, b...)
		b = c.in
	}
	for len(b) > 0 {
		n := 0
		if c.ws != nil {
			n = c.ws.frame(b)
		} else {
			n = c.request(b)
		}
		if n < 0 {
			return false
		}
		if n == 0 {
			break
		}
		b = b[n:]
	}
	if len(b) == 0 {
		c.in = nil // an idle connection holds no buffer
	} else {
		c.in = append(c.in[:0], b...)
	}
	return true
}

// request answers the request that b begins with and returns its length; 0 if b ends within it, negative if it is of no
// use.
func (c *epollConn) request(b []byte) int {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return 0
	}
	request := b[:end+2]
	if bytes.HasPrefix(request, []byte("GET /__gc")) {
		debug.FreeOSMemory()
		c.write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
		return end + 4
	}
	for line := range bytes.Lines(request) {
		if name, value, _ := bytes.Cut(line, []byte(": ")); bytes.EqualFold(name, []byte("Sec-WebSocket-Key")) {
			c.write(handshake(string(bytes.TrimSpace(value))))
			c.ws = c.loop.server.begin(c, nil)
			return end + 4
		}
	}
	return -1
}

// send is called by the loop's thread alone.
func (c *epollConn) send(f []byte, _ int, _ bool) {
	if len(f) >= direct {
		c.flush()
		if len(c.out) == 0 {
			f = f[c.write(f):]
		}
		if len(f) == 0 {
			return
		}
	}
	c.out = append(c.out, f...)
	if !c.dirty {
		c.dirty = true
		c.loop.dirty = append(c.loop.dirty, c)
	}
}

// flush writes what waits, as far as the kernel takes it.
func (c *epollConn) flush() {
	if c.full || len(c.out) == 0 {
		return
	}
	n := c.write(c.out)
	switch {
	case n < len(c.out):
		c.out = append(c.out[:0], c.out[n:]...)
		c.full = true
		c.loop.watch(unix.EPOLL_CTL_MOD, c.fd, unix.EPOLLIN|unix.EPOLLOUT)
	case cap(c.out) > 1024:
		c.out = nil
	default:
		c.out = c.out[:0]
	}
}

// write returns how much the kernel took. Of a connection that is broken it takes everything: the next read ends it.
func (c *epollConn) write(p []byte) int {
	n, err := socket.Write(c.fd, p)
	if err != nil && err != unix.EAGAIN {
		return len(p)
	}
	return n
}

func (c *epollConn) close() {
	if c.ws != nil {
		c.ws.session.close()
	}
	c.loop.conns[c.fd] = nil
	c.out, c.full = nil, false
	unix.Close(c.fd)
}
