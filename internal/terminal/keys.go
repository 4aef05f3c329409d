package terminal

import (
	"context"
	"errors"
	"os"
	"sync"
)

// ErrNotTerminal says that there is nobody who could press a key: the input is a
// file or a pipe, or the program runs in the background.
var ErrNotTerminal = errors.New("terminal: the input is no terminal in the foreground")

// Keys are single keys of a terminal.
type Keys struct {
	file *os.File

	mu    sync.Mutex
	state *state // to go back to; nil when that is done; guarded by mu
}

// Listen makes a terminal deliver single keys. It returns [ErrNotTerminal] when
// there is none.
func Listen(file *os.File) (*Keys, error) {
	before, err := single(file)
	if err != nil {
		return nil, err
	}
	return &Keys{file: file, state: before}, nil
}

// Watch calls pressed with each key, one at a time, until ctx ends. It restores
// the terminal as soon as that happens, before it returns: a second Ctrl-C ends
// the program at once.
func (k *Keys) Watch(ctx context.Context, pressed func(key byte)) {
	defer k.Restore()
	defer context.AfterFunc(ctx, k.Restore)()
	defer k.resume(ctx)()
	for ctx.Err() == nil {
		key, ok, err := readKey(k.file)
		if err != nil {
			return
		}
		if ok && ctx.Err() == nil {
			pressed(key)
		}
	}
}

// Restore puts the terminal back as it was. It may be called again, and from any
// goroutine, also of a program that is about to crash.
func (k *Keys) Restore() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.state != nil {
		k.state.restore(k.file)
		k.state = nil
	}
}

// again listens again after the program was stopped, and the shell had the
// terminal.
func (k *Keys) again() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.state != nil {
		_, _ = single(k.file)
	}
}
