//go:build unix

package services

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/zocalo-go/zocalo/internal/need"
)

// Redis starts a Redis server with further arguments, such as "--replicaof" with
// a host and a port. It keeps nothing on disk unless they say so.
func Redis(t testing.TB, args ...string) *Service {
	t.Helper()
	path, addr, dir := need.Command(t, "redis-server"), free(t), t.TempDir()
	_, port, _ := net.SplitHostPort(addr)
	return start(t, &Service{
		Addr: addr,
		name: "redis-server",
		argv: func() *exec.Cmd {
			return exec.Command(path, append([]string{"--port", port, "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "no"}, args...)...)
		},
		answer: func(conn net.Conn) error { return converse(conn, "PING\r\n", "+PONG") },
	})
}

// NATS starts a NATS server with JetStream, whose data outlives Kill and Start.
func NATS(t testing.TB, args ...string) *Service {
	t.Helper()
	path, addr, dir := need.Command(t, "nats-server"), free(t), t.TempDir()
	host, port, _ := net.SplitHostPort(addr)
	return start(t, &Service{
		Addr: addr,
		name: "nats-server",
		argv: func() *exec.Cmd {
			return exec.Command(path, append([]string{"-a", host, "-p", port, "-js", "-sd", dir}, args...)...)
		},
		answer: func(conn net.Conn) error { return converse(conn, "", "INFO ") },
	})
}

// Postgres starts a PostgreSQL server with a new cluster of databases, whose data
// outlives Kill and Start. The user "postgres" needs no password.
func Postgres(t testing.TB) *Service {
	t.Helper()
	bin := postgres(t)
	dir, owner := home(t)
	run := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(bin, name), args...)
		cmd.Dir = dir
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: owner}
		return cmd
	}
	data := filepath.Join(dir, "data")
	if out, err := run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N", "--no-locale", "-E", "UTF8").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	addr := free(t)
	host, port, _ := net.SplitHostPort(addr)
	return start(t, &Service{
		Addr: addr,
		name: "postgres",
		argv: func() *exec.Cmd {
			return run("postgres", "-D", data, "-h", host, "-p", port, "-k", dir, "-c", "fsync=off")
		},
		// A request for SSL is answered by one letter as soon as connections are
		// taken, but not before recovery ends: a start-up message is.
		answer: func(conn net.Conn) error {
			body := "\x00\x03\x00\x00user\x00postgres\x00database\x00postgres\x00\x00"
			return converse(conn, string([]byte{0, 0, 0, byte(4 + len(body))})+body, "R")
		},
	})
}

// postgres returns the directory of PostgreSQL's programs, which Debian keeps out
// of the path.
func postgres(t testing.TB) string {
	t.Helper()
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	for _, dir := range append(dirs, filepath.SplitList(os.Getenv("PATH"))...) {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err == nil {
			return dir
		}
	}
	need.Missing(t, "PostgreSQL is not installed")
	return ""
}

// home returns a directory for PostgreSQL, and who it has to belong to: the
// server refuses to run as root.
func home(t testing.TB) (dir string, owner *syscall.Credential) {
	t.Helper()
	if os.Getuid() != 0 {
		return t.TempDir(), nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		need.Missing(t, "PostgreSQL does not run as root, and there is no user for it: %v", err)
	}
	uid, _ := strconv.Atoi(account.Uid)
	gid, _ := strconv.Atoi(account.Gid)
	dir, err = os.MkdirTemp("", "postgres-") // a test's own is closed to others
	if err == nil {
		t.Cleanup(func() { os.RemoveAll(dir) })
		err = os.Chown(dir, uid, gid)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir, &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// converse sends a message and reads the beginning of the answer.
func converse(conn net.Conn, message, want string) error {
	if _, err := conn.Write([]byte(message)); err != nil {
		return err
	}
	answer, err := bufio.NewReader(conn).Peek(len(want))
	if err == nil && !strings.HasPrefix(string(answer), want) {
		err = fmt.Errorf("it answered %q", answer)
	}
	return err
}
