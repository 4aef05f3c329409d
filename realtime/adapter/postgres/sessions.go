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
		if r.Value == nil && r.Term == 0 {
			b.Queue(`DELETE FROM `+table+` WHERE cluster = $1 AND key = $2 AND term = 0`, name, r.Key)
			continue
		}
		b.Queue(`INSERT INTO `+table+` AS kept (cluster, key, value, term, expires_at) VALUES ($1, $2, $3, $4, now() + $5::interval)
			ON CONFLICT (cluster, key) DO UPDATE SET value = excluded.value, term = excluded.term, expires_at = excluded.expires_at
			WHERE kept.term <= excluded.term`, name, r.Key, r.Value, r.Term, r.Keep)
	}
	if err := l.pool.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}

// Load implements cluster.LogEngine.
func (l *logEngine) Load(ctx context.Context, key string) ([]byte, error) {
	var value []byte
	err := l.row(ctx, []any{&value}, `SELECT value FROM `+l.options.SessionTable+` WHERE cluster = $1 AND key = $2 AND expires_at > now()`, key)
	return value, err
}

// Take implements cluster.LogEngine.
func (l *logEngine) Take(ctx context.Context, key string, of int64) (value []byte, term int64, err error) {
	table := l.options.SessionTable
	err = l.row(ctx, []any{&value, &term}, `WITH was AS (SELECT value FROM `+table+`
			WHERE cluster = $1 AND key = $2 AND expires_at > now() AND value IS NOT NULL AND $3::bigint IN (term, -1) FOR UPDATE)
		UPDATE `+table+` AS kept SET value = NULL, term = kept.term + 1, expires_at = now() FROM was
		WHERE kept.cluster = $1 AND kept.key = $2 RETURNING was.value, kept.term`, key, of)
	if err != nil || value != nil {
		return value, term, err
	}
	err = l.row(ctx, []any{&term}, `SELECT term FROM `+table+` WHERE cluster = $1 AND key = $2`, key)
	return nil, term, err
}

// row reads the row of a key into variables, if there is one.
func (l *logEngine) row(ctx context.Context, to []any, sql string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := l.connected(ctx); err != nil {
		return err
	}
	err := l.pool.QueryRow(ctx, sql, append([]any{l.options.ChannelPrefix}, args...)...).Scan(to...)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}

// clean deletes what has expired, but for Terms, and notes where each namespace's log
// begins then.
func (l *logEngine) clean(ctx context.Context) error {
	expired := `DELETE FROM ` + l.options.SessionTable + ` WHERE expires_at < now() AND (term = 0 OR expires_at < now() - $1::interval)`
	if _, err := l.pool.Exec(ctx, expired, cluster.KeepTerm); err != nil {
		return err
	}
	table := l.options.LogTable
	_, err := l.pool.Exec(ctx, `WITH gone AS (DELETE FROM `+table+` WHERE created_at < now() - $1::interval RETURNING space, id)
		INSERT INTO `+table+`_trimmed (space, id) SELECT space, max(id) FROM gone GROUP BY space
		ON CONFLICT (space) DO UPDATE SET id = greatest(`+bare(table)+`_trimmed.id, excluded.id)`, l.options.KeepPackets)
	return err
}
