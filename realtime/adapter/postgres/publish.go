package postgres

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster/wire"
)

// Publish implements cluster.Engine. A batch is one transaction. A node that does not
// hear the others says nothing: they would answer what it does not hear.
func (e *engine) Publish(ctx context.Context, batch []*cluster.Message) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-e.listener.listening():
	case <-ctx.Done():
		return 0, fmt.Errorf("postgres: not connected: %w", context.Cause(ctx))
	}
	w := writer{engine: e, seen: make(map[string]bool)}
	var unfit error
	n := 0
	for ; n < len(batch); n++ {
		if err := w.add(batch[n]); err != nil {
			unfit = fmt.Errorf("postgres: a message cannot be written: %w: %w", err, cluster.ErrUnfit)
			break
		}
	}
	if n == 0 {
		return 0, unfit
	}
	if err := e.pool.SendBatch(ctx, &w.batch).Close(); err != nil {
		return 0, fmt.Errorf("postgres: %w", err)
	}
	return n, unfit
}

// writer makes the statements of a batch.
type writer struct {
	engine *engine
	batch  pgx.Batch
	seen   map[string]bool
	locked bool
}

func (w *writer) add(m *cluster.Message) error {
	if m.Native {
		return w.addNative(m)
	}
	return w.addShared(m)
}

func (w *writer) addNative(m *cluster.Message) error {
	data, err := m.AppendBinary(nil)
	if err != nil {
		return err
	}
	channel := w.engine.channels.nodes()
	if m.To != "" {
		channel = w.engine.channels.node(m.To)
	}
	if base64.RawStdEncoding.EncodedLen(len(data)) < w.threshold() {
		w.notify(channel, []byte(base64.RawStdEncoding.EncodeToString(data)))
		return nil
	}
	w.batch.Queue(`WITH a AS (INSERT INTO `+w.engine.options.TableName+` (payload) VALUES ($2) RETURNING id)
		SELECT pg_notify($1, '`+attached+`' || a.id) FROM a`, channel, data)
	return nil
}

// threshold leaves room for what is added to a message.
func (w *writer) threshold() int { return w.engine.options.PayloadThreshold - 200 }

// notify sends a text. PostgreSQL drops what is the same twice in a transaction,
// but for the spaces at its end, which mean nothing.
func (w *writer) notify(channel string, payload []byte) {
	for w.seen[channel+"\x00"+string(payload)] && len(payload) < maxPayload-1 {
		payload = append(payload, ' ')
	}
	w.seen[channel+"\x00"+string(payload)] = true
	w.batch.Queue(`SELECT pg_notify($1, $2)`, channel, string(payload))
}

func (w *writer) addShared(m *cluster.Message) error {
	e := w.engine
	text, binary, err := wire.Encode(m, e.codec)
	if err != nil {
		return err
	}
	channel := e.channels.namespace(m.Namespace)
	kept := e.log != nil && m.Keep && m.Type == cluster.Broadcast
	if !binary {
		text = bytes.ToValidUTF8(text, []byte("\uFFFD")) // which is all that PostgreSQL takes
		if len(text) < w.threshold() {
			if kept {
				return w.addKept(m, channel, text)
			}
			w.notify(channel, text)
			return nil
		}
		if text, err = wire.EncodeMsgpack(m, e.codec); err != nil {
			return err
		}
	}
	head, err := w.header(m)
	if err != nil {
		return err
	}
	if kept {
		return w.addKeptAttached(m, channel, head, text)
	}
	w.batch.Queue(`WITH a AS (INSERT INTO `+e.options.TableName+` (payload) VALUES ($2) RETURNING id)
		SELECT pg_notify($1, '{"attachmentId":"' || a.id || '",' || $3::text) FROM a`, channel, text, string(head[1:]))
	return nil
}

// header returns what is notified of a message in the table.
func (w *writer) header(m *cluster.Message) ([]byte, error) {
	h := header{UID: m.Node, Type: int(m.Type), NSP: m.Namespace}
	const most = 2000 // bytes of names
	if m.Type == cluster.Broadcast && m.Request == "" {
		rooms := m.Target.Rooms
		if m.Target.Socket != "" {
			rooms = []string{m.Target.Socket}
		}
		if size, _ := json.Marshal(rooms); rooms != nil && len(size) < most {
			h.Rooms = &rooms
		}
	}
	if len(h.NSP) > most {
		h.NSP = ""
	}
	return json.Marshal(h)
}
