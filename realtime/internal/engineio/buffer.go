package engineio

import "sync"

// buffers for a message that is read or a body that is written.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 2<<10); return &b }}

// maxPooled is the capacity in bytes above which a buffer is not kept.
const maxPooled = 64 << 10

// buffer is what a message is read into. A connection that waits for one has
// none yet.
type buffer struct{ from *[]byte }

// take returns the memory, which may be appended to.
func (b *buffer) take() []byte {
	if b.from == nil {
		b.from = buffers.Get().(*[]byte)
	}
	return (*b.from)[:0]
}

// release gives the memory back, as what has become of it by appending.
func (b *buffer) release(data []byte) {
	if b.from != nil && cap(data) <= maxPooled {
		*b.from = data[:0]
		buffers.Put(b.from)
	}
}
