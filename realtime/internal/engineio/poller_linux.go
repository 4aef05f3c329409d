package engineio

import (
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// poller reads the WebSockets that are plain TCP connections, so that one that
// waits has no goroutine, and no stack: only what it is known by.
//
// They are watched by an epoll instance, which in turn is watched by the Go
// runtime's: waiting blocks a goroutine, and no thread. A connection stays the
// net package's, which writes to it and closes it; its descriptor is only used
// while that is held, by a syscall.RawConn, and an event names a key that is
// never used again, not a descriptor.
//
// The goroutines are alike. One waits for events, and reads what they are about
// itself. Before it does, it calls another to go on in its place: reading may
// have to wait, for room in an inbox or for a client to take a pong. Where it
// does not have to wait, one goroutine reads many connections in a row.
type poller struct {
	server *Server
	tasks  sync.WaitGroup

	mu      sync.Mutex // guards the rest
	epoll   *os.File   // nil while there is no connection
	raw     syscall.RawConn
	conns   map[uint64]*webSocket
	key     uint64       // the last that was given
	ready   []*webSocket // have something to be read, the first from next on
	next    int
	polling bool      // a goroutine waits for events
	called  bool      // one that shall look what there is to do is on its way
	idle    int       // goroutines that wait to be called
	call    sync.Cond // for them
}

// parked is what a poller knows a connection by.
type parked struct {
	by     atomic.Pointer[poller] // nil for one that has a reader of its own
	key    uint64
	events atomic.Int32 // that have not been seen to: who adds the first has it read, who sees to the last no longer does
	hangup atomic.Bool  // the client has closed its side, which is not told twice
}

const (
	maxEvents = 256
	maxReads  = 16 // of one connection in a row, while others wait
	maxServed = 16 // connections in a row, before the handlers of what came by them run

	spareReaders = 4 // goroutines that wait to be called, for each processor
)

func newPoller(s *Server) *poller {
	p := &poller{server: s, conns: make(map[uint64]*webSocket)}
	p.call.L = &p.mu
	return p
}

// park has the connection read by p, or reports that it cannot be.
func (s *webSocket) park(in *inlet, p *poller) bool {
	if _, tcp := s.conn.(*net.TCPConn); !tcp || s.raw == nil {
		return false
	}
	in.begin()
	s.in = in
	early := len(s.early) > 0
	if !p.add(s) {
		return !s.parked.events.CompareAndSwap(0, 1) // it was aborted, which will be seen to
	}
	if early {
		s.kick()
	}
	return true
}

// kick has the connection looked at, as if there were something to read.
func (s *webSocket) kick() {
	p := s.parked.by.Load()
	if p != nil && s.parked.events.Add(1) == 1 {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.push(s)
		p.callNext()
	}
}

// add watches a connection.
func (p *poller) add(s *webSocket) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.epoll == nil && !p.open() {
		return false
	}
	p.key++
	s.parked.key = p.key
	s.parked.by.Store(p)
	p.conns[p.key] = s
	failed := true
	p.raw.Control(func(epoll uintptr) {
		s.raw.Control(func(fd uintptr) {
			event := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP | edge, Fd: int32(p.key), Pad: int32(p.key >> 32)}
			failed = syscall.EpollCtl(int(epoll), syscall.EPOLL_CTL_ADD, int(fd), &event) != nil
		})
	})
	if failed {
		p.forget(s)
		return false
	}
	p.callNext()
	return true
}

// edge is EPOLLET, which package syscall has as a negative number.
const edge = 1 << 31

// open makes the epoll instance. mu is held.
func (p *poller) open() bool {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return false
	}
	syscall.SetNonblock(fd, true) // which is how package os knows that it can be waited for
	epoll := os.NewFile(uintptr(fd), "epoll")
	raw, err := epoll.SyscallConn()
	if err != nil || epoll.SetDeadline(time.Time{}) != nil { // it cannot be waited for
		epoll.Close()
		return false
	}
	p.epoll, p.raw = epoll, raw
	p.server.flushers.stay(true)
	return true
}

// forget watches a connection no longer, and when it was the last, nothing. mu is
// held.
func (p *poller) forget(s *webSocket) {
	delete(p.conns, s.parked.key)
	if len(p.conns) == 0 && p.epoll != nil {
		p.epoll.Close()
		p.epoll = nil
		p.call.Broadcast()
		p.server.flushers.stay(false)
	}
}

// callNext calls a goroutine if there is something to do, unless one is on its
// way. mu is held.
func (p *poller) callNext() {
	if p.called || p.polling && p.next == len(p.ready) {
		return
	}
	p.called = true
	if p.idle > 0 {
		p.call.Signal()
	} else {
		p.tasks.Go(func() { new(pollerWork).run(p) })
	}
}

