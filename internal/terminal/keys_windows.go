package terminal

import (
	"context"
	"os"
	"unsafe"

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
	// What waits may as well be a key that was let go, the mouse or the window, which
	// a Read would pass over to wait for the next key.
	var r record
	var n uint32
	done, _, err := readConsoleInput.Call(file.Fd(), uintptr(unsafe.Pointer(&r)), 1, uintptr(unsafe.Pointer(&n)))
	if done == 0 {
		return 0, false, err
	}
	const keyEvent = 1
	return byte(r.char), n == 1 && r.kind == keyEvent && r.down != 0 && 0 < r.char && r.char < 0x80, nil
}

var readConsoleInput = windows.NewLazySystemDLL("kernel32.dll").NewProc("ReadConsoleInputW")

// A record is Windows' INPUT_RECORD with a KEY_EVENT_RECORD in it.
type record struct {
	kind    uint16
	_       uint16
	down    int32
	repeat  uint16
	key     uint16
	scan    uint16
	char    uint16 // UTF-16
	control uint32
}

// Escapes has the console understand the escape sequences of colours, and reports
// whether it does.
func Escapes(file *os.File) bool {
	var mode uint32
	console := windows.Handle(file.Fd())
	return windows.GetConsoleMode(console, &mode) == nil &&
		windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}

// resume has nothing to do: no shell stops a program here.
func (k *Keys) resume(context.Context) (stop func()) { return func() {} }
