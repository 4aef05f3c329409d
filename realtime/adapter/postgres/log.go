package postgres

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
)

// logEngine is the cluster.LogEngine of one node. The number of a row is the
// offset of its message; rows are numbered, committed and notified in one order,
// because who writes some holds a lock.
type logEngine struct {
	*engine

	mu   sync.Mutex       // guards read
	read map[string]int64 // up to where the node was given the log of each namespace
}

func newLogEngine(e *engine) *logEngine {
	l := &logEngine{engine: e, read: make(map[string]int64)}
	e.log = l
	return l
}

// Shut implements cluster.Engine.
func (l *logEngine) Shut(namespace string) {
	l.engine.Shut(namespace)
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.read, namespace)
}

func (w *writer) lock() {
	if !w.locked {
		w.locked = true
		w.batch.Queue(`SELECT pg_advisory_xact_lock($1)`, lockKey("log", w.engine.options.LogTable))
	}
}

// addKept writes a message into the log, and notifies it with its offset.
func (w *writer) addKept(m *cluster.Message, channel string, text []byte) error {
	data, err := m.AppendBinary(nil)
	if err != nil {
		return err
	}
	w.lock()
	w.batch.Queue(`WITH l AS (INSERT INTO `+w.engine.options.LogTable+` (space, message) VALUES ($2, $3) RETURNING id)
		SELECT pg_notify($1, '`+offsetMark+`' || l.id || '",' || $4::text) FROM l`, channel, w.engine.channels.space(m.Namespace), data, string(text[1:]))
	return nil
}

// addKeptAttached is addKept of what is too large for a notification.
func (w *writer) addKeptAttached(m *cluster.Message, channel string, head, attachment []byte) error {
	data, err := m.AppendBinary(nil)
	if err != nil {
		return err
	}
	w.lock()
	o := w.engine.options
	w.batch.Queue(`WITH l AS (INSERT INTO `+o.LogTable+` (space, message) VALUES ($2, $3) RETURNING id),
		a AS (INSERT INTO `+o.TableName+` (payload) VALUES ($5) RETURNING id)
		SELECT pg_notify($1, '`+offsetMark+`' || l.id || '","attachmentId":"' || a.id || '",' || $4::text) FROM l, a`,
		channel, w.engine.channels.space(m.Namespace), data, string(head[1:]), attachment)
	return nil
}

// offsetMark begins a notification of a message that stands in the log.
const offsetMark = `{"offset":"`

// take takes a notification in a namespace.
func (l *logEngine) take(conn *pgx.Conn, namespace string, payload []byte) error {
	offset := offsetOf(payload)
	if offset == "" {
		return l.takeShared(conn, namespace, payload, "")
	}
	n, err := number(offset)
	if err != nil {
		return err
	}
	l.mu.Lock()
	read, open := l.read[namespace]
	if open && n > read {
		l.read[namespace] = n
	}
	l.mu.Unlock()
	if !open || n <= read {
		return nil
	}
	err = l.takeShared(conn, namespace, payload, offset)
	if err == nil {
		return nil
	}
	// The attachment is gone, for example. The log has the message, too.
	_, e := l.rows(l.listener.ctx, conn, namespace, n-1, n, l.receiver.Receive)
	return e
}

// offsetOf returns the offset of a message that stands in the log, or "".
func offsetOf(payload []byte) string {
	rest, is := bytes.CutPrefix(payload, []byte(offsetMark))
	end := bytes.IndexByte(rest, '"')
	if !is || end < 1 {
		return ""
	}
	return string(rest[:end])
}

// heard is called when the node listens to a namespace, for the first time or
// again: then it is given what it has missed.
func (l *logEngine) heard(ctx context.Context, conn *pgx.Conn, namespace string) error {
	tail, err := l.tail(ctx, conn, namespace)
	if err != nil {
		return err
	}
	l.mu.Lock()
	read, before := l.read[namespace]
	if !before {
		l.read[namespace] = tail
	}
	l.mu.Unlock()
	switch {
	case !before || read == tail:
		return nil
	case tail < read:
		// The database has forgotten what nodes have read already.
		if err := l.skip(ctx, conn, namespace, read); err != nil {
			return err
		}
		l.receiver.Lost(namespace)
		return nil
	}
	last, err := l.rows(ctx, conn, namespace, read, tail, l.receiver.Receive)
	if errors.Is(err, cluster.ErrTrimmed) {
		l.receiver.Lost(namespace)
		last, err = tail, nil
	}
	l.mu.Lock()
	l.read[namespace] = max(l.read[namespace], last)
	l.mu.Unlock()
	return err
}

// skip has the numbers of a log that was lost go on behind what was read of it.
func (l *logEngine) skip(ctx context.Context, conn *pgx.Conn, namespace string, read int64) error {
	o := l.options
	_, err := conn.Exec(ctx, `WITH m AS (INSERT INTO `+o.LogTable+`_trimmed (space, id) VALUES ($1, $2) ON CONFLICT (space) DO UPDATE SET id = greatest(`+
		bare(o.LogTable)+`_trimmed.id, excluded.id))
		SELECT setval(pg_get_serial_sequence($3, 'id'), greatest($2, nextval(pg_get_serial_sequence($3, 'id'))))`,
		l.channels.space(namespace), read, o.LogTable)
	return err
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

// rows calls f with the messages behind a number, up to another one, and returns
// the last number. It fails before that when some have been deleted.
func (l *logEngine) rows(ctx context.Context, q querier, namespace string, after, upTo int64, f func(*cluster.Message)) (last int64, err error) {
	last = after
	err = l.each(ctx, q, namespace, after, upTo, func(m *cluster.Message, id int64) bool {
		last = id
		f(m)
		return true
	})
	return last, err
}

func (l *logEngine) each(ctx context.Context, q querier, namespace string, after, upTo int64, f func(*cluster.Message, int64) bool) error {
	table := l.options.LogTable
	rows, err := q.Query(ctx, `SELECT -1, NULL FROM `+table+`_trimmed WHERE space = $1 AND id > $2
		UNION ALL SELECT id, message FROM `+table+` WHERE space = $1 AND id > $2 AND id <= $3 ORDER BY 1`, l.channels.space(namespace), after, upTo)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var data []byte
		if err := rows.Scan(&id, &data); err != nil {
			return err
		}
		if id < 0 {
			return cluster.ErrTrimmed
		}
		m, err := cluster.ParseMessage(data)
		if err != nil {
			return fmt.Errorf("the row %d of %s: %w", id, table, err)
		}
		m.Offset = strconv.FormatInt(id, 10)
		if !f(m, id) {
			return nil
		}
	}
	return rows.Err()
}

// Tail implements cluster.LogEngine.
func (l *logEngine) Tail(ctx context.Context, namespace string) (string, error) {
	if err := l.connected(ctx); err != nil {
		return "", err
	}
	tail, err := l.tail(ctx, l.pool, namespace)
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
	if err := l.each(ctx, l.pool, namespace, from, to, func(m *cluster.Message, _ int64) bool { return f(m) }); err != nil {
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
