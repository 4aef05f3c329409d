//go:build unix

package services

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/zocalo-go/zocalo/internal/need"
)

// RedisCluster starts a Redis Cluster of so many masters, three at least, each with
// so many replicas, and returns all its servers, the masters first.
func RedisCluster(t testing.TB, masters, replicas int) []*Service {
	t.Helper()
	cli := need.Command(t, "redis-cli")
	var servers []*Service
	args := []string{"--cluster", "create", "--cluster-yes", "--cluster-replicas", strconv.Itoa(replicas)}
	for range masters * (1 + replicas) {
		_, bus, _ := net.SplitHostPort(free(t))
		s := Redis(t, "--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-node-timeout", "2000", "--repl-diskless-sync-delay", "0")
		servers, args = append(servers, s), append(args, s.Addr)
	}
	if out, err := exec.Command(cli, args...).CombinedOutput(); err != nil {
		t.Fatalf("redis-cli: %v\n%s", err, out)
	}
	for _, s := range servers { // redis-cli returns when each knows the others, but some may not know all slots yet
		answer := s.answer
		s.answer = func(conn net.Conn) error { return contains(conn, "CLUSTER INFO\r\n", "cluster_state:ok") }
		s.ready()
		s.answer = answer
	}
	return servers
}

// SentinelName is the name by which those of Sentinel know who leads.
const SentinelName = "main"

// Sentinel starts a Sentinel for a Redis server and its replicas: when that is out
// of reach for a second, one of these takes its place. It agrees with nobody else.
func Sentinel(t testing.TB, master *Service) *Service {
	t.Helper()
	path, addr := need.Command(t, "redis-server"), free(t)
	host, port, _ := net.SplitHostPort(addr)
	config := filepath.Join(t.TempDir(), "sentinel.conf") // which it writes, too
	text := fmt.Sprintf("port %s\nbind %s\ndir %s\nsentinel monitor %[4]s 127.0.0.1 %[5]d 1\n"+
		"sentinel down-after-milliseconds %[4]s 1000\nsentinel failover-timeout %[4]s 6000\n",
		port, host, filepath.Dir(config), SentinelName, master.Port())
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, &Service{
		Addr: addr,
		name: "redis-sentinel",
		argv: func() *exec.Cmd { return exec.Command(path, config, "--sentinel") },
		answer: func(conn net.Conn) error {
			return contains(conn, "SENTINEL REPLICAS "+SentinelName+"\r\n", "slave-repl-offset")
		},
	})
}

// NATSCluster starts so many NATS servers that are a cluster, with JetStream.
func NATSCluster(t testing.TB, count int) []*Service {
	t.Helper()
	var routes []string
	for range count {
		routes = append(routes, "nats://"+free(t))
	}
	var servers []*Service
	for i, route := range routes {
		servers = append(servers, NATS(t, "--cluster_name", "test", "-n", "server-"+strconv.Itoa(i), "--cluster", route, "--routes", strings.Join(routes, ",")))
	}
	return servers
}

// contains sends a command to Redis, and looks for a text in the answer.
func contains(conn net.Conn, command, want string) error {
	if _, err := conn.Write([]byte(command)); err != nil {
		return err
	}
	answer := make([]byte, 64<<10)
	n, err := conn.Read(answer)
	if err == nil && !strings.Contains(string(answer[:n]), want) {
		err = fmt.Errorf("it answered %q", answer[:n])
	}
	return err
}