// pollerWork is what one of the goroutines needs.
type pollerWork struct {
	events [maxEvents]syscall.EpollEvent
	n      int
	buf    *[]byte
	err    error

	wait func(fd uintptr) bool
	read func(fd uintptr)
}

func (w *pollerWork) run(p *poller) {
	w.wait, w.read = w.doWait, w.doRead
	p.mu.Lock()
	defer p.mu.Unlock()
	p.called = false
	for served := 0; ; {
		s := p.take()
		switch {
		case s != nil:
			p.callNext()
			p.mu.Unlock()
			again := w.serve(s, p)
			if served++; served%maxServed == 0 {
				runtime.Gosched() // so that handlers run with the goroutines of those before
			}
			p.mu.Lock()
			if again {
				p.push(s)
			}
		case p.epoll == nil:
			return
		case !p.polling:
			p.polling = true
			raw := p.raw
			p.mu.Unlock()
			runtime.Gosched() // what was read is handled first
			w.n = 0
			raw.Read(w.wait)
			p.mu.Lock()
			p.polling = false
			p.arrived(w.events[:w.n])
		case p.idle < spareReaders*runtime.GOMAXPROCS(0):
			p.idle++
			p.call.Wait()
			p.idle--
			p.called = false
		default:
			return
		}
	}
}

// push queues a connection that has something to be read. mu is held.
func (p *poller) push(s *webSocket) {
	if p.next > len(p.ready)/2 { // it may never come to be empty
		n := copy(p.ready, p.ready[p.next:])
		clear(p.ready[n:])
		p.ready, p.next = p.ready[:n], 0
	}
	p.ready = append(p.ready, s)
}

// take takes the next connection that has something to be read, or nil. mu is
// held.
func (p *poller) take() *webSocket {
	if p.next == len(p.ready) {
		return nil
	}
	s := p.ready[p.next]
	p.ready[p.next] = nil
	p.next++
	if p.next == len(p.ready) {
		p.ready, p.next = p.ready[:0], 0
	}
	return s
}

// arrived queues the connections that events are about. mu is held.
func (p *poller) arrived(events []syscall.EpollEvent) {
	for _, e := range events {
		s := p.conns[uint64(uint32(e.Pad))<<32|uint64(uint32(e.Fd))]
		if s == nil {
			continue
		}
		if e.Events&(syscall.EPOLLRDHUP|syscall.EPOLLHUP|syscall.EPOLLERR) != 0 {
			s.parked.hangup.Store(true)
		}
		if s.parked.events.Add(1) == 1 {
			p.push(s)
		}
	}
}

// serve reads what a connection has, and reports whether it has more.
func (w *pollerWork) serve(s *webSocket, p *poller) (more bool) {
	for {
		seen := s.parked.events.Load()
		switch w.drain(s) {
		case readMore:
			return true
		case readEnd:
			p.mu.Lock()
			p.forget(s)
			p.mu.Unlock()
			s.in.ended()
			p.server.unread(s.in.carrier)
			return false // with events, so that nobody comes back to it
		}
		if s.parked.events.CompareAndSwap(seen, 0) {
			return false
		}
	}
}

type readOutcome int

const (
	readAll readOutcome = iota
	readMore
	readEnd
)

// drain reads until there is nothing left, or for as long as is fair. A read that
// does not fill the buffer was the last, epoll(7), unless there is the end to
// come.
func (w *pollerWork) drain(s *webSocket) readOutcome {
	if early := s.early; early != nil {
		s.early = nil
		if s.take(early) {
			return readEnd
		}
	}
	w.buf = arrivals.Get().(*[]byte)
	defer arrivals.Put(w.buf)
	for range maxReads {
		if s.raw.Control(w.read) != nil { // Read would ask the runtime's poller, for what is never waited for
			return readEnd
		}
		switch {
		case w.err == syscall.EAGAIN:
			return readAll
		case w.err != nil || w.n <= 0 || s.take((*w.buf)[:w.n]):
			return readEnd
		case w.n < len(*w.buf) && !s.parked.hangup.Load():
			return readAll
		}
	}
	return readMore
}

// doRead reads without waiting.
func (w *pollerWork) doRead(fd uintptr) {
	for {
		w.n, w.err = syscall.Read(int(fd), *w.buf)
		if w.err != syscall.EINTR {
			return
		}
	}
}

// doWait reports whether there are events, or no more to come.
func (w *pollerWork) doWait(fd uintptr) bool {
	for {
		n, err := syscall.EpollWait(int(fd), w.events[:], 0)
		if err != syscall.EINTR {
			w.n = max(n, 0)
			return n > 0 || err != nil
		}
	}
}
