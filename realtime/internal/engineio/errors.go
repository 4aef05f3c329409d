package engineio

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// requestError is one of the errors that Engine.IO tells a client by number.
type requestError struct {
	status  int
	Code    int    `json:"code"`
	Message string `json:"message"`
	cure    string // for the developer's log
}

// Error implements error.
func (e requestError) Error() string { return e.Message }

var (
	errTransport   = requestError{400, 0, "Transport unknown", "the query must have transport=polling or transport=websocket, and Config.Transports must allow it"}
	errUnknownSID  = requestError{400, 1, "Session ID unknown", "the session has ended, or lives on another server: connect the servers by Config.Adapter, or send a client's requests to the same one"}
	errMethod      = requestError{400, 2, "Bad handshake method", "a session begins with a GET; something between client and server may have changed the method"}
	errBadRequest  = requestError{400, 3, "Bad request", "one poll and one POST at a time, on the session's own transport; for WebSocket the proxy must pass Upgrade and Connection on"}
	errForbidden   = requestError{403, 4, "Forbidden", "Config.AllowRequest refused it"}
	errProtocol    = requestError{400, 5, "Unsupported protocol version", "this server speaks Engine.IO 4 (EIO=4, socket.io-client 3 and 4)"} // see wrongVersion
	errID          = requestError{400, 3, "Bad request", "Config.GenerateID failed, or gave an id that is empty or in use"}
	errGreeting    = requestError{400, 3, "Bad request", "a stream begins with an open packet, in Config.UpgradeTimeout"}
	errOrigin      = requestError{403, 4, "Origin not allowed", "add the page's origin to Config.CORS.Origins"}
	errUnavailable = requestError{503, 3, "Server shutting down", "the client reconnects by itself"}
)

// versionHeader tells a client of the wrong version which one it speaks and
// which ones the server does.
const versionHeader = "Engine-IO-Version"

// wrongVersion is the answer to a client that asked for revision asked.
func (s *Server) wrongVersion(w http.ResponseWriter, r *http.Request, asked string) {
	if n, err := strconv.Atoi(asked); err != nil || n < 0 || n > 99 {
		asked = "unknown" // the client's own words go into no header
	}
	e, spoken := errProtocol, "4"
	e.cure = "the client speaks Engine.IO " + asked + ", this server speaks 4 (socket.io-client 3 and 4)"
	switch {
	case s.config.AllowEIO3:
		spoken = "3 4"
		e.cure += " and 3"
	case asked == "3":
		e.cure += "; set Config.AllowEIO3 for socket.io-client 2"
	}
	w.Header().Set(versionHeader, "client="+asked+", server="+spoken)
	s.refuse(w, r, e)
}

// refuse answers r with e as JSON, and logs what would cure it.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, e requestError) {
	s.refused(r, e)
	body, err := json.Marshal(e)
	if err != nil {
		http.Error(w, e.Message, e.status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if e.status == http.StatusServiceUnavailable { // for who tries again on another connection, of another server
		w.Header().Set("Retry-After", "1")
		w.Header().Set("Connection", "close")
	}
	w.WriteHeader(e.status)
	w.Write(body)
}

// refused makes it known that r is answered with e.
func (s *Server) refused(r *http.Request, e requestError) {
	s.config.Logger.Debug("realtime: refused a request", "method", r.Method, "url", r.URL.Redacted(),
		"remote", r.RemoteAddr, "code", e.Code, "error", e.Message, "cure", e.cure)
	if s.count != nil {
		s.count(MetricRefusals, strconv.Itoa(e.Code), 1)
	}
	if s.config.OnRefused != nil {
		s.config.OnRefused(r, e.Code, e.Message)
	}
}
