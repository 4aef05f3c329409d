package realtime

import (
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
func (v *values) Value(key string) any {
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

// replace makes m what is kept.
func (v *values) replace(m map[string]any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.m = m
}

// ValueOf returns the value of type T that was kept under the key with a
// [Socket], a [Namespace] or a [RemoteSocket], and whether there is one.
func ValueOf[T any](holder interface{ Value(key string) any }, key string) (T, bool) {
	value, ok := holder.Value(key).(T)
	return value, ok
}
