package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
)

// connected waits until the tables are there.
func (e *engine) connected(ctx context.Context) error {
	select {
	case <-e.listener.ready:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("postgres: not connected: %w", context.Cause(ctx))
	}
}

// Save implements cluster.LogEngine.
func (l *logEngine) Save(ctx context.Context, records []cluster.Record) error {
	if err := l.connected(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	// In one order everywhere, so that nodes do not wait for each other's rows.
	records = slices.SortedFunc(slices.Values(records), func(a, b cluster.Record) int { return strings.Compare(a.Key, b.Key) })
	var b pgx.Batch
	table, name := l.options.SessionTable, l.options.ChannelPrefix
	for _, r := range records {
		if r.Value == nil {
			b.Queue(`DELETE FROM `+table+` WHERE cluster = $1 AND key = $2`, name, r.Key)
			continue
		}
		b.Queue(`INSERT INTO `+table+` (cluster, key, value, expires_at) VALUES ($1, $2, $3, now() + $4::interval)
			ON CONFLICT (cluster, key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at`, name, r.Key, r.Value, r.Keep)
	}
	if err := l.pool.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}

// Load implements cluster.LogEngine.
func (l *logEngine) Load(ctx context.Context, key string) ([]byte, error) {
	return l.value(ctx, `SELECT value FROM `+l.options.SessionTable+` WHERE cluster = $1 AND key = $2 AND expires_at > now()`, key)
}

// Take implements cluster.LogEngine.
func (l *logEngine) Take(ctx context.Context, key string) ([]byte, error) {
	return l.value(ctx, `DELETE FROM `+l.options.SessionTable+` WHERE cluster = $1 AND key = $2 AND expires_at > now() RETURNING value`, key)
}

func (l *logEngine) value(ctx context.Context, sql, key string) (value []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := l.connected(ctx); err != nil {
		return nil, err
	}
	err = l.pool.QueryRow(ctx, sql, l.options.ChannelPrefix, key).Scan(&value)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("postgres: %w", err)
	}
	return value, nil
}

// clean deletes what has expired, and notes where each namespace's log begins then.
func (l *logEngine) clean(ctx context.Context) error {
	if _, err := l.pool.Exec(ctx, `DELETE FROM `+l.options.SessionTable+` WHERE expires_at < now()`); err != nil {
		return err
	}
	table := l.options.LogTable
	_, err := l.pool.Exec(ctx, `WITH gone AS (DELETE FROM `+table+` WHERE created_at < now() - $1::interval RETURNING space, id)
		INSERT INTO `+table+`_trimmed (space, id) SELECT space, max(id) FROM gone GROUP BY space
		ON CONFLICT (space) DO UPDATE SET id = greatest(`+bare(table)+`_trimmed.id, excluded.id)`, l.options.KeepPackets)
	return err
}
