package redis

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	"github.com/zocalo-go/zocalo/realtime/parser"
	"github.com/zocalo-go/zocalo/realtime/parser/msgpack"
)

// passed returns a message that says no more than that everything up to an offset
// has been received.
func passed(namespace, offset string) *cluster.Message {
	return &cluster.Message{Namespace: namespace, Offset: offset}
}

// end returns the offset of a stream's last entry.
func (e *streams) end(ctx context.Context, c redis.Cmdable, stream string) (string, error) {
	last, err := c.XRevRangeN(ctx, stream, "+", "-", 1).Result()
	switch {
	case err != nil:
		return "", fmt.Errorf("redis: %w", err)
	case len(last) == 0:
		return beginning, nil
	}
	return last[0].ID, nil
}

// Tail implements cluster.LogEngine.
func (e *streams) Tail(ctx context.Context, namespace string) (string, error) {
	t := e.tail(namespace)
	end, err := e.end(ctx, e.client, t.name)
	if err == nil {
		t.tell(namespace, end)
	}
	return end, err
}

// Read implements cluster.LogEngine.
func (e *streams) Read(ctx context.Context, namespace, after, upTo string, f func(*cluster.Message) bool) error {
	stream := e.tail(namespace).name
	for {
		var entries *redis.XMessageSliceCmd
		var info *redis.XInfoStreamCmd
		_, err := e.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
			entries = p.XRangeN(ctx, stream, "("+after, upTo, readCount)
			info = p.XInfoStream(ctx, stream)
			return nil
		})
		switch {
		case err != nil && strings.Contains(err.Error(), "no such key"):
			if after != beginning {
				return cluster.ErrTrimmed
			}
			return nil
		case err != nil:
			return fmt.Errorf("redis: %w", err)
		case !reaches(info.Val(), after):
			return cluster.ErrTrimmed
		}
		for _, entry := range entries.Val() {
			after = entry.ID
			if entry.Values[fieldNamespace] != namespace {
				continue
			}
			m, err := e.parse(entry.Values)
			switch {
			case err != nil && mayBeKept(entry.Values):
				return fmt.Errorf("redis: %w: %w", cluster.ErrUnreadable, err)
			case err != nil:
				continue // it was refused when it came
			}
			m.Offset = entry.ID
			if !f(m) {
				return nil
			}
		}
		if len(entries.Val()) < readCount {
			return nil
		}
	}
}

// mostCopied is how far before an entry the first of two copies may stand: two batches
// of a node's.
const mostCopied = 512

// Before implements cluster.CopyingEngine: a node that loses its connection does not
// know what Redis has taken.
func (e *streams) Before(ctx context.Context, namespace, offset string, f func(node string, seq uint64)) error {
	entries, err := e.client.XRevRangeN(ctx, e.tail(namespace).name, offset, "-", mostCopied).Result()
	if err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	for _, entry := range entries {
		node, _ := entry.Values[fieldNode].(string)
		text, _ := entry.Values[fieldSeq].(string)
		if seq, err := strconv.ParseUint(text, 10, 64); err == nil && entry.Values[fieldNamespace] == namespace {
			f(node, seq)
		}
	}
	return nil
}

// Compare implements cluster.LogEngine.
func (e *streams) Compare(a, b string) (int, error) { return compareIDs(a, b) }

// compareIDs compares two IDs of entries.
func compareIDs(a, b string) (int, error) {
	ms, seq, err := splitID(a)
	if err != nil {
		return 0, err
	}
	ms2, seq2, err := splitID(b)
	return cmp.Or(cmp.Compare(ms, ms2), cmp.Compare(seq, seq2)), err
}

func splitID(id string) (ms, seq uint64, err error) {
	left, right, _ := strings.Cut(id, "-")
	ms, err = strconv.ParseUint(left, 10, 64)
	if err == nil {
		seq, err = strconv.ParseUint(right, 10, 64)
	}
	if err != nil {
		err = fmt.Errorf("redis: %q is no offset of a stream", id)
	}
	return ms, seq, err
}

