package embedded

import (
	"cmp"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// Config is that of a node's NATS server. All nodes of a cluster need the same
// Cluster, Secret and kind of TLS.
type Config struct {
	// Listen is the address for other nodes, host:port. Port 0 is one that is free:
	// Addr tells which. Default ":6222".
	Listen string

	// Routes are the addresses of other nodes, host:port, or of some of them. A name
	// may have several addresses. None is for the first node, or for one that is alone.
	Routes []string

	// Secret is what nodes show each other. It may be left out only where Listen is an
	// address of this machine alone, such as "127.0.0.1:6222": whoever reaches the port
	// of a node without one belongs to the cluster.
	Secret string

	// TLS is for the connections between nodes, of which each is a server and a
	// client: it has Certificates, RootCAs and ClientCAs. Without it what they say can be
	// read on the network, the secret as well.
	TLS *tls.Config

	// Cluster is the name of the cluster. Default "zocalo".
	Cluster string

	// MaxPayload is how many bytes go between nodes in one message; larger ones go in
	// parts. Default 8 MiB.
	MaxPayload int32

	// Logger is told what the NATS server has to say. Default slog.Default().
	Logger *slog.Logger
}

// Server is a node's NATS server. Its methods may be called concurrently.
type Server struct {
	server *server.Server
	conn   *nats.Conn
}

// readiness is how long a server may take to start.
const readiness = 30 * time.Second

// Start starts a node's NATS server. It does not wait for the other nodes: they
// are tried again and again, and do not hear what is said before they are found. A
// program that has something to say at once, and ends, is better off as a client of
// another engine.
func Start(c Config) (*Server, error) {
	o, err := c.options()
	if err != nil {
		return nil, fmt.Errorf("embedded: %w", err)
	}
	s, err := server.NewServer(o)
	if err != nil {
		return nil, fmt.Errorf("embedded: %w", err)
	}
	s.SetLoggerV2(logger{cmp.Or(c.Logger, slog.Default())}, false, false, false)
	s.Start()
	if !s.ReadyForConnections(readiness) {
		s.Shutdown()
		return nil, fmt.Errorf("embedded: the NATS server is not ready after %v; is %s free?", readiness, c.Listen)
	}
	conn, err := nats.Connect("", nats.InProcessServer(s), nats.MaxReconnects(-1), nats.UserInfo(o.Username, o.Password))
	if err != nil {
		s.Shutdown()
		return nil, fmt.Errorf("embedded: %w", err)
	}
	return &Server{s, conn}, nil
}

func (c Config) options() (*server.Options, error) {
	c.Listen = cmp.Or(c.Listen, ":6222")
	host, port, err := address(c.Listen)
	if err != nil {
		return nil, fmt.Errorf("option Listen: %w", err)
	}
	if ip := net.ParseIP(host); c.Secret == "" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("whoever reaches %s would belong to the cluster; set Secret, or Listen to an address of this machine, such as 127.0.0.1:6222", c.Listen)
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	o := &server.Options{
		ServerName: rand.Text(),
		NoSigs:     true,
		// It wants to listen for clients before it listens for other nodes. Nobody but
		// this process knows the password.
		Host: "127.0.0.1", Port: server.RANDOM_PORT, Username: user, Password: rand.Text(),
		MaxPayload: cmp.Or(c.MaxPayload, 8<<20),
		Cluster:    server.ClusterOpts{Name: cmp.Or(c.Cluster, "zocalo"), Host: host, Port: port, NoAdvertise: true},
	}
	if c.Secret != "" {
		o.Cluster.Username, o.Cluster.Password = user, c.Secret
	}
	if c.TLS != nil {
		o.Cluster.TLSConfig, o.Cluster.TLSTimeout = c.TLS, 10
	}
	for _, route := range c.Routes {
		if _, _, err := address(route); err != nil {
			return nil, fmt.Errorf("option Routes: %w", err)
		}
		u := &url.URL{Scheme: "nats", Host: route}
		if c.Secret != "" {
			u.User = url.UserPassword(user, c.Secret)
		}
		o.Routes = append(o.Routes, u)
	}
	return o, nil
}

// user is the name that belongs to the secret, and to the password.
const user = "zocalo"

// address splits host:port.
func address(text string) (host string, port int, err error) {
	host, number, err := net.SplitHostPort(text)
	if err == nil {
		port, err = strconv.Atoi(number)
	}
	if err != nil || port < 0 || port > 65535 || strings.ContainsAny(host, "/@") {
		return "", 0, fmt.Errorf("%q is no address; it is written host:port", text)
	}
	return cmp.Or(host, "0.0.0.0"), port, nil
}

// Conn returns a connection to the server, which ends with it.
func (s *Server) Conn() *nats.Conn { return s.conn }

// Addr returns the address for other nodes, or nil when the server has ended.
func (s *Server) Addr() net.Addr {
	if a := s.server.ClusterAddr(); a != nil {
		return a
	}
	return nil
}

// Close ends the server. The Socket.IO servers that use it have to be shut down
// before.
func (s *Server) Close() error {
	if !s.server.Running() {
		return errors.New("embedded: the server has been closed before")
	}
	s.conn.Close()
	s.server.Shutdown()
	s.server.WaitForShutdown()
	return nil
}

// logger passes what the NATS server logs to slog.
type logger struct{ to *slog.Logger }

func (l logger) Noticef(format string, v ...any) { l.to.Debug("nats: " + fmt.Sprintf(format, v...)) }
func (l logger) Warnf(format string, v ...any)   { l.to.Warn("nats: " + fmt.Sprintf(format, v...)) }
func (l logger) Errorf(format string, v ...any)  { l.to.Error("nats: " + fmt.Sprintf(format, v...)) }
func (l logger) Fatalf(format string, v ...any)  { l.to.Error("nats: " + fmt.Sprintf(format, v...)) }
func (l logger) Debugf(string, ...any)           {}
func (l logger) Tracef(string, ...any)           {}
