package engineio

import (
	"io"
	"sync"
)

// corkSize is how many bytes of small frames leave in one write.
const corkSize = 16 << 10

// cork gathers what is small into one write. What is large is written as it is.
type cork struct {
	w   io.Writer
	buf *[]byte // from corks
}

var corks = sync.Pool{New: func() any { b := make([]byte, 0, corkSize); return &b }}

func newCork(w io.Writer) cork { return cork{w, corks.Get().(*[]byte)} }

// add writes b, or keeps a copy of it for later.
func (c cork) add(b []byte) error {
	if len(*c.buf)+len(b) > cap(*c.buf) {
		if err := c.flush(); err != nil {
			return err
		}
		if len(b) > cap(*c.buf) {
			_, err := c.w.Write(b)
			return err
		}
	}
	*c.buf = append(*c.buf, b...)
	return nil
}

// flush writes what was kept.
func (c cork) flush() error {
	if len(*c.buf) == 0 {
		return nil
	}
	_, err := c.w.Write(*c.buf)
	*c.buf = (*c.buf)[:0]
	return err
}

// release gives the buffer back. The cork must not be used any more.
func (c cork) release() {
	*c.buf = (*c.buf)[:0]
	corks.Put(c.buf)
}
