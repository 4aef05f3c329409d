package engineio

import (
	"bytes"
	"net"
	"time"
)

// How a WebSocket writes: data frames, which are encoded already, a batch at a
// time, without waiting where that is possible; and control frames in between.

// write writes packets in order under one deadline, small ones together.
func (s *webSocket) write(packets []Packet) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	if err := s.beginWrite(); err != nil {
		return err
	}
	defer s.endWrite()
	if len(packets) == 0 {
		return nil
	}
	if len(packets) == 1 {
		_, err := s.conn.Write(s.deflater.apply(packets[0]).frame)
		return err
	}
	cork := newCork(s.conn)
	defer cork.release()
	for _, p := range packets {
		if err := cork.add(s.deflater.apply(p).frame); err != nil {
			return err
		}
	}
	return cork.flush()
}

// writeControl writes a control frame. What cannot be written is of no use to
// anybody: the reader finds out why.
func (s *webSocket) writeControl(opcode byte, payload []byte) {
	frame := append(newFrame(opcode, len(payload)).frame, payload...)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = opcode == opClose
	if s.beginWrite() == nil {
		s.conn.Write(frame)
		s.endWrite()
	}
}

// beginWrite sets the deadline of a write that waits, and writes what an attempt
// has left. mu is held.
func (s *webSocket) beginWrite() error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(s.timeout)); err != nil {
		return err
	}
	rest := s.unsent
	s.unsent = nil
	if len(rest) == 0 {
		return nil
	}
	_, err := s.conn.Write(rest)
	return err
}

// endWrite takes the deadline back, which would end a later attempt. mu is held.
func (s *webSocket) endWrite() {
	if s.raw != nil {
		s.conn.SetWriteDeadline(time.Time{})
	}
}

// tries implements trier. Compressing takes time, and a TLS connection cannot be
// tried.
func (s *webSocket) tries() bool { return s.raw != nil && s.deflater == nil }

// tryWrite implements trier.
func (s *webSocket) tryWrite(packets []Packet, a *attempt) (done int, blocked bool, err error) {
	if !s.mu.TryLock() { // a control frame is being written, and may be waited for
		return 0, true, nil
	}
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return 0, false, net.ErrClosed
	case len(s.unsent) > 0:
		return 0, true, nil
	}
	cork := corks.Get().(*[]byte)
	defer func() {
		*cork = (*cork)[:0]
		corks.Put(cork)
	}()
	for done < len(packets) {
		data := packets[done].frame
		borrowed := packets[done].run != nil // its memory goes to others when it has been written
		done++
		if done < len(packets) && len(data) < corkSize/2 { // small ones together
			*cork = append((*cork)[:0], data...)
			for done < len(packets) && len(*cork)+len(packets[done].frame) <= corkSize {
				*cork = append(*cork, packets[done].frame...)
				done++
			}
			data, borrowed = *cork, true
		}
		n, err := a.write(s.raw, data)
		if err != nil {
			return done, false, err
		}
		if n < len(data) {
			s.unsent = data[n:]
			if borrowed {
				s.unsent = bytes.Clone(s.unsent)
			}
			return done, true, nil
		}
	}
	return done, false, nil
}
