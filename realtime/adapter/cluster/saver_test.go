package cluster

import (
	"testing"
	"time"
)

// Who waits for a change that is not to be saved after all, because another node has
// taken over the session, waits no longer than for one that is.
func TestSaverDropped(t *testing.T) {
	atTables(t, 1, func(t *testing.T, _ *Hub, tables []*table) {
		c := tables[0].chronicle
		c.Flush(t.Context())
		c.saver.mark("pid")
		time.AfterFunc(saveDelay/2, func() { c.saver.drop("pid") })
		begun := time.Now()
		if err := c.Flush(t.Context()); err != nil || time.Since(begun) > saveDelay {
			t.Errorf("it has waited %v, error %v", time.Since(begun), err)
		}
	})
}
