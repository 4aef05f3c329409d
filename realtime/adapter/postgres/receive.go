package postgres

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster/wire"
)

// maxAttachment is how many bytes an attachment may have that is fetched.
const maxAttachment = 256 << 20

// attached begins a notification between nodes of this package whose message is in
// the table; other messages are in base64.
const attached = ":"

// header is a notification whose message is in the table, as Node's adapter has
// it. The members from NSP on are those of this package.
type header struct {
	UID          string          `json:"uid"`
	Type         int             `json:"type"`
	AttachmentID json.RawMessage `json:"attachmentId,omitempty"` // a number, or a text with one
	NSP          string          `json:"nsp,omitempty"`
	Rooms        *[]string       `json:"rooms,omitempty"` // of a broadcast
}

// take takes a notification. It is called by the listener, and fails when this one must
// come again: then it has to connect again.
func (e *engine) take(n *pgconn.Notification) (err error) {
	c := e.listener.channel(n.Channel)
	if c == nil {
		return nil
	}
	var refused error
	switch {
	case c.namespace == "" && e.log != nil && strings.HasPrefix(n.Payload, askMark):
		err = e.log.answer(n.Payload)
	case c.namespace == "":
		refused = e.takeNative(n.Payload)
	case e.log != nil:
		refused, err = e.log.take(c.namespace, []byte(n.Payload))
	default:
		refused = e.takeShared(c.namespace, []byte(n.Payload), "")
	}
	if refused != nil && e.listener.ctx.Err() == nil {
		e.receiver.Refuse(fmt.Errorf("postgres: %w", refused))
	}
	return err
}

func (e *engine) takeNative(payload string) (err error) {
	var data []byte
	if id, is := strings.CutPrefix(payload, attached); is {
		data, err = e.fetch(strings.TrimRight(id, " "))
	} else {
		data, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(payload, " "))
	}
	if err != nil {
		return err
	}
	m, err := cluster.ParseMessage(data)
	if err != nil {
		return err
	}
	e.receiver.Receive(m)
	return nil
}

// takeShared takes a message in Node's form, which stands in the log where offset
// says, if it is not "". What is for a room that nobody here is in is not even
// decoded.
func (e *engine) takeShared(namespace string, payload []byte, offset string) error {
	if offset == "" && bytes.HasPrefix(payload, []byte(`{"uid":"`+e.node+`"`)) {
		return nil // its own
	}
	if rooms, ok := wire.Rooms(payload); ok && !e.receiver.Interested(namespace, rooms...) {
		e.pass(namespace, offset)
		return nil
	}
	if bytes.Contains(payload, []byte(`"attachmentId":`)) {
		var h header
		if err := json.Unmarshal(payload, &h); err != nil {
			return err
		}
		if len(h.AttachmentID) > 0 {
			return e.takeAttached(namespace, h, offset)
		}
	}
	return e.receive(namespace, payload, offset)
}

func (e *engine) takeAttached(namespace string, h header, offset string) error {
	switch {
	case offset == "" && h.UID == e.node:
		return nil
	case h.Rooms != nil && !e.receiver.Interested(namespace, *h.Rooms...):
		e.pass(namespace, offset)
		return nil
	}
	data, err := e.fetch(strings.Trim(string(h.AttachmentID), `"`))
	if err != nil {
		return err
	}
	return e.receive(namespace, data, offset)
}

// receive gives a message to the node.
func (e *engine) receive(namespace string, data []byte, offset string) error {
	m, err := wire.DecodeIn(namespace, data, e.codec)
	if err != nil {
		return err
	}
	m.Offset = offset
	m.Keep = m.Keep && offset != ""
	e.receiver.Receive(m)
	return nil
}

// pass tells the node that it has read something in the log that does not concern
// it.
func (e *engine) pass(namespace, offset string) {
	if offset != "" {
		e.receiver.Receive(&cluster.Message{Type: cluster.Heartbeat, Namespace: namespace, Offset: offset, Skipped: true})
	}
}

// fetch returns an attachment. It uses the pool: a connection does not outlive a question
// that is not answered in time, and with the listener's all would be lost that is notified
// until there is another.
func (e *engine) fetch(id string) (data []byte, err error) {
	number, err := number(id)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(e.listener.ctx, patience)
	defer cancel()
	err = e.pool.QueryRow(ctx, "SELECT payload FROM "+e.options.TableName+" WHERE id = $1 AND octet_length(payload) <= $2", number, maxAttachment).Scan(&data)
	if errors.Is(err, pgx.ErrNoRows) {
		err = fmt.Errorf("the attachment %d is not in the table %s; it was deleted, or is too large", number, e.options.TableName)
	}
	return data, err
}
