package webtransport_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	quicwt "github.com/quic-go/webtransport-go"
	"go.uber.org/goleak"

	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/webtransport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// certificate makes one that is good for a week, as a browser wants it that is
// given its hash.
func certificate(t testing.TB) (config *tls.Config, hash [32]byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "zocalo"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(7 * 24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, sha256.Sum256(der)
}

// place is a realtime server that is reached by TCP and UDP at one port.
type place struct {
	t      *testing.T
	socket *realtime.Server
	server *webtransport.Server
	tcp    *httptest.Server
	addr   string
	hash   [32]byte
	served chan error
}

// newPlace starts one, with the handlers of the tests' clients.
func newPlace(t *testing.T, config realtime.Config, pages http.Handler) *place {
	t.Helper()
	config.Transports = []string{"polling", "websocket", "webtransport"}
	config.Logger = slog.New(slog.DiscardHandler)
	p := &place{t: t, socket: realtime.NewServer(config), served: make(chan error, 1)}
	p.socket.On("connection", func(s *realtime.Socket) {
		s.On("echo", func(args realtime.Args, ack realtime.Ack) { ack(args.Values()...) })
		s.On("leave", func() { s.Emit("bye"); s.Disconnect(true) })
	})
	tlsConfig, hash := certificate(t)
	p.hash = hash
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", p.socket)
	if pages != nil {
		mux.Handle("/", pages)
	}
	var udp net.PacketConn
	for range 10 { // until a port is free both ways
		p.tcp = httptest.NewUnstartedServer(mux)
		var err error
		if udp, err = net.ListenPacket("udp", p.tcp.Listener.Addr().String()); err == nil {
			break
		}
		p.tcp.Close()
	}
	if udp == nil {
		t.Fatal("no port is free")
	}
	p.addr = udp.LocalAddr().String()
	p.tcp.TLS = tlsConfig
	p.tcp.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	p.tcp.StartTLS()
	p.server = webtransport.NewServer(p.socket, webtransport.Config{TLSConfig: tlsConfig, Logger: config.Logger})
	go func() { p.served <- p.server.Serve(udp) }()
	t.Cleanup(p.close)
	return p
}

func (p *place) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := p.socket.Shutdown(ctx); err != nil {
		p.t.Errorf("shutdown of the sockets: %v", err)
	}
	if err := p.server.Shutdown(ctx); err != nil {
		p.t.Errorf("shutdown: %v", err)
	}
	if err := <-p.served; err != http.ErrServerClosed {
		p.t.Errorf("Serve returned %v", err)
	}
	p.tcp.Close()
}

// client is one of quic-go's own.
type client struct {
	t       *testing.T
	session *quicwt.Session
	stream  *quicwt.Stream
	in      *bufio.Reader
}

// dial opens a session and its stream.
func (p *place) dial(path string, header http.Header) *client {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	d := quicwt.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h3"}}}
	res, session, err := d.Dial(ctx, "https://"+p.addr+path, header)
	if err != nil {
		p.t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		p.t.Fatal(res.Status)
	}
	stream, err := session.OpenStreamSync(ctx)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { session.CloseWithError(0, "") })
	return &client{p.t, session, stream, bufio.NewReader(stream)}
}

// send sends packets of less than 126 bytes.
func (c *client) send(packets ...string) {
	c.t.Helper()
	for _, p := range packets {
		if _, err := c.stream.Write(append([]byte{byte(len(p))}, p...)); err != nil {
			c.t.Fatal(err)
		}
	}
}

