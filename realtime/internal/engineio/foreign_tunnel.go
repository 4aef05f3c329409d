package engineio

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"
	"unicode/utf8"
)

// passUpgrade accepts a WebSocket on behalf of the owner of the session that it
// wants to take over.
func (f *foreign) passUpgrade(w http.ResponseWriter, r *http.Request, owner string, to destination) {
	if !f.server.config.AllowUpgrades {
		f.server.refuse(w, r, errBadRequest)
		return
	}
	l, err := f.open(r.Context(), owner, opening{kind: laneTunnel, destination: to})
	if err != nil {
		f.refuse(w, r, errUnknownSID)
		return
	}
	if _, ok := f.verdict(w, r, l, 0, nil); !ok {
		l.close(errReset)
		return
	}
	ws := f.server.accept(w, r, to.protocol, false)
	if ws == nil {
		l.reset(errGone)
		return
	}
	in := f.pump(ws, l)
	if !f.server.read(in) {
		in.ended()
	}
}

// passStream is passUpgrade for a stream, whose reader it is.
func (f *foreign) passStream(c *stream, r *http.Request, owner, sid string) {
	f.server.count.add(MetricForwarded, WebTransport, 1)
	l, err := f.open(r.Context(), owner, opening{kind: laneTunnel, destination: destination{sid, 4, WebTransport}})
	if err != nil {
		f.server.refused(r, errUnknownSID)
		return
	}
	m, err := l.receive(context.Background(), foreignPatience)
	var a verdict
	if err == nil {
		a, err = decodeVerdict(m.body)
	}
	if err != nil || a.refused {
		l.reset(errGone)
		f.server.refused(r, a.refusal())
		return
	}
	f.pump(c, l).run()
}

// pump carries data between a connection that this node holds and the owner of its
// session. It is the relay of the connection's inlet.
type pump struct {
	foreign *foreign
	carrier carrier
	lane    *lane
	down    sync.WaitGroup
	frame   []byte // the reader's

	mu       sync.Mutex // guards the rest
	upgraded bool       // the client has said so, and uses nothing else any more
	leaving  bool       // this node stops
}

// pump returns the inlet of c, which is carried over l until both have no more.
func (f *foreign) pump(c carrier, l *lane) *inlet {
	p := &pump{foreign: f, carrier: c, lane: l}
	l.carried(p)
	p.down.Go(func() {
		err := p.pour()
		f.server.config.Logger.Debug("realtime: a connection for another node has ended", "node", l.key.node, "error", err)
		c.abort()
		l.reset(err)
	})
	return &inlet{carrier: c, relay: p}
}

// message implements relay.
func (p *pump) message(data []byte, binary bool) {
	last := byte(upstreamText)
	if binary {
		last = upstreamBinary
	}
	p.send(data, last)
	if !binary && len(data) == 1 && data[0] == typeUpgrade {
		p.note(&p.upgraded)
	}
}

// leave closes the connection because this node stops. One whose client is about
// to change to it is closed after that: official clients that lose it in between
// have paused polling, and do nothing until they miss a ping.
func (p *pump) leave() { p.note(&p.leaving) }

// note sets one of what is known, and closes the connection when both are.
func (p *pump) note(known *bool) {
	p.mu.Lock()
	*known = true
	both := p.upgraded && p.leaving
	p.mu.Unlock()
	if both {
		p.carrier.finish()
	}
}

// left reports whether the connection has been closed because this node stops.
func (p *pump) left() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.upgraded && p.leaving
}

// breach implements relay.
func (p *pump) breach(err error) {
	switch err {
	case errLarge:
		p.send(nil, upstreamLarge)
	case errFragments:
		p.send(nil, upstreamFragments)
	case errText:
		p.send(nil, upstreamBadText)
	default:
		p.send(nil, upstreamBadPacket)
	}
}

// send sends the owner what the client does. It waits while the owner does not take
// it; then the client is not read from.
func (p *pump) send(data []byte, last byte) {
	p.frame = append(append(p.frame[:0], data...), last)
	if p.lane.sendData(p.frame, 0) != nil {
		p.carrier.abort()
	}
	if cap(p.frame) > maxPooled {
		p.frame = nil
	}
}

