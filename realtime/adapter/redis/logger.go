package redis

import (
	"context"
	"fmt"
	"log/slog"
)

// Logger returns what go-redis' SetLogger wants, so that what that library has to say
// while Redis is out of reach goes to l as warnings, and not to standard error as lines of
// its own:
//
//	redis.SetLogger(redisadapter.Logger(slog.Default()))
//
// SetLogger is for all clients of a process, which is why this package leaves it to the
// program. What concerns the cluster the servers log themselves.
func Logger(l *slog.Logger) interface {
	Printf(ctx context.Context, format string, v ...any)
} {
	return printer{l}
}

// printer is a logging of go-redis.
type printer struct{ logger *slog.Logger }

// Printf logs what go-redis has to say.
func (p printer) Printf(ctx context.Context, format string, v ...any) {
	p.logger.WarnContext(ctx, "redis: the client library", "says", fmt.Sprintf(format, v...))
}
