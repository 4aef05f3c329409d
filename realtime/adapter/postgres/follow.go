package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
)

// A node is given the log by notifications, each with a message and its number. It reads
// the log itself behind a notification that it cannot take, when it was not connected, and
// when somebody knows of more than it was given.

// offsetMark begins a notification of a message that stands in the log.
const offsetMark = `{"offset":"`

// position returns up to where the node was given the log of a namespace that is open.
func (l *logEngine) position(namespace string) (read int64, open bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	read, open = l.read[namespace]
	return read, open
}

// advance notes that the node was given the log up to a number. It is called by the
// listener.
func (l *logEngine) advance(namespace string, to int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if read, open := l.read[namespace]; open && read < to {
		l.read[namespace] = to
	}
}

// take takes a notification in a namespace. It returns why it is refused, and fails when
// the log, which has the message, cannot be read now.
func (l *logEngine) take(namespace string, payload []byte) (refused, err error) {
	offset := offsetOf(payload)
	if offset == "" {
		return l.takeShared(namespace, payload, ""), nil
	}
	n, refused := number(offset)
	if refused != nil {
		return refused, nil
	}
	if read, open := l.position(namespace); !open || n <= read {
		return nil, nil
	}
	switch there, err := l.reaches(n); {
	case err != nil:
		return nil, err
	case !there:
		return fmt.Errorf("the log has no row %d yet", n), nil
	}
	if refused = l.takeShared(namespace, payload, offset); refused == nil {
		l.advance(namespace, n)
		return nil, nil
	}
	// The attachment is gone, for example. The log has the message, too.
	err = l.catchUp(l.listener.ctx, l.pool, namespace, n)
	if read, _ := l.position(namespace); err != nil || n <= read {
		return nil, err
	}
	return refused, nil // there is no such row
}

// reaches reports whether the log reaches a number: anybody can notify any, and a node
// that believed in a large one would take what comes next for something it has read.
// Numbers follow each other, so that the log is asked about few: it has told of those of
// namespaces that this node does not have.
func (l *logEngine) reaches(n int64) (bool, error) {
	if n > l.top+1 {
		ctx, cancel := context.WithTimeout(l.listener.ctx, patience)
		defer cancel()
		table := l.options.LogTable
		sql := `SELECT greatest((SELECT max(id) FROM ` + table + `), (SELECT max(id) FROM ` + table + `_trimmed), 0)`
		err := l.pool.QueryRow(ctx, sql).Scan(&l.top)
		return n <= l.top, err
	}
	l.top = max(l.top, n)
	return true, nil
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
	return l.catchUp(ctx, conn, namespace, tail)
}

// catchUp gives the node what stands in the log of a namespace behind what it was given,
// up to a number. What it cannot be given its clients are told of: see Receiver.Lost. It
// is called by the listener.
func (l *logEngine) catchUp(ctx context.Context, q querier, namespace string, upTo int64) error {
	read, open := l.position(namespace)
	if !open || upTo <= read {
		return nil
	}
	pass := func(id int64) {
		l.advance(namespace, id)
		l.receiver.Receive(&cluster.Message{Namespace: namespace, Offset: strconv.FormatInt(id, 10)})
	}
	lost := false // and nothing was given since
	err := l.each(ctx, q, namespace, read, upTo, func(id int64, m *cluster.Message, unreadable error) bool {
		if unreadable == nil {
			lost = false
			l.advance(namespace, id)
			l.receiver.Receive(m)
			return true
		}
		if !lost {
			lost = true
			l.receiver.Refuse(fmt.Errorf("postgres: %w", unreadable))
			l.receiver.Lost(namespace)
		}
		pass(id)
		return true
	})
	if !errors.Is(err, cluster.ErrTrimmed) {
		return err
	}
	tail, err := l.tail(ctx, q, namespace)
	if err != nil {
		return err
	}
	l.receiver.Lost(namespace)
	pass(min(tail, upTo))
	return nil
}

// skip has the numbers of a log that was lost go on behind what was read of it.
func (l *logEngine) skip(ctx context.Context, conn *pgx.Conn, namespace string, read int64) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	o := l.options
	_, err := conn.Exec(ctx, `WITH m AS (INSERT INTO `+o.LogTable+`_trimmed (space, id) VALUES ($1, $2) ON CONFLICT (space) DO UPDATE SET id = greatest(`+
		bare(o.LogTable)+`_trimmed.id, excluded.id))
		SELECT setval(pg_get_serial_sequence($3, 'id'), greatest($2, nextval(pg_get_serial_sequence($3, 'id'))))`,
		l.channels.space(namespace), read, o.LogTable)
	return err
}

// askMark begins a notification of a node to itself: when it comes so has everything that
// was notified before, and what stands in the log up to a number all the same, without
// having come, must be read there.
const askMark = "?"

// ask has the node be given the log of a namespace up to a number.
func (l *logEngine) ask(ctx context.Context, namespace string, upTo int64) error {
	l.mu.Lock()
	read, open := l.read[namespace]
	due := open && read < upTo && l.asked[namespace] < upTo
	l.mu.Unlock()
	if !due {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	payload := askMark + strconv.FormatInt(upTo, 10) + " " + l.channels.namespace(namespace)
	if _, err := l.pool.Exec(ctx, `SELECT pg_notify($1, $2)`, l.channels.node(l.node), payload); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, open := l.read[namespace]; open {
		l.asked[namespace] = max(l.asked[namespace], upTo)
	}
	return nil
}

// answer takes what ask has notified.
func (l *logEngine) answer(payload string) error {
	text, name, _ := strings.Cut(strings.TrimPrefix(payload, askMark), " ")
	upTo, err := number(text)
	c := l.listener.channel(name)
	if err != nil || c == nil || c.namespace == "" {
		return nil // somebody else has notified it
	}
	return l.catchUp(l.listener.ctx, l.pool, c.namespace, upTo)
}
