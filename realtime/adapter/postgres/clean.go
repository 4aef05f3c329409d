package postgres

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// cleaner deletes what has become old, as every node does.
type cleaner struct {
	cancel context.CancelFunc
	done   chan struct{}
}

func clean(e *engine) *cleaner {
	ctx, cancel := context.WithCancel(context.Background())
	c := &cleaner{cancel, make(chan struct{})}
	go func() {
		defer close(c.done)
		for failed := false; ; {
			// Not all nodes at the same time.
			pause := e.options.CleanupInterval
			pause += time.Duration(rand.Int64N(int64(pause)/4 + 1))
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return
			}
			err := e.clean(ctx)
			if err != nil && !failed && ctx.Err() == nil {
				e.logger.Warn("postgres: what is old cannot be deleted; trying again", "node", e.node, "error", err)
			}
			failed = err != nil
		}
	}()
	return c
}

func (c *cleaner) close() {
	c.cancel()
	<-c.done
}

// clean deletes what has become old. Whose clock counts is PostgreSQL's alone.
func (e *engine) clean(ctx context.Context) error {
	select {
	case <-e.listener.ready:
	default:
		return nil // nothing is there yet
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := e.pool.Exec(ctx, "DELETE FROM "+e.options.TableName+" WHERE created_at < now() - $1::interval", e.options.CleanupInterval)
	if err == nil && e.log != nil {
		err = e.log.clean(ctx)
	}
	if err != nil {
		err = fmt.Errorf("postgres: %w", err)
	}
	return err
}
