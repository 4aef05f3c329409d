//go:build unix

package doctor

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zocalo-go/zocalo/internal/services"
)

// fake serves one connection, and returns host:port.
func fake(t *testing.T, serve func(conn net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		serve(conn)
	}()
	t.Cleanup(func() { ln.Close(); <-done })
	return ln.Addr().String()
}

func TestService(t *testing.T) {
	says := func(text string) func(net.Conn) {
		return func(conn net.Conn) {
			io.WriteString(conn, text)
			io.Copy(io.Discard, conn)
		}
	}
	// After reading n bytes it says text.
	after := func(n int64, text string) func(net.Conn) {
		return func(conn net.Conn) {
			io.CopyN(io.Discard, conn, n)
			io.WriteString(conn, text)
			io.Copy(io.Discard, conn)
		}
	}
	const ping = int64(len("*1\r\n$4\r\nPING\r\n"))
	postgres := func(answer string) func(net.Conn) {
		return func(conn net.Conn) {
			io.CopyN(io.Discard, conn, 8)
			io.WriteString(conn, "N")
			io.CopyN(io.Discard, conn, 4+4)
			io.WriteString(conn, answer)
			io.Copy(io.Discard, conn)
		}
	}
	nats := func(answer string) func(net.Conn) {
		return func(conn net.Conn) {
			fmt.Fprintf(conn, "INFO {\"version\":\"2.11.0\",\"jetstream\":true}\r\n")
			r := bufio.NewReader(conn)
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if strings.HasPrefix(line, "PING") {
					io.WriteString(conn, answer)
				}
			}
		}
	}
	for name, test := range map[string]struct {
		url   string
		serve func(net.Conn)
		state State
		says  string
	}{
		"Redis":                       {"redis://", after(ping, "+PONG\r\n"), Good, "Redis answers at"},
		"Redis with a password":       {"redis://", after(ping, "-NOAUTH Authentication required.\r\n"), Bad, "NOAUTH"},
		"Redis with another password": {"redis://me:secret@", after(1, "-WRONGPASS invalid\r\n"), Bad, "WRONGPASS"},
		"Redis that loads":            {"redis://", after(ping, "-LOADING dataset\r\n"), Bad, "LOADING"},
		"not Redis":                   {"redis://", after(ping, "HTTP/1.1 400 Bad Request\r\n"), Bad, "is no Redis"},
		"not Redis with TLS":          {"rediss://", after(1, "HTTP/1.1 400 Bad Request\r\n"), Bad, "TLS fails"},
		"NATS":                        {"nats://", nats("PONG\r\n"), Good, "NATS 2.11.0 with JetStream answers"},
		"NATS that refuses":           {"nats://me:wrong@", nats("-ERR 'Authorization Violation'\r\n"), Bad, "Authorization Violation"},
		"NATS with TLS":               {"nats://", says("INFO {\"version\":\"2\",\"tls_required\":true}\r\n"), Good, "requires TLS"},
		"not NATS":                    {"nats://", says("220 mail\r\n"), Bad, "is no NATS"},
		"Postgres":                    {"postgres://", postgres("R\x00\x00\x00\x08\x00\x00\x00\x00"), Good, "Postgres answers"},
		"Postgres without a database": {"postgresql://", postgres("E\x00\x00\x00\x1bSFATAL\x00Mno such thing\x00\x00"), Bad, "no such thing"},
		"not Postgres":                {"postgres://", after(8, "HTTP/1.1"), Bad, "is no Postgres"},
		"an endless Postgres":         {"postgres://", postgres("E\xff\xff\xff\xff"), Bad, "message of 4294967295 bytes"},
		"it hangs up":                 {"nats://", func(net.Conn) {}, Bad, "is no NATS"},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := Service(t.Context(), test.url+fake(t, test.serve))
			if err != nil || f.State != test.state || !strings.Contains(f.Says, test.says) || (f.State == Good) != (f.Cure == "") {
				t.Errorf("%+v, %v", f, err)
			}
			if strings.Contains(f.Says+f.Cure, "secret") {
				t.Errorf("the password is told: %+v", f)
			}
		})
	}
	if f, err := Service(t.Context(), "redis://127.0.0.1:1"); err != nil || f.State != Bad || !strings.Contains(f.Says, "127.0.0.1:1") {
		t.Errorf("%+v, %v", f, err)
	}
	for _, bad := range []string{"", "redis://", "mysql://x", "redis://u:secret@%zz"} {
		if _, err := Service(t.Context(), bad); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// An engine that does not answer is not taken for another program.
func TestServiceSilent(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f, err := Service(ctx, "redis://"+fake(t, func(conn net.Conn) {
		conn.Read(make([]byte, 1)) // of PING
		cancel()
		io.Copy(io.Discard, conn)
	}))
	if err != nil || f.State != Bad || !strings.Contains(f.Says, "has not answered in time") {
		t.Errorf("%+v, %v", f, err)
	}
}

// What an app is about to connect to is greeted, if its source asks for the variable.
func TestEngines(t *testing.T) {
	dir := t.TempDir()
	source := `package main; var urls = []string{os.Getenv("REDIS_URL"), os.Getenv("NATS_URL")}`
	if err := os.WriteFile(filepath.Join(dir, "cluster.go"), []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	variables := map[string]string{
		"REDIS_URL":    "redis://127.0.0.1:1",
		"NATS_URL":     "nats://" + fake(t, func(conn net.Conn) { io.WriteString(conn, "220 mail\r\n") }),
		"DATABASE_URL": "postgres://127.0.0.1:1/other",
	}
	said := map[string]Finding{}
	for _, f := range Engines(t.Context(), dir, ".", func(name string) string { return variables[name] }) {
		said[f.Check] = f
	}
	if len(said) != 2 || !strings.HasPrefix(said["REDIS_URL"].Cure, "start Redis, for example with: ") || !strings.Contains(said["NATS_URL"].Says, "is no NATS") {
		t.Errorf("got %+v", said)
	}
	if found := Engines(t.Context(), dir, ".", func(string) string { return "" }); found != nil {
		t.Errorf("without variables: %+v", found)
	}
}

// The real ones, where they are installed.
func TestRealServices(t *testing.T) {
	for scheme, start := range map[string]func(t *testing.T) string{
		"redis":    func(t *testing.T) string { return services.Redis(t).Addr },
		"nats":     func(t *testing.T) string { return services.NATS(t).Addr },
		"postgres": func(t *testing.T) string { return "postgres@" + services.Postgres(t).Addr + "/postgres" },
	} {
		t.Run(scheme, func(t *testing.T) {
			f, err := Service(t.Context(), scheme+"://"+start(t))
			if err != nil || f.State != Good {
				t.Errorf("%+v, %v", f, err)
			}
		})
	}
}
