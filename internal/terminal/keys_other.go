//go:build !windows && !linux && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package terminal

import (
	"context"
	"os"
)

type state struct{}

func single(*os.File) (*state, error) { return nil, ErrNotTerminal }

func (s *state) restore(*os.File) {}

func readKey(*os.File) (byte, bool, error) { return 0, false, ErrNotTerminal }

func (k *Keys) resume(context.Context) (stop func()) { return func() {} }
