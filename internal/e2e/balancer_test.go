package e2e

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/internal/need"
)

// binary returns where a load balancer is, which a distribution may keep from ordinary users' path, and skips the test
// where it is not.
func binary(t *testing.T, name string) string {
	t.Helper()
	return need.Command(t, name, "/usr/sbin/"+name, "/usr/local/sbin/"+name)
}

// freeAddr returns addr, or one that is free where its port is 0.
func freeAddr(t *testing.T, addr string) string {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		t.Errorf("an address for a load balancer: %v", err)
		return addr
	}
	defer listener.Close()
	return listener.Addr().String()
}

// balanceNginx is nginx as its users have it, its round robin and all.
func balanceNginx(t *testing.T, addr string, nodes []string) (string, func()) {
	addr = freeAddr(t, addr)
	dir := t.TempDir()
	var servers strings.Builder
	for _, node := range nodes {
		fmt.Fprintf(&servers, "server %s max_fails=0; ", node)
	}
	config := fmt.Sprintf(`daemon off; master_process off; pid %[1]s/pid; error_log stderr crit;
events { worker_connections 4096; }
http {
	access_log off;
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
	map $http_upgrade $connection_upgrade { default upgrade; "" close; }
	upstream town { %[2]s }
	server {
		listen %[3]s;
		client_max_body_size 10m;
		location / {
			proxy_pass http://town;
			proxy_http_version 1.1;
			proxy_buffering off;
			proxy_read_timeout 60s;
			proxy_set_header Host $http_host;
			proxy_set_header Upgrade $http_upgrade;
			proxy_set_header Connection $connection_upgrade;
		}
	}
}
`, dir, servers.String(), addr)
	return addr, balancer(t, addr, filepath.Join(dir, "nginx.conf"), config, func(file string) *exec.Cmd {
		return exec.Command(binary(t, "nginx"), "-c", file, "-p", dir, "-e", "stderr")
	})
}

// balanceHAProxy is HAProxy as its users have it.
func balanceHAProxy(t *testing.T, addr string, nodes []string) (string, func()) {
	addr = freeAddr(t, addr)
	config := `global
	maxconn 4000
defaults
	mode http
	timeout connect 5s
	timeout client 60s
	timeout server 60s
	timeout tunnel 1h
frontend all
	bind ` + addr + `
	default_backend town
backend town
	balance roundrobin
`
	for i, node := range nodes {
		config += fmt.Sprintf("\tserver node%d %s\n", i, node)
	}
	return addr, balancer(t, addr, filepath.Join(t.TempDir(), "haproxy.cfg"), config, func(file string) *exec.Cmd {
		return exec.Command(binary(t, "haproxy"), "-db", "-q", "-f", file)
	})
}

// balancer starts a process, and returns what ends it when it accepts connections.
func balancer(t *testing.T, addr, file, config string, command func(file string) *exec.Cmd) func() {
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Error(err)
		return func() {}
	}
	var output bytes.Buffer
	cmd := command(file)
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Errorf("starting %s: %v", cmd.Path, err)
		return func() {}
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
	}()
	for accepts := false; !accepts; {
		conn, err := net.Dial("tcp", addr)
		if accepts = err == nil; accepts {
			conn.Close()
			break
		}
		select {
		case <-ended:
			t.Errorf("%s ended: %s", cmd.Path, output.Bytes())
			return func() {}
		case <-time.After(10 * time.Millisecond):
		}
	}
	return func() {
		cmd.Process.Kill()
		<-ended
	}
}
