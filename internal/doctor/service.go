package doctor

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"
)

// serviceTimeout is how long an engine may take for its whole greeting.
const serviceTimeout = 5 * time.Second

// An engine is what a server of a cluster may talk to.
type engine struct {
	name, port string
	secure     bool // TLS from the first byte on
	greet      func(conn net.Conn, u *url.URL) (says string, err error)
}

var engines = map[string]engine{
	"redis":      {"Redis", "6379", false, greetRedis},
	"rediss":     {"Redis", "6379", true, greetRedis},
	"nats":       {"NATS", "4222", false, greetNATS},
	"tls":        {"NATS", "4222", false, greetNATS},
	"postgres":   {"Postgres", "5432", false, greetPostgres},
	"postgresql": {"Postgres", "5432", false, greetPostgres},
}

// IsService reports whether a URL is one of Redis, NATS or Postgres.
func IsService(raw string) bool {
	scheme, _, ok := strings.Cut(raw, "://")
	_, known := engines[scheme]
	return ok && known
}

// Service greets the engine at a URL, redis://, rediss://, nats://, tls:// or
// postgres://, in its own protocol: whether it is there, is what the URL says,
// and lets us in as far as it says so before a password is exchanged (Redis and
// NATS: with the password of the URL). Nothing is read or changed in it.
func Service(ctx context.Context, raw string) (Finding, error) {
	f, _, err := greet(ctx, raw)
	return f, err
}

// greet is Service. absent reports whether nothing is there, on this machine.
func greet(ctx context.Context, raw string) (f Finding, absent bool, err error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || !IsService(raw) {
		return Finding{}, false, fmt.Errorf("%q is not the URL of an engine, like redis://localhost:6379, nats://localhost:4222 or postgres://localhost:5432", redacted(raw))
	}
	e := engines[u.Scheme]
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = e.port
	}
	addr := net.JoinHostPort(host, port)
	f = Finding{Check: e.name}
	ctx, cancel := context.WithTimeout(ctx, serviceTimeout)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		f.State, f.Says = Bad, err.Error()
		f.Cure = "see whether " + e.name + " runs and listens there, and whether a firewall lets this machine through"
		return f, host == "localhost" || net.ParseIP(host).IsLoopback(), nil
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if e.secure {
		secure := tls.Client(conn, &tls.Config{ServerName: host})
		if err := secure.HandshakeContext(ctx); err != nil {
			f.State, f.Says = Bad, fmt.Sprintf("%s answers, but TLS fails: %v", addr, err)
			f.Cure = "use redis:// if it has no TLS, or let this machine trust its certificate"
			return f, false, nil
		}
		conn = secure
	}
	says, err := e.greet(conn, u)
	var refused refusal
	switch {
	case errors.As(err, &refused):
		f.State, f.Says, f.Cure = Bad, fmt.Sprintf("%s at %s refuses: %s", e.name, addr, refused.says), refused.cure
	case ctx.Err() != nil:
		f.State, f.Says = Bad, fmt.Sprintf("%s takes connections but has not answered in time", addr)
		f.Cure = "see whether " + e.name + " is busy or stopped"
	case err != nil:
		f.State, f.Says = Bad, fmt.Sprintf("what answers at %s is no %s: %v", addr, e.name, err)
		f.Cure = "see what listens on that port"
	default:
		f.State, f.Says = Good, fmt.Sprintf("%s answers at %s", says, addr)
	}
	return f, false, nil
}

// redacted is a URL without its password, for messages.
func redacted(raw string) string {
	if u, err := url.Parse(raw); err == nil {
		return u.Redacted()
	}
	return "(no URL)"
}

// A refusal is an engine's answer that it is there but does not let us in.
type refusal struct{ says, cure string }

func (r refusal) Error() string { return r.says }

// greetRedis says AUTH, if there is a password, and PING
// (https://redis.io/docs/latest/develop/reference/protocol-spec/).
func greetRedis(conn net.Conn, u *url.URL) (string, error) {
	r := bufio.NewReader(io.LimitReader(conn, maxAnswer))
	ask := func(words ...string) (string, error) {
		var b strings.Builder
		fmt.Fprintf(&b, "*%d\r\n", len(words))
		for _, w := range words {
			fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(w), w)
		}
		if _, err := io.WriteString(conn, b.String()); err != nil {
			return "", err
		}
		line, err := r.ReadString('\n')
		return strings.TrimSpace(line), err
	}
	if password, ok := u.User.Password(); ok {
		words := []string{"AUTH"}
		if name := u.User.Username(); name != "" {
			words = append(words, name)
		}
		answer, err := ask(append(words, password)...)
		if err != nil {
			return "", err
		}
		if strings.HasPrefix(answer, "-") {
			return "", refusal{answer[1:], "mend the user and password of the URL, redis://user:password@host"}
		}
	}
	answer, err := ask("PING")
	switch {
	case err != nil:
		return "", err
	case answer == "+PONG":
		return "Redis", nil
	case strings.HasPrefix(answer, "-NOAUTH"):
		return "", refusal{answer[1:], "give the password in the URL, redis://user:password@host"}
	case strings.HasPrefix(answer, "-"):
		return "", refusal{answer[1:], "see what its log says"}
	}
	return "", fmt.Errorf("it answers PING with %.60q", answer)
}

