package redis

import (
	"errors"
	"testing"
	"testing/synctest"
)

// A listener that has nothing to listen to any more keeps nobody from speaking, also when
// its server went away before.
func TestListenerLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListener(nil, nil, nil)
		if err := l.heard(t.Context()); err != nil {
			t.Errorf("at first: %v", err)
		}
		l.begin(shard, nil, "room")
		if err := l.heard(t.Context()); !errors.Is(err, errDeaf) {
			t.Errorf("without a connection: %v", err)
		}
		l.down(errMoved)
		l.remove("room")
		if err := l.heard(t.Context()); err != nil {
			t.Errorf("when the room was left: %v", err)
		}
		l.begin(shard, nil, "room")
		if err := l.heard(t.Context()); !errors.Is(err, errDeaf) {
			t.Errorf("when there is one again: %v", err)
		}
	})
}
