package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"syscall"
	"time"
)

// This file lets clients of Socket.IO resume across the restarts of development. The development server connects each
// process with the one after it by a pipe: ZOCALO_PREDECESSOR names the file descriptor to read from, ZOCALO_SUCCESSOR
// the one to write to. A pipe is nobody else's, and ends when its process does.

// A sessionKeeper is a mounted handler whose clients can resume at the one of the next process; realtime.Server is one.
type sessionKeeper interface {
	shutdowner
	Recovers() bool
	SaveSessions(io.Writer) error
	LoadSessions(io.Reader) error
}

const (
	// handoverTime is how long a process waits for its predecessor's last word before it serves. The development server
	// ends one that takes longer.
	handoverTime = 10 * time.Second
	// handoverLimit is how much of it is read, in bytes.
	handoverLimit = 256 << 20
)

// A handover is what a process in development has to do with the ones before and after it.
type handover struct {
	keepers   []sessionKeeper
	successor *os.File // nil when there is none, or nothing to tell it
}

// newHandover takes over from the process before.
func newHandover(mounted []shutdowner) *handover {
	h := &handover{successor: inheritedPipe("ZOCALO_SUCCESSOR")}
	predecessor := inheritedPipe("ZOCALO_PREDECESSOR")
	for _, m := range mounted {
		if k, ok := m.(sessionKeeper); ok && k.Recovers() {
			h.keepers = append(h.keepers, k)
		}
	}
	if predecessor != nil {
		defer predecessor.Close()
		if err := h.load(predecessor); err != nil {
			slog.Warn("clients that come back begin anew", "err", err)
		}
	}
	if len(h.keepers) == 0 && h.successor != nil {
		h.successor.Close() // which need not wait for us
		h.successor = nil
	}
	return h
}

// load reads what the predecessor writes when it stops, an array with the sessions of each of its keepers.
func (h *handover) load(predecessor *os.File) error {
	if len(h.keepers) == 0 {
		return nil
	}
	predecessor.SetReadDeadline(time.Now().Add(handoverTime))
	text, err := io.ReadAll(io.LimitReader(predecessor, handoverLimit))
	if err != nil {
		return fmt.Errorf("app: sessions of the process before: %w", err)
	}
	if len(text) == 0 {
		return nil // it crashed, or kept none
	}
	var saved []json.RawMessage
	if err := json.Unmarshal(text, &saved); err != nil {
		return fmt.Errorf("app: sessions of the process before: %w", err)
	}
	var errs []error
	for i, k := range h.keepers[:min(len(h.keepers), len(saved))] {
		errs = append(errs, k.LoadSessions(bytes.NewReader(saved[i])))
	}
	return errors.Join(errs...)
}

// pass tells the successor, all keepers having been shut down.
func (h *handover) pass(ctx context.Context) error {
	if h.successor == nil {
		return nil
	}
	defer h.successor.Close()
	saved := make([]json.RawMessage, 0, len(h.keepers))
	for _, k := range h.keepers {
		var text bytes.Buffer
		if err := k.SaveSessions(&text); err != nil {
			return fmt.Errorf("app: sessions for the next process: %w", err)
		}
		saved = append(saved, text.Bytes())
	}
	text, err := json.Marshal(saved)
	if err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok {
		h.successor.SetWriteDeadline(deadline)
	}
	if _, err := h.successor.Write(text); err != nil && !errors.Is(err, syscall.EPIPE) { // there is none any more
		return fmt.Errorf("app: sessions for the next process: %w", err)
	}
	return nil
}

// inheritedPipe is the file at the descriptor that a variable names, or nil. The variable is for this process alone.
func inheritedPipe(variable string) *os.File {
	fd, err := strconv.Atoi(os.Getenv(variable))
	if err != nil || fd < 3 {
		return nil
	}
	os.Unsetenv(variable)
	return pipeFile(fd, variable)
}
