package realtime

import (
	"encoding/json"
	"fmt"
	"maps"
	"sync"
)

// values is what a user keeps with a socket or a namespace. The zero value is
// ready.
type values struct {
	mu sync.Mutex // guards m
	m  map[string]any
}

// Set keeps a value under a key, for the lifetime of what it is kept with.
func (v *values) Set(key string, value any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.m == nil {
		v.m = make(map[string]any)
	}
	v.m[key] = value
}

// Value returns the value that Set kept under the key, or nil.
func (v *values) Value(key string) any { return plainValue(v.raw(key)) }

func (v *values) raw(key string) any {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.m[key]
}

// snapshot returns a copy of all.
func (v *values) snapshot() map[string]any {
	v.mu.Lock()
	defer v.mu.Unlock()
	return maps.Clone(v.m)
}

// json returns all as a JSON object. What cannot be marshalled is left out, and
// reported.
func (v *values) json(warn func(key string, err error)) json.RawMessage {
	return jsonOf(v.snapshot(), warn)
}

func jsonOf(all map[string]any, warn func(key string, err error)) json.RawMessage {
	texts := make(map[string]json.RawMessage, len(all))
	for key, value := range all {
		text, err := marshal(value)
		if err != nil {
			warn(key, err)
			continue
		}
		texts[key] = text
	}
	text, _ := json.Marshal(texts) // of valid texts
	return text
}

// marshal is json.Marshal, to which a panic of a value's own method is an error: it is called where nobody else would
// recover from that.
func marshal(value any) (text []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("it panicked: %v", v)
		}
	}()
	return json.Marshal(value)
}

// foreign is a value that another server has told, as JSON.
type foreign json.RawMessage

// MarshalJSON returns what it was told as.
func (f foreign) MarshalJSON() ([]byte, error) { return f, nil }

// valuesOf returns the values in a JSON object.
func valuesOf(text json.RawMessage) map[string]any {
	var texts map[string]json.RawMessage
	if json.Unmarshal(text, &texts) != nil {
		return nil
	}
	all := make(map[string]any, len(texts))
	for key, text := range texts {
		all[key] = foreign(text)
	}
	return all
}

// plainValue returns a value as users see it that do not name its type.
func plainValue(value any) any {
	f, told := value.(foreign)
	if !told {
		return value
	}
	var plain any
	if json.Unmarshal(f, &plain) != nil {
		return nil
	}
	return plain
}

// replace makes m what is kept.
func (v *values) replace(m map[string]any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.m = m
}

// ValueOf returns the value of type T that was kept under the key with a
// [Socket], a [Namespace], a [RemoteSocket] or an [ExpiredSession], and whether
// there is one. A value that comes from another server, or from the one before
// this, is decoded from its JSON.
func ValueOf[T any](holder interface{ Value(key string) any }, key string) (T, bool) {
	if h, able := holder.(interface{ rawValue(key string) any }); able {
		if f, told := h.rawValue(key).(foreign); told {
			var value T
			err := json.Unmarshal(f, &value)
			return value, err == nil
		}
	}
	value, ok := holder.Value(key).(T)
	return value, ok
}

func (s *Socket) rawValue(key string) any       { return s.values.raw(key) }
func (s *RemoteSocket) rawValue(key string) any { return s.values[key] }
