package presence

import (
	"testing"
	"testing/synctest"

	"github.com/zocalo-go/zocalo/realtime"
)

// A server that stops waits for what is being told.
func TestShutdownWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := realtime.NewServer(realtime.Config{})
		told := make(chan struct{})
		New[any](server.Namespace, Options[any]{}).lane.do(func() { <-told })
		stopped := make(chan error, 1)
		go func() { stopped <- server.Shutdown(t.Context()) }()
		synctest.Wait()
		select {
		case err := <-stopped:
			t.Errorf("the server has stopped: %v", err)
		default:
		}
		close(told)
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
}