// next reads a packet, or "closed".
func (c *client) next() string {
	c.t.Helper()
	size, err := c.in.ReadByte()
	if err != nil {
		return "closed"
	}
	n := int(size)
	if n == 126 {
		var b [2]byte
		io.ReadFull(c.in, b[:])
		n = int(binary.BigEndian.Uint16(b[:]))
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(c.in, data); err != nil {
		return "closed"
	}
	return string(data)
}

func (c *client) expect(packets ...string) {
	c.t.Helper()
	for _, want := range packets {
		if got := c.next(); got != want && !(strings.HasSuffix(want, "…") && strings.HasPrefix(got, strings.TrimSuffix(want, "…"))) {
			c.t.Errorf("got %q, want %q", got, want)
		}
	}
}

const query = "/socket.io/?EIO=4&transport=webtransport"

func TestDirect(t *testing.T) {
	p := newPlace(t, realtime.Config{}, nil)
	c := p.dial(query, nil)
	c.send("0")
	c.expect(`0{"sid":"…`)
	c.send("40")
	c.expect(`40{"sid":"…`)
	long := strings.Repeat("x", 100)
	c.send(`421["echo","` + long + `"]`)
	c.expect(`431["` + long + `"]`)
	c.send(`42["leave"]`)
	c.expect(`42["bye"]`, "41", "closed")
}

// The client that leaves is gone at once.
func TestClientLeaves(t *testing.T) {
	p := newPlace(t, realtime.Config{}, nil)
	gone := make(chan string, 1)
	p.socket.On("connection", func(s *realtime.Socket) {
		s.On("disconnect", func(reason string) { gone <- reason })
	})
	c := p.dial(query, nil)
	c.send("0", "40")
	c.expect(`0{"sid":"…`, `40{"sid":"…`)
	c.session.CloseWithError(0, "")
	if reason := <-gone; reason != "transport close" {
		t.Error(reason)
	}
}

func TestUpgrade(t *testing.T) {
	p := newPlace(t, realtime.Config{}, nil)
	res, err := p.tcp.Client().Get("https://" + p.addr + "/socket.io/?EIO=4&transport=polling")
	if err != nil {
		t.Fatal(err)
	}
	var open struct {
		SID      string
		Upgrades []string
	}
	body, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil || json.Unmarshal(body[1:], &open) != nil || strings.Join(open.Upgrades, " ") != "websocket webtransport" {
		t.Fatalf("%s %v", body, err)
	}
	c := p.dial(query+"&sid="+open.SID, nil)
	c.send(`0{"sid":"`+open.SID+`"}`, "2probe")
	c.expect("3probe")
	c.send("5", "40", `421["echo"]`)
	c.expect(`40{"sid":"…`, `431[]`)
}

func TestRefusals(t *testing.T) {
	refuse := realtime.Config{AllowRequest: func(*http.Request) error { return errors.New("no") }}
	for _, test := range []struct {
		name   string
		config realtime.Config
		path   string
		header http.Header
	}{
		{"path", realtime.Config{}, "/elsewhere/", nil},
		{"origin", realtime.Config{}, query, http.Header{"Origin": {"https://elsewhere.example"}}},
		{"AllowRequest", refuse, query, nil},
		{"revision", realtime.Config{}, "/socket.io/?EIO=3&transport=webtransport", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlace(t, test.config, nil)
			c := p.dial(test.path, test.header)
			c.stream.Write([]byte("\x010"))
			c.expect("closed")
			<-c.session.Context().Done()
			if n := p.socket.ClientsCount(); n != 0 {
				t.Errorf("%d clients", n)
			}
		})
	}
}

// What is no WebTransport is refused.
func TestNoWebTransport(t *testing.T) {
	defer func() {
		if v := recover(); v == nil || !strings.HasPrefix(v.(string), "webtransport: ") {
			t.Error(v)
		}
	}()
	webtransport.NewServer(nil, webtransport.Config{})
}

// A shutdown tells the clients, and waits for no session that has no stream.
func TestShutdown(t *testing.T) {
	p := newPlace(t, realtime.Config{}, nil)
	c := p.dial(query, nil)
	c.send("0", "40")
	c.expect(`0{"sid":"…`, `40{"sid":"…`)
	silent := p.dial(query, nil)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := p.socket.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	if err := p.server.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	c.expect("closed")
	silent.expect("closed")
	if err := p.server.ListenAndServe(); err != http.ErrServerClosed {
		t.Errorf("ListenAndServe after Shutdown: %v", err)
	}
}

// Close cuts off who is there, and the endpoint hears of it.
func TestClose(t *testing.T) {
	p := newPlace(t, realtime.Config{}, nil)
	gone := make(chan string, 1)
	p.socket.On("connection", func(s *realtime.Socket) {
		s.On("disconnect", func(reason string) { gone <- reason })
	})
	c := p.dial(query, nil)
	c.send("0", "40")
	c.expect(`0{"sid":"…`, `40{"sid":"…`)
	p.server.Close()
	c.expect("closed")
	if reason := <-gone; reason != "transport close" {
		t.Error(reason)
	}
}