// Save implements cluster.LogEngine. Sessions have the form of Node's.
func (e *streams) Save(ctx context.Context, records []cluster.Record) error {
	if len(records) == 0 {
		return nil
	}
	p := e.client.Pipeline()
	for _, r := range records {
		var text string
		if r.Value != nil {
			packed, err := msgpack.Marshal(parser.Raw{Data: r.Value})
			if err != nil {
				return fmt.Errorf("redis: %w", err)
			}
			text = base64.StdEncoding.EncodeToString(packed)
		}
		p.Eval(ctx, saving, e.recordKeys(r.Key), r.Term, cluster.KeepTerm.Milliseconds(), text, r.Keep.Milliseconds())
	}
	if _, err := p.Exec(ctx); err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	return nil
}

// recordKeys returns the keys of a record and of its Term, which one server of a Redis
// Cluster has: that of the Term ends with what the first is hashed by.
func (e *streams) recordKeys(key string) []string {
	prefix := e.options.SessionPrefix
	if _, after, tagged := strings.Cut(prefix, "{"); tagged && strings.IndexByte(after, '}') > 0 {
		return []string{prefix + key, prefix + key + ":term"}
	}
	return []string{prefix + key, "{" + prefix + key + "}:term"}
}

// saving is Save as a script: one step, so that nobody takes the record meanwhile.
const saving = `
local term, keepTerm, value, keep = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if tonumber(redis.call('GET', KEYS[2]) or 0) > tonumber(term) then
	return 0
end
if tonumber(term) > 0 then
	redis.call('SET', KEYS[2], term, 'PX', keepTerm)
end
if value == '' then
	redis.call('DEL', KEYS[1])
else
	redis.call('SET', KEYS[1], value, 'PX', keep)
end
return 1`

// taking is Take as a script.
const taking = `
local of, keepTerm = tonumber(ARGV[1]), ARGV[2]
local term = tonumber(redis.call('GET', KEYS[2]) or 0)
if of >= 0 and of ~= term then
	return {term}
end
local value = redis.call('GETDEL', KEYS[1])
if not value then
	return {term}
end
redis.call('SET', KEYS[2], term + 1, 'PX', keepTerm)
return {term + 1, value}`

// Load implements cluster.LogEngine.
func (e *streams) Load(ctx context.Context, key string) ([]byte, error) {
	text, err := e.client.Get(ctx, e.options.SessionPrefix+key).Result()
	switch {
	case errors.Is(err, redis.Nil):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("redis: %w", err)
	}
	return unpack(text)
}

// Take implements cluster.LogEngine.
func (e *streams) Take(ctx context.Context, key string, of int64) (value []byte, term int64, err error) {
	got, err := e.client.Eval(ctx, taking, e.recordKeys(key), of, cluster.KeepTerm.Milliseconds()).Slice()
	if err != nil {
		return nil, 0, fmt.Errorf("redis: %w", err)
	}
	term, _ = got[0].(int64)
	if len(got) == 1 {
		return nil, term, nil
	}
	text, _ := got[1].(string)
	value, err = unpack(text)
	return value, term, err
}

// unpack reads what Save, or Node, has written.
func unpack(text string) ([]byte, error) {
	packed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("redis: a session is no base64: %w", err)
	}
	var value json.RawMessage
	if err := msgpack.Codec.Unmarshal(packed, nil, &value); err != nil {
		return nil, fmt.Errorf("redis: a session: %w", err)
	}
	return value, nil
}

// sent remembers what this node has put into a stream, until it comes back from
// there: it needs no decoding then.
type sent struct {
	mu       sync.Mutex // guards the rest
	messages map[uint64]*cluster.Message
	first    uint64 // the smallest Seq that may be there
}

// mostSent is how many messages are remembered.
const mostSent = 4096

func (s *sent) add(m *cluster.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.messages == nil {
		s.messages = make(map[uint64]*cluster.Message)
		s.first = m.Seq
	}
	s.messages[m.Seq] = m
	for len(s.messages) > mostSent {
		delete(s.messages, s.first)
		s.first++
	}
}

// get returns a message that has come back, and may once more.
func (s *sent) take(seq uint64) *cluster.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.messages[seq]
	delete(s.messages, seq)
	return m
}
