package adaptertest

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// client is a client of one node, over a WebSocket, in one namespace.
type client struct {
	suite     *suite
	namespace string // "" or "/name,"
	conn      net.Conn
	incoming  chan string // packets, text as they are, binary ones as "b" and base64
	done      chan struct{}
	acks      func(id string) string // answers an event that wants that, or does not with ""

	sid, pid, offset string
	recovered        bool
	writing          sync.Mutex
}

// auth is what a client that comes back says.
type auth struct {
	PID    string `json:"pid,omitempty"`
	Offset string `json:"offset,omitempty"`
}

// dial connects a client and joins "/".
func (n *node) dial() *client { return n.dialTo("/", nil, auth{}) }

// dialTo connects a client and joins a namespace.
func (n *node) dialTo(namespace string, acks func(id string) string, a auth) *client {
	n.suite.Helper()
	c := n.connect(acks)
	if namespace != "/" {
		c.namespace = namespace + ","
	}
	text, _ := json.Marshal(a)
	c.send("40" + c.namespace + string(text))
	answer := c.next()
	var admission struct{ SID, PID string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(answer, "40"+c.namespace)), &admission); err != nil || admission.SID == "" {
		n.suite.Fatalf("the answer to CONNECT is %q", answer)
	}
	c.sid, c.pid, c.offset = admission.SID, admission.PID, a.Offset
	c.recovered = a.PID != "" && a.PID == c.pid
	return c
}

// connect opens a WebSocket.
func (n *node) connect(acks func(id string) string) *client {
	n.suite.Helper()
	address := n.http.Listener.Addr().String()
	conn, err := net.Dial("tcp", address)
	n.suite.check(err)
	fmt.Fprintf(conn, "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", address)
	in := bufio.NewReader(conn)
	res, err := http.ReadResponse(in, nil)
	n.suite.check(err)
	if res.StatusCode != http.StatusSwitchingProtocols {
		n.suite.Fatalf("the WebSocket was refused with %s", res.Status)
	}
	c := &client{suite: n.suite, conn: conn, incoming: make(chan string, 1<<16), done: make(chan struct{}), acks: acks}
	go c.read(in)
	n.suite.Cleanup(c.drop)
	if open := c.next(); !strings.HasPrefix(open, "0{") {
		n.suite.Fatalf("the first packet is %q", open)
	}
	return c
}

// read takes what comes in until the connection ends.
func (c *client) read(in *bufio.Reader) {
	defer close(c.done)
	defer close(c.incoming)
	defer c.conn.Close()
	for {
		binary, data, err := readFrame(in)
		if err != nil {
			return
		}
		switch packet := string(data); {
		case binary:
			c.incoming <- "b" + base64.StdEncoding.EncodeToString(data)
		case packet == "2":
			c.send("3")
		case c.acks != nil && strings.HasPrefix(packet, "42"+c.namespace):
			c.answer(packet)
		default:
			c.incoming <- packet
		}
	}
}

// answer answers an event that has a number, and keeps any other.
func (c *client) answer(packet string) {
	rest := strings.TrimPrefix(packet, "42"+c.namespace)
	id := rest[:strings.IndexByte(rest, '[')]
	if id == "" {
		c.incoming <- packet
		return
	}
	if answer := c.acks(id); answer != "" {
		c.send("43" + c.namespace + id + answer)
	}
}

// readFrame reads one frame of a server, which is never fragmented.
func readFrame(in *bufio.Reader) (isBinary bool, data []byte, err error) {
	var head [2]byte
	if _, err = io.ReadFull(in, head[:]); err != nil {
		return false, nil, err
	}
	length := uint64(head[1] & 0x7f)
	switch length {
	case 126:
		var b [2]byte
		_, err = io.ReadFull(in, b[:])
		length = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		_, err = io.ReadFull(in, b[:])
		length = binary.BigEndian.Uint64(b[:])
	}
	if err != nil {
		return false, nil, err
	}
	data = make([]byte, length)
	if _, err = io.ReadFull(in, data); err != nil {
		return false, nil, err
	}
	opcode := head[0] & 0xf
	if opcode > 2 {
		return false, nil, io.EOF
	}
	return opcode == 2, data, nil
}

// send sends a text frame, masked with zeros.
func (c *client) send(text string) {
	frame := []byte{0x81}
	switch n := len(text); {
	case n < 126:
		frame = append(frame, 0x80|byte(n))
	case n < 1<<16:
		frame = binary.BigEndian.AppendUint16(append(frame, 0x80|126), uint16(n))
	default:
		frame = binary.BigEndian.AppendUint64(append(frame, 0x80|127), uint64(n))
	}
	frame = append(append(frame, 0, 0, 0, 0), text...)
	c.writing.Lock()
	defer c.writing.Unlock()
	c.conn.Write(frame)
}

// drop breaks the connection, and waits until nothing more comes.
func (c *client) drop() {
	c.conn.Close()
	<-c.done
}

// next returns the next packet.
func (c *client) next() string {
	c.suite.Helper()
	select {
	case packet, open := <-c.incoming:
		if !open {
			c.suite.Fatal("the connection has ended")
		}
		return packet
	case <-time.After(patience):
		c.suite.Fatal("nothing comes")
	}
	return ""
}

// event returns the arguments of the next event, without the offset where there
// is one, which it notes.
func (c *client) event() string {
	c.suite.Helper()
	return c.arguments(c.next())
}

func (c *client) arguments(packet string) string {
	c.suite.Helper()
	rest, found := strings.CutPrefix(packet, "42"+c.namespace)
	var args []json.RawMessage
	if !found || json.Unmarshal([]byte(rest), &args) != nil || len(args) == 0 {
		c.suite.Fatalf("got %q, want an event", packet)
	}
	if c.pid != "" {
		last := len(args) - 1
		if json.Unmarshal(args[last], &c.offset) != nil {
			c.suite.Fatalf("got %q, want an event with an offset", packet)
		}
		args = args[:last]
	}
	texts := make([]string, len(args))
	for i, arg := range args {
		texts[i] = strings.Trim(string(arg), `"`)
	}
	return strings.Join(texts, " ")
}

// expect checks what comes next.
func (c *client) expect(events ...string) {
	c.suite.Helper()
	for _, want := range events {
		if got := c.event(); got != want {
			c.suite.Errorf("got %q, want %q", got, want)
		}
	}
}

// ended waits for the end of the connection.
func (c *client) ended() {
	c.suite.Helper()
	c.suite.wait(c.done, "the end of a connection")
}

// poll returns the next event, if one comes soon. Nothing depends on how soon.
func (c *client) poll() (event string, some bool) {
	c.suite.Helper()
	select {
	case packet, open := <-c.incoming:
		if !open {
			c.suite.Fatal("the connection has ended")
		}
		return c.arguments(packet), true
	case <-time.After(50 * time.Millisecond):
		return "", false
	}
}
