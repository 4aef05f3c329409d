package engineio

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// begin answers the request that starts a session.
func (s *Server) begin(w http.ResponseWriter, r *http.Request, transport string, protocol int) {
	switch {
	case r.Method != http.MethodGet:
		s.refuse(w, r, errMethod)
		return
	case transport == WebSocket && !isUpgrade(r):
		s.refuse(w, r, errBadRequest)
		return
	}
	if e, ok := s.allow(r); !ok {
		s.refuse(w, r, e)
		return
	}
	id, e, ok := s.reserve(r)
	if !ok {
		s.refuse(w, r, e)
		return
	}
	opened := false
	var ws carrier
	defer func() { // also of a hook that has panicked
		if opened {
			return
		}
		s.release(id)
		if ws != nil {
			ws.abort()
		}
	}()
	if transport == Polling {
		session, welcome := s.start(id, protocol, nil, r)
		if opened = session != nil; !opened {
			s.refuse(w, r, errUnavailable)
			return
		}
		s.initialHeaders(w.Header(), r, id)
		if session.answer(w, r, welcome) != nil {
			session.lose()
		}
		return
	}
	if ws = s.accept(w, r, protocol, true); ws == nil {
		return
	}
	session, _ := s.start(id, protocol, ws, r)
	if opened = session != nil; opened && !s.read(session.inlet(ws)) {
		ws.abort()
	}
}

// allow asks Config.AllowRequest about a handshake.
func (s *Server) allow(r *http.Request) (refusal requestError, ok bool) {
	if s.config.AllowRequest == nil {
		return refusal, true
	}
	err := s.config.AllowRequest(r)
	if err == nil {
		return refusal, true
	}
	refusal = errForbidden
	if err.Error() != "" {
		refusal.Message = err.Error()
	}
	return refusal, false
}

// initialHeaders adds what only the first answer of a polling session has.
func (s *Server) initialHeaders(h http.Header, r *http.Request, id string) {
	if s.config.Cookie != nil {
		cookie := *s.config.Cookie
		if cookie.Name == "" {
			cookie.Name = "io"
		}
		if cookie.Path == "" {
			cookie.Path = "/"
		}
		if cookie.SameSite == 0 {
			cookie.SameSite = http.SameSiteLaxMode
		}
		cookie.Value, cookie.HttpOnly = id, true
		h.Add("Set-Cookie", cookie.String())
	}
	if s.config.InitialHeaders != nil {
		s.config.InitialHeaders(h, r)
	}
}

// start begins the session id with the client that sent r: on the connection c,
// by which it welcomes it, or by polling when c is nil; then the packets of the
// welcome are the answer to r. It returns nil when the server is closing.
func (s *Server) start(id string, protocol int, c carrier, r *http.Request) (session *Session, welcome []Packet) {
	session = &Session{id: id, server: s, protocol: uint8(protocol), base64: protocol == 3 && wantsBase64(r),
		carrier: c, out: newOutbox(&s.config, c == nil)}
	session.out.flusher = s.flushers.one()
	welcome = []Packet{s.handshake(session)}
	if s.config.InitialPacket != nil {
		welcome = append(welcome, *s.config.InitialPacket)
	}
	if c != nil {
		session.out.add(welcome...)
	}
	session.handle(s.connect(session, r))
	if !s.add(session) {
		session.out.close(false)
		session.handler.Closed(ReasonForcedClose)
		return nil, nil
	}
	s.pulse.start(session)
	if c != nil {
		session.out.attach(c)
	}
	session.answered.Store(s.age())
	session.begin()
	return session, welcome
}

// reserve takes an id for a new session, or says why there is none.
func (s *Server) reserve(r *http.Request) (id string, refusal requestError, ok bool) {
	if s.config.GenerateID == nil {
		id = newID()
	} else {
		var err error
		if id, err = s.config.GenerateID(r); err != nil || id == "" {
			s.config.Logger.Error("realtime: Config.GenerateID gave no id", "error", err)
			return "", errID, false
		}
	}
	id = s.foreign.name(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return "", errUnavailable, false
	}
	if _, taken := s.sessions[id]; taken {
		return "", errID, false
	}
	s.sessions[id] = nil
	return id, refusal, true
}

// release gives up an id that was reserved.
func (s *Server) release(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, id)
	s.checkGone()
}

// add makes a session known under its reserved id, unless the server is closing.
func (s *Server) add(session *Session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.sessions[session.id] = session
	s.open++
	return true
}

// wantsBase64 reports whether a client of revision 3 asks for base64 in place of
// bytes.
func wantsBase64(r *http.Request) bool { return r.URL.Query().Get("b64") != "" }

// newID returns an unguessable session id of 20 URL-safe characters.
func newID() string {
	var b [15]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// handshake is the first packet of a session:
// https://github.com/socketio/socket.io/blob/main/docs/engine.io-protocol/v4-current.md#handshake.
func (s *Server) handshake(session *Session) Packet {
	b := append(make([]byte, 0, 160), `{"sid":`...)
	b = appendString(b, session.id)
	b = append(b, `,"upgrades":[`...)
	comma := false
	for _, transport := range [...]string{WebSocket, WebTransport} {
		possible := session.carrier == nil && (transport == WebSocket || session.protocol == 4)
		if possible && s.config.AllowUpgrades && slices.Contains(s.config.Transports, transport) {
			if comma {
				b = append(b, ',')
			}
			b = appendString(b, transport)
			comma = true
		}
	}
	b = strconv.AppendInt(append(b, `],"pingInterval":`...), s.config.PingInterval.Milliseconds(), 10)
	b = strconv.AppendInt(append(b, `,"pingTimeout":`...), s.config.PingTimeout.Milliseconds(), 10)
	b = strconv.AppendInt(append(b, `,"maxPayload":`...), int64(s.config.MaxPayload), 10)
	return textPacket(typeOpen, append(b, '}'))
}

// appendString appends s as JSON. Only ids that are not the server's own may need
// more than quotes.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || strings.IndexByte(`"\\<>&`, c) >= 0 {
			quoted, err := json.Marshal(s)
			if err != nil {
				panic("engineio: " + err.Error()) // a string always marshals
			}
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