// ended implements relay.
func (p *pump) ended() {
	if !p.lane.ended() {
		p.lane.send(messageEnd, nil)
	}
	p.lane.close(errGone)
	p.carrier.abort()
	p.down.Wait()
}

// pour writes what the owner sends to the client, until the lane has ended.
func (p *pump) pour() error {
	var body []byte
	var packets []Packet
	f, l := p.foreign, p.lane
	for {
		kind, got, err := l.receiveWhole(context.Background(), f.silence(), body[:0], f.server.config.MaxBuffered+maxChunk)
		switch {
		case err != nil:
			return err
		case kind == messageFinish:
			p.carrier.finish() // the client answers, or its reader ends
			continue
		case kind != messageData || p.left():
			continue
		}
		packets, err = decodeUnits(packets[:0], got)
		if err != nil {
			f.warn(l.key.node)
			return err
		}
		if err := p.carrier.write(packets); err != nil && !p.left() {
			return err
		}
		clear(packets)
		if body = got; cap(body) > maxPooled {
			body = nil
		}
	}
}

// serveTunnel is the owner's part in a WebSocket or stream that wants to take a
// session over: a carrier like any other.
func (f *foreign) serveTunnel(l *lane, o opening, session *Session) {
	if !f.server.config.AllowUpgrades || o.transport == WebTransport && session.protocol != 4 ||
		!slices.Contains(f.server.config.Transports, o.transport) {
		l.refuse(errBadRequest)
		l.close(errReset)
		return
	}
	t := &tunnel{lane: l, transport: o.transport}
	if !f.server.reading(t, false) {
		l.refuse(errUnknownSID)
		l.close(errReset)
		return
	}
	defer f.server.unread(t)
	in := &inlet{carrier: t} // of a second one, or one that comes too late
	if session.offer(t) {
		in = session.upgrade(t)
	}
	l.answer(verdict{status: http.StatusOK})
	in.run()
}

// tunnel is a carrier whose connection another node has.
type tunnel struct {
	lane      *lane
	transport string
	closing   sync.Once
}

func (t *tunnel) name() string { return t.transport }

// write writes packets, in messages of a size that lets others be heard.
func (t *tunnel) write(packets []Packet) error {
	var body []byte
	for i, p := range packets {
		body = appendUnit(body, p)
		if len(body) < maxChunk/2 && i < len(packets)-1 {
			continue
		}
		if err := t.lane.sendData(body, t.lane.foreign.silence()); err != nil {
			return err
		}
		body = body[:0]
	}
	return nil
}

// finish has the other node close the connection. When it does not, the tunnel
// ends all the same.
func (t *tunnel) finish() {
	t.closing.Do(func() {
		t.lane.send(messageFinish, nil)
		time.AfterFunc(closeGrace+foreignPatience, t.abort)
	})
}

func (t *tunnel) abort() { t.lane.reset(errGone) }

// serve implements carrier. That what it reads keeps the rules is for this node to
// see, too.
func (t *tunnel) serve(in *inlet) {
	most := 1 + t.lane.foreign.server.config.MaxPayload
	for {
		kind, data, err := t.lane.receiveWhole(context.Background(), 0, nil, most)
		switch {
		case err == nil && kind == messageEnd:
			return
		case err == nil && (kind != messageData || len(data) == 0), err == errLarge:
			t.lane.foreign.warn(t.lane.key.node)
			return
		case err != nil:
			return
		}
		last := len(data) - 1
		t.upstream(in, data[:last], data[last])
		in.pause()
	}
}

// upstream passes on what the client does.
func (t *tunnel) upstream(in *inlet, data []byte, what byte) {
	switch what {
	case upstreamText:
		if utf8.Valid(data) {
			in.message(data, false)
		} else {
			in.breach(errText)
		}
	case upstreamBinary:
		in.message(data, true)
	case upstreamLarge:
		in.breach(errLarge)
	case upstreamFragments:
		in.breach(errFragments)
	case upstreamBadText:
		in.breach(errText)
	default:
		in.breach(errPacket)
	}
}
