//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package terminal

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

type state unix.Termios

// wait is how long one read waits for a key, in tenths of a second: so often is
// looked whether it is over.
const wait = 2

// single has the terminal deliver single keys, without echo, and returns what it
// was before.
func single(file *os.File) (*state, error) {
	fd := int(file.Fd())
	before, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, ErrNotTerminal
	}
	// Who is in the background is stopped when he touches the terminal.
	if group, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP); err != nil || group != unix.Getpgrp() {
		return nil, ErrNotTerminal
	}
	after := *before
	after.Lflag &^= unix.ICANON | unix.ECHO
	after.Cc[unix.VMIN], after.Cc[unix.VTIME] = 0, wait
	if err := unix.IoctlSetTermios(fd, setTermios, &after); err != nil {
		return nil, err
	}
	return (*state)(before), nil
}

func (s *state) restore(file *os.File) {
	fd := int(file.Fd())
	if group, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP); err == nil && group != unix.Getpgrp() {
		return // it is another's now, and so is how it is set
	}
	_ = unix.IoctlSetTermios(fd, setTermios, (*unix.Termios)(s))
}

// readKey waits a moment for a key.
func readKey(file *os.File) (key byte, ok bool, err error) {
	var buf [1]byte
	begin := time.Now()
	n, err := unix.Read(int(file.Fd()), buf[:])
	switch {
	case errors.Is(err, unix.EINTR) || errors.Is(err, unix.EAGAIN):
		return 0, false, nil
	case err != nil:
		return 0, false, err
	case n == 0 && time.Since(begin) < 10*time.Millisecond: // the terminal has gone
		return 0, false, io.EOF
	}
	return buf[0], n == 1, nil
}

// resume listens again whenever the program goes on after Ctrl-Z, until the result
// is called.
func (k *Keys) resume(ctx context.Context) (stop func()) {
	resumed := make(chan os.Signal, 1)
	signal.Notify(resumed, syscall.SIGCONT)
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ctx.Done():
				return
			case <-resumed:
				k.again()
			}
		}
	}()
	return func() {
		signal.Stop(resumed)
		cancel()
		<-done
	}
}
