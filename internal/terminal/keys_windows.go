package terminal

import (
	"context"
	"os"

	"golang.org/x/sys/windows"
)

type state uint32

// single has the console deliver single keys, without echo, and returns what it
// was before.
func single(file *os.File) (*state, error) {
	var before uint32
	if err := windows.GetConsoleMode(windows.Handle(file.Fd()), &before); err != nil {
		return nil, ErrNotTerminal
	}
	after := before &^ (windows.ENABLE_LINE_INPUT | windows.ENABLE_ECHO_INPUT)
	if err := windows.SetConsoleMode(windows.Handle(file.Fd()), after); err != nil {
		return nil, err
	}
	s := state(before)
	return &s, nil
}

func (s *state) restore(file *os.File) {
	_ = windows.SetConsoleMode(windows.Handle(file.Fd()), uint32(*s))
}

// readKey waits a moment for a key.
func readKey(file *os.File) (key byte, ok bool, err error) {
	event, err := windows.WaitForSingleObject(windows.Handle(file.Fd()), 200)
	if err != nil || event != windows.WAIT_OBJECT_0 {
		return 0, false, err
	}
	// The input may be of the mouse or the window, for which Read would wait.
	var buf [1]byte
	n, err := file.Read(buf[:])
	return buf[0], n == 1, err
}

// resume has nothing to do: no shell stops a program here.
func (k *Keys) resume(context.Context) (stop func()) { return func() {} }
