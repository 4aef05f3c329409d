//go:build unix

package postgres

import (
	"context"
	"log/slog"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
)

// warnings is a handler of slog that gives away what is wrong.
type warnings struct {
	slog.Handler
	said chan string
}

func (w warnings) Enabled(context.Context, slog.Level) bool { return true }

func (w warnings) Handle(_ context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn {
		select {
		case w.said <- r.Message:
		default:
		}
	}
	return nil
}

// A node that has never been connected has lost no connection.
func TestNeverConnected(t *testing.T) {
	pool, err := pgxpool.New(t.Context(), "postgres://postgres@127.0.0.1:1/postgres") // where nobody listens
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	w := warnings{slog.DiscardHandler, make(chan string, 1)}
	e := &engine{pool: pool, options: Options{}.withDefaults(), logger: slog.New(w)}
	if err := e.Start("node", &given{}); err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if said := next(t, w.said); said != "postgres: cannot connect; trying again" {
		t.Errorf("it says %q", said)
	}
}
