package dev

import (
	"bytes"
	"regexp"
	"strings"
	"sync"
)

// tailSize is how much of an app's output is remembered, in bytes.
const tailSize = 16 << 10

// A tail remembers the end of what is written to it. Safe for concurrent use.
type tail struct {
	mu  sync.Mutex
	buf []byte // guarded by mu
}

// Write implements io.Writer and never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if excess := len(t.buf) - tailSize; excess > 0 {
		t.buf = bytes.Clone(t.buf[excess:])
	}
	return len(p), nil
}

// String is the remembered text from the start of a line, without the escape
// sequences that colour a terminal.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := t.buf
	if len(text) == tailSize {
		if _, rest, ok := bytes.Cut(text, []byte("\n")); ok {
			text = rest
		}
	}
	return strings.TrimSpace(string(escapes.ReplaceAll(text, nil)))
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;?]*[ -/]*[@-~]")
