package postgres

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
)

// logEngine is the cluster.LogEngine of one node. The number of a row is the
// offset of its message; rows are numbered, committed and notified in one order,
// because who writes some holds a lock. What a node says again, because it was not
// answered, gets no second row.
type logEngine struct {
	*engine

	mu    sync.Mutex       // guards the rest
	read  map[string]int64 // up to where the node was given the log of each namespace
	asked map[string]int64 // up to where it was asked to be given it, when that was last

	// Of the listener.
	top int64 // the largest number that a row is known to have, of any namespace
}

func newLogEngine(e *engine) *logEngine {
	l := &logEngine{engine: e, read: make(map[string]int64), asked: make(map[string]int64)}
	e.log = l
	return l
}

// Shut implements cluster.Engine.
func (l *logEngine) Shut(namespace string) {
	l.engine.Shut(namespace)
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.read, namespace)
	delete(l.asked, namespace)
}

func (w *writer) lock() {
	if !w.locked {
		w.locked = true
		w.batch.Queue(`SELECT pg_advisory_xact_lock($1)`, lockKey("log", w.engine.options.LogTable))
	}
}

// addKept writes a message into the log, and notifies it with its offset.
func (w *writer) addKept(m *cluster.Message, channel string, text []byte) error {
	return w.addRow(m, ` SELECT pg_notify($1, '`+offsetMark+`' || l.id || '",' || $2::text) FROM l`, channel, string(text[1:]))
}

// addKeptAttached is addKept of what is too large for a notification.
func (w *writer) addKeptAttached(m *cluster.Message, channel string, head, attachment []byte) error {
	return w.addRow(m, `, a AS (INSERT INTO `+w.engine.options.TableName+` (payload) SELECT $7::bytea FROM l RETURNING id)
		SELECT pg_notify($1, '`+offsetMark+`' || l.id || '","attachmentId":"' || a.id || '",' || $2::text) FROM l, a`,
		channel, string(head[1:]), attachment)
}

// addRow writes a message into the log, and has then what follows be done with the new
// row, l, and the parameters 1, 2, 7 and on. There is none when the log has the message
// already.
func (w *writer) addRow(m *cluster.Message, then, channel, text string, more ...any) error {
	data, err := m.AppendBinary(nil)
	if err != nil {
		return err
	}
	var node, seq any
	if m.Seq > 0 { // an emitter's is sent once
		node, seq = m.Node, int64(m.Seq)
	}
	w.lock()
	args := append([]any{channel, text, w.engine.channels.space(m.Namespace), node, seq, data}, more...)
	w.batch.Queue(`WITH l AS (INSERT INTO `+w.engine.options.LogTable+` (space, node, seq, message) VALUES ($3, $4, $5, $6)
		ON CONFLICT (node, seq) DO NOTHING RETURNING id)`+then, args...)
	return nil
}

// querier is a connection, or a pool of them.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func (l *logEngine) tail(ctx context.Context, q querier, namespace string) (tail int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	table := l.options.LogTable
	err = q.QueryRow(ctx, `SELECT greatest((SELECT max(id) FROM `+table+` WHERE space = $1), (SELECT id FROM `+table+`_trimmed WHERE space = $1), 0)`,
		l.channels.space(namespace)).Scan(&tail)
	return tail, err
}

// silence is how long a row may take to come, which may be a large one.
const silence = time.Minute

// each calls f with the rows behind a number, up to another one, until f returns false:
// with the message, or why it is none. It fails before that when some have been deleted.
func (l *logEngine) each(ctx context.Context, q querier, namespace string, after, upTo int64, f func(id int64, m *cluster.Message, unreadable error) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	limit := time.AfterFunc(silence, cancel)
	defer limit.Stop()
	table := l.options.LogTable
	rows, err := q.Query(ctx, `SELECT -1, NULL FROM `+table+`_trimmed WHERE space = $1 AND id > $2
		UNION ALL SELECT id, message FROM `+table+` WHERE space = $1 AND id > $2 AND id <= $3 ORDER BY 1`, l.channels.space(namespace), after, upTo)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		limit.Stop()
		var id int64
		var data []byte
		if err := rows.Scan(&id, &data); err != nil {
			return err
		}
		if id < 0 {
			return cluster.ErrTrimmed
		}
		m, err := parseRow(namespace, id, data)
		if err != nil {
			err = fmt.Errorf("the row %d of %s: %w", id, table, err)
		}
		if !f(id, m, err) {
			return nil
		}
		limit.Reset(silence)
	}
	return rows.Err()
}

// parseRow reads a row of a namespace.
func parseRow(namespace string, id int64, data []byte) (*cluster.Message, error) {
	m, err := cluster.ParseMessage(data)
	switch {
	case err != nil:
		return nil, err
	case m.Type != cluster.Broadcast || !m.Keep || m.Native || m.Request != "" || m.Namespace != namespace:
		return nil, fmt.Errorf("%w: it is no broadcast in %q", cluster.ErrForeign, namespace)
	}
	m.Offset = strconv.FormatInt(id, 10)
	return m, nil
}

// Tail implements cluster.LogEngine.
func (l *logEngine) Tail(ctx context.Context, namespace string) (string, error) {
	if err := l.connected(ctx); err != nil {
		return "", err
	}
	tail, err := l.tail(ctx, l.pool, namespace)
	if err == nil {
		err = l.ask(ctx, namespace, tail)
	}
	if err != nil {
		return "", fmt.Errorf("postgres: %w", err)
	}
	return strconv.FormatInt(tail, 10), nil
}

// Read implements cluster.LogEngine.
func (l *logEngine) Read(ctx context.Context, namespace, after, upTo string, f func(*cluster.Message) bool) error {
	from, err := number(after)
	if err != nil {
		return err
	}
	to, err := number(upTo)
	if err != nil {
		return err
	}
	var failed error
	err = l.each(ctx, l.pool, namespace, from, to, func(_ int64, m *cluster.Message, unreadable error) bool {
		if unreadable != nil {
			failed = fmt.Errorf("%w: %w", cluster.ErrUnreadable, unreadable)
			return false
		}
		return f(m)
	})
	if err = cmp.Or(err, failed); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}

// Compare implements cluster.LogEngine.
func (l *logEngine) Compare(a, b string) (int, error) {
	x, err := number(a)
	if err != nil {
		return 0, err
	}
	y, err := number(b)
	return cmp.Compare(x, y), err
}

// number returns the number that a text is.
func number(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != text {
		return 0, fmt.Errorf("%.40q is no number of a row", text)
	}
	return n, nil
}

var (
	_ cluster.LogEngine   = (*logEngine)(nil)
	_ cluster.MixedEngine = (*logEngine)(nil)
)
