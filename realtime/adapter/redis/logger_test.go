//go:build unix

package redis_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	redisadapter "github.com/zocalo-go/zocalo/realtime/adapter/redis"
)

// What go-redis has to say goes where the program has it go. SetLogger is for the whole
// process, which is one of its own here.
func TestLogger(t *testing.T) {
	const inside = "ZOCALO_TEST_LOGGER"
	if os.Getenv(inside) == "" {
		c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLogger$")
		c.Env = append(os.Environ(), inside+"=1")
		out, err := c.CombinedOutput()
		if err != nil || strings.Contains(string(out), "redis: 2") {
			t.Errorf("%v: %s", err, out)
		}
		return
	}
	var log bytes.Buffer
	redis.SetLogger(redisadapter.Logger(slog.New(slog.NewTextHandler(&log, nil))))
	client := redis.NewClient(&redis.Options{
		MaxRetries: -1, DialerRetries: 1,
		Dialer: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("out of reach") },
	})
	if client.Ping(t.Context()).Err() == nil {
		t.Error("the server is there")
	}
	client.Close()
	if got := log.String(); !strings.Contains(got, "level=WARN") || !strings.Contains(got, "out of reach") {
		t.Errorf("logged %q", got)
	}
}