// greetNATS reads INFO and, where TLS is not required, says CONNECT and PING
// (https://docs.nats.io/reference/reference-protocols/nats-protocol).
func greetNATS(conn net.Conn, u *url.URL) (string, error) {
	r := bufio.NewReader(io.LimitReader(conn, maxAnswer))
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	text, ok := strings.CutPrefix(line, "INFO ")
	var info struct {
		Version     string `json:"version"`
		JetStream   bool   `json:"jetstream"`
		TLSRequired bool   `json:"tls_required"`
	}
	if !ok || json.Unmarshal([]byte(text), &info) != nil {
		return "", fmt.Errorf("it begins with %.60q", line)
	}
	says := "NATS " + info.Version
	if info.JetStream {
		says += " with JetStream"
	}
	if info.TLSRequired {
		return says + ", which requires TLS,", nil
	}
	connect := map[string]any{"verbose": false, "pedantic": false, "lang": "go", "version": "devserver", "protocol": 1}
	if password, ok := u.User.Password(); ok {
		connect["user"], connect["pass"] = u.User.Username(), password
	} else if token := u.User.Username(); token != "" {
		connect["auth_token"] = token
	}
	hello, err := json.Marshal(connect)
	if err != nil {
		return "", err
	}
	if _, err := fmt.Fprintf(conn, "CONNECT %s\r\nPING\r\n", hello); err != nil {
		return "", err
	}
	for {
		line, err := r.ReadString('\n')
		switch {
		case err != nil:
			return "", err
		case strings.HasPrefix(line, "PONG"):
			return says, nil
		case strings.HasPrefix(line, "-ERR"):
			return "", refusal{strings.TrimSpace(line[4:]), "mend the user and password of the URL, nats://user:password@host"}
		}
	}
}

// greetPostgres asks for TLS and begins a session, up to the question for the
// password (https://www.postgresql.org/docs/current/protocol-flow.html).
func greetPostgres(conn net.Conn, u *url.URL) (string, error) {
	if _, err := conn.Write([]byte{0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f}); err != nil { // SSLRequest
		return "", err
	}
	var answer [1]byte
	if _, err := io.ReadFull(conn, answer[:]); err != nil {
		return "", err
	}
	says := "Postgres"
	switch answer[0] {
	case 'S':
		// Whether the certificate is to be trusted is the app's matter (sslmode).
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true, ServerName: u.Hostname()}) //nolint:gosec // nothing secret is sent
		says += " with TLS"
	case 'N':
	default:
		return "", fmt.Errorf("it answers the question for TLS with %q", answer[:])
	}
	user, database := u.User.Username(), strings.Trim(u.Path, "/")
	if user == "" {
		user = "postgres"
	}
	body := "user\x00" + user + "\x00"
	if database != "" {
		body += "database\x00" + database + "\x00"
	}
	body += "\x00"
	hello := binary.BigEndian.AppendUint32(nil, uint32(8+len(body)))
	hello = binary.BigEndian.AppendUint32(hello, 3<<16) // version 3.0
	if _, err := conn.Write(append(hello, body...)); err != nil {
		return "", err
	}
	var head [5]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return "", err
	}
	size := binary.BigEndian.Uint32(head[1:])
	if size < 4 || size > maxAnswer {
		return "", fmt.Errorf("it answers with a message of %d bytes", size)
	}
	message := make([]byte, size-4)
	if _, err := io.ReadFull(conn, message); err != nil {
		return "", err
	}
	switch head[0] {
	case 'R':
		return says, nil
	case 'E':
		reason := "an error"
		for field := range strings.SplitSeq(string(message), "\x00") {
			if text, ok := strings.CutPrefix(field, "M"); ok {
				reason = text
			}
		}
		return "", refusal{reason, "mend the URL, postgres://user:password@host/database, or pg_hba.conf"}
	}
	return "", fmt.Errorf("it answers with a message %q", head[0])
}
