package engineio

import (
	"context"
	"net/http"
	"slices"
	"time"
)

// passPoll answers a poll with what the owner has for it.
func (f *foreign) passPoll(w http.ResponseWriter, r *http.Request, owner string, to destination) {
	l, err := f.open(r.Context(), owner, opening{kind: lanePoll, destination: to})
	if err != nil {
		f.server.refuse(w, r, errUnknownSID)
		return
	}
	defer l.close(errReset)
	a, ok := f.verdict(w, r, l, f.server.config.MaxBuffered, nil)
	if !ok {
		return
	}
	if f.isLeaving() { // for a connection that ends elsewhere
		w.Header().Set("Connection", "close")
	}
	if err := f.server.answer(w, r, a.body, a.binary, a.plain); err != nil {
		l.reset(errGone)
		return
	}
	l.send(messageDelivered, nil)
}

// verdict waits for the owner's answer to r, with a body of no more than most bytes
// as its session keeps them, and sends it what it asks for, if that is something.
// It answers r itself when there is no answer, or when that is a refusal.
func (f *foreign) verdict(w http.ResponseWriter, r *http.Request, l *lane, most int, asked []byte) (a verdict, ok bool) {
	most = verdictHeader + 2*most + 1024 // base64, lengths
	patience := foreignPatience
	for {
		kind, body, err := l.receiveWhole(r.Context(), patience, nil, most)
		if r.Context().Err() != nil {
			l.reset(errGone)
			return a, false
		}
		if err == nil && kind == messageSign {
			patience = f.silence()
			if asked == nil {
				continue
			}
			if err = l.send(messageBody, asked); err == nil {
				asked = nil
				continue
			}
		} else if err == nil && kind != messageAnswer {
			err = errMessage
		} else if err == nil {
			a, err = decodeVerdict(body)
		}
		switch {
		case err != nil:
			f.server.config.Logger.Debug("realtime: no answer from a session's node", "node", l.key.node, "error", err)
			l.reset(err)
			f.refuse(w, r, errUnknownSID)
			return a, false
		case a.refused:
			f.refuse(w, r, a.refusal())
			return a, false
		}
		return a, true
	}
}

// refuse refuses a request as the owner would.
func (f *foreign) refuse(w http.ResponseWriter, r *http.Request, e requestError) {
	if e.Code == errUnknownSID.Code && isUpgrade(r) {
		f.server.unknownUpgrade(w, r)
		return
	}
	f.server.refuse(w, r, e)
}

// passPost has the owner take the body of a POST.
func (f *foreign) passPost(w http.ResponseWriter, r *http.Request, owner string, to destination) {
	buf := buffers.Get().(*[]byte)
	defer release(buf)
	body, err := f.server.readBody((*buf)[:0], r)
	*buf = body
	if err == errLarge {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	o := opening{kind: lanePost, destination: to, binary: isBinary(r), broken: err != nil, body: body}
	var later []byte
	if o.broken {
		w.Header().Set("Connection", "close")
		o.body = nil
	} else if o.later = len(body) > maxChunk/2; o.later { // nobody may be there who wants it
		o.body, later = nil, body
	}
	l, err := f.open(r.Context(), owner, o)
	if err != nil {
		f.refuse(w, r, errUnknownSID)
		return
	}
	defer l.close(errReset)
	switch a, ok := f.verdict(w, r, l, 0, later); {
	case !ok:
	case a.status != http.StatusOK:
		w.WriteHeader(a.status)
	default:
		posted(w)
	}
}

// opened takes a request that has reached another node, and never passes it on.
func (f *foreign) opened(key laneKey, m message) {
	o, err := decodeOpening(m.body)
	if err != nil || m.seq != 0 || m.flags&flagMore != 0 {
		f.warn(key.node)
		return
	}
	o.body = append([]byte{}, o.body...) // which is a body also where it is empty
	l := newLane(f, key, o.kind)
	l.expected, l.goes = 1, o.letGo
	f.mu.Lock()
	if f.closed || len(f.lanes) >= maxLanes {
		f.mu.Unlock()
		l.send(messageReset, nil)
		return
	}
	f.lanes[key] = l
	f.tasks.Add(1)
	f.mu.Unlock()
	go func() {
		defer f.tasks.Done()
		f.serve(l, o)
	}()
}

// serve is the owner's part in a request.
func (f *foreign) serve(l *lane, o opening) {
	session := f.server.session(o.sid)
	switch {
	case session == nil:
		l.refuse(errUnknownSID)
	case o.protocol != session.Protocol():
		l.refuse(errBadRequest)
	case o.kind == laneTunnel:
		f.serveTunnel(l, o, session)
		return
	case o.transport != session.Transport():
		l.refuse(errBadRequest)
	case o.kind == lanePoll:
		f.servePoll(l, session)
	default:
		f.servePost(l, o, session)
	}
	l.close(errReset)
}

func (l *lane) refuse(e requestError) {
	l.answer(verdict{status: e.status, refused: true, code: e.Code})
}

func (l *lane) answer(a verdict) error { return l.send(messageAnswer, a.append(nil)) }

// signs gives a sign of life when the answer takes long. The function it returns
// ends that.
func (l *lane) signs() (stop func() bool) {
	return time.AfterFunc(foreignSign, func() { l.send(messageSign, nil) }).Stop
}

// servePoll gives another node what a poll gets, and waits until it has delivered
// it.
func (f *foreign) servePoll(l *lane, session *Session) {
	stop := l.signs()
	packets, err := session.fetch(laneContext{context.Background(), l}, func() { l.onLetGo(session.out.letPollGo) })
	stop()
	if refusal, refused := err.(requestError); refused {
		l.refuse(refusal)
	}
	if err != nil {
		return
	}
	payload, binary := session.appendPayload(nil, packets)
	err = l.answer(verdict{status: http.StatusOK, binary: binary, plain: slices.ContainsFunc(packets, Packet.isPlain), body: payload})
	if err == nil {
		var m message
		m, err = l.receive(context.Background(), f.silence()+foreignPatience)
		if err == nil && m.kind != messageDelivered {
			err = errMessage
		}
	}
	if err == nil {
		session.polled(packets, payload)
	}
	session.fetched(err)
}

// laneContext ends with a lane.
type laneContext struct {
	context.Context
	lane *lane
}

func (c laneContext) Done() <-chan struct{} { return c.lane.done }

func (c laneContext) Err() error {
	if c.lane.ended() {
		return context.Canceled
	}
	return nil
}

// servePost takes the body of a POST.
func (f *foreign) servePost(l *lane, o opening, session *Session) {
	if e, ok := session.beginPost(func() { l.end(errGone) }); !ok {
		l.refuse(e)
		return
	}
	defer session.endPost()
	defer l.signs()()
	body := o.body
	if o.later {
		var kind messageKind
		var err error
		l.send(messageSign, nil)
		kind, body, err = l.receiveWhole(context.Background(), foreignPatience, nil, f.server.config.MaxPayload)
		o.broken = err != nil || kind != messageBody
	}
	session.bodyRead()
	status := http.StatusBadRequest
	if o.broken || len(body) > f.server.config.MaxPayload {
		session.end(ReasonTransportError, false)
	} else {
		status = session.takeBody(body, o.binary)
	}
	l.answer(verdict{status: status})
}
