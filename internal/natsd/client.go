package natsd

import (
	"bufio"
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

const (
	maxPayload = 1 << 20          // bytes of a message, headers included; NATS' default
	maxLine    = 32 << 10         // bytes of a line of the protocol
	greeting   = 10 * time.Second // for a client to say who it is
)

// A mistake of a client ends its connection, with these words of the protocol.
type mistake string

func (m mistake) Error() string { return string(m) }

const (
	errAuthorization mistake = "Authorization Violation"
	errLine          mistake = "Maximum Control Line Exceeded"
	errPayload       mistake = "Maximum Payload Violation"
	errOperation     mistake = "Unknown Protocol Operation"
)

// A client is one connection.
type client struct {
	server *Server
	conn   net.Conn
	in     *bufio.Reader
	out    *outbox

	options options // of CONNECT; static once it is known, before which it cannot subscribe
	known   bool    // it has shown the password; the reader's

	subscriptions map[string]*subscription // by sid; guarded by the server's mu
}

// options are what a client says of itself.
type options struct {
	User         string `json:"user"`
	Password     string `json:"pass"`
	Verbose      bool   `json:"verbose"`       // it wants +OK
	Headers      bool   `json:"headers"`       // it understands headers
	NoResponders bool   `json:"no_responders"` // and wants to be told that nobody answers
	Echo         bool   `json:"echo"`          // it wants its own messages, too
}

func newClient(s *Server, conn net.Conn) *client {
	return &client{
		server: s, conn: conn, in: bufio.NewReaderSize(conn, maxLine), out: newOutbox(conn),
		options:       options{Echo: true},
		subscriptions: map[string]*subscription{},
	}
}

// run does what the client says until the connection ends.
func (c *client) run() {
	defer c.server.leave(c)
	written := make(chan struct{})
	go func() {
		defer close(written)
		c.out.drain()
	}()
	defer func() { <-written }()
	defer c.out.finish()
	info, err := json.Marshal(map[string]any{
		"server_id": c.server.id, "server_name": "devserver", "version": "2.10.0", "proto": 1, "headers": true,
		"max_payload": maxPayload, "auth_required": true,
	})
	if err != nil {
		return
	}
	c.out.add(fmt.Appendf(nil, "INFO %s\r\n", info))
	c.conn.SetReadDeadline(time.Now().Add(greeting))
	for {
		line, err := c.in.ReadSlice('\n')
		if err == nil {
			err = c.do(strings.TrimRight(string(line), "\r\n"))
		} else if errors.Is(err, bufio.ErrBufferFull) {
			err = errLine
		}
		if m, ok := errors.AsType[mistake](err); ok {
			c.out.add(fmt.Appendf(nil, "-ERR '%s'\r\n", m))
		}
		if err != nil {
			return
		}
	}
}

// do obeys one line. An error ends the connection.
func (c *client) do(line string) error {
	verb, rest, _ := strings.Cut(line, " ")
	verb = strings.ToUpper(verb)
	words := strings.Fields(rest)
	switch {
	case verb == "":
		return nil
	case verb == "CONNECT" && !c.known:
		return c.connect(rest)
	case !c.known:
		return errAuthorization
	case verb == "PING":
		c.out.add([]byte("PONG\r\n"))
		return nil
	case verb == "PONG":
		return nil
	case verb == "SUB" && (len(words) == 2 || len(words) == 3):
		sub := &subscription{client: c, subject: words[0], sid: words[len(words)-1]}
		if len(words) == 3 {
			sub.queue = words[1]
		}
		if !valid(sub.subject) {
			c.out.add([]byte("-ERR 'Invalid Subject'\r\n"))
			return nil
		}
		c.server.subscribe(sub)
	case verb == "UNSUB" && (len(words) == 1 || len(words) == 2):
		most := 0
		if len(words) == 2 {
			var err error
			if most, err = strconv.Atoi(words[1]); err != nil || most < 0 {
				return errOperation
			}
		}
		c.server.unsubscribe(c, words[0], most)
	case verb == "PUB" && (len(words) == 2 || len(words) == 3), verb == "HPUB" && (len(words) == 3 || len(words) == 4):
		m, err := c.message(words, verb == "HPUB")
		if err != nil {
			return err
		}
		if !c.server.publish(c, m) && m.reply != "" && c.options.Headers && c.options.NoResponders {
			c.server.publish(nil, &message{subject: m.reply, data: []byte(noResponders), headers: len(noResponders)})
		}
	default:
		return errOperation
	}
	c.confirm()
	return nil
}

// noResponders is a message of headers alone.
const noResponders = "NATS/1.0 503\r\n\r\n"

// connect reads what the client says of itself.
func (c *client) connect(text string) error {
	o := options{Echo: true}
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return errOperation
	}
	// Both are compared in any case, so that the time tells nothing.
	named := subtle.ConstantTimeCompare([]byte(o.User), []byte(user))
	if named&subtle.ConstantTimeCompare([]byte(o.Password), []byte(c.server.password)) != 1 {
		return errAuthorization
	}
	c.options, c.known = o, true
	c.conn.SetReadDeadline(time.Time{})
	c.confirm()
	return nil
}

func (c *client) confirm() {
	if c.options.Verbose {
		c.out.add([]byte("+OK\r\n"))
	}
}

// message reads what follows the line of a PUB or HPUB: subject, reply if there is
// one, size of the headers in an HPUB, size of all.
func (c *client) message(words []string, headed bool) (*message, error) {
	m := &message{subject: words[0]}
	sizes := words[len(words)-1:]
	if headed {
		sizes = words[len(words)-2:]
	}
	if len(words)-len(sizes) == 2 {
		m.reply = words[1]
	}
	var size int
	for i, word := range sizes {
		n, err := strconv.Atoi(word)
		if err != nil || n < 0 {
			return nil, errOperation
		}
		if headed && i == 0 {
			m.headers = n
		}
		size = n
	}
	switch {
	case size > maxPayload:
		return nil, errPayload
	case m.headers > size:
		return nil, errOperation
	}
	data := make([]byte, size+2)
	if _, err := io.ReadFull(c.in, data); err != nil {
		return nil, err
	}
	if !bytes.HasSuffix(data, []byte("\r\n")) {
		return nil, errOperation
	}
	m.data = data[:size]
	return m, nil
}

// A message is on its way from one client to others.
type message struct {
	subject, reply string
	data           []byte // headers and what follows them
	headers        int    // how many bytes of it are headers
}

// encode returns the message for a subscription. Who understands no headers gets
// none.
func (m *message) encode(to *subscription) []byte {
	head, data := "MSG ", m.data[m.headers:]
	headed := m.headers > 0 && to.client.options.Headers
	if headed {
		head, data = "HMSG ", m.data
	}
	b := make([]byte, 0, len(head)+len(m.subject)+len(to.sid)+len(m.reply)+len(data)+32)
	b = append(b, head...)
	b = append(append(b, m.subject...), ' ')
	b = append(append(b, to.sid...), ' ')
	if m.reply != "" {
		b = append(append(b, m.reply...), ' ')
	}
	if headed {
		b = append(strconv.AppendInt(b, int64(m.headers), 10), ' ')
	}
	b = append(strconv.AppendInt(b, int64(len(data)), 10), "\r\n"...)
	return append(append(b, data...), "\r\n"...)
}
