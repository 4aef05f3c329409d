package realtime_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/adapter"
)

// parting is a node that does something when it leaves the cluster.
type parting struct {
	adapter.Provider
	adapter.Node
	leave func()
}

func (p *parting) Open(s adapter.Server) adapter.Node {
	p.Node = p.Provider.Open(s)
	return p
}

func (p *parting) Close(ctx context.Context) error {
	p.leave()
	return p.Node.Close(ctx)
}

// A server that stops waits for what has been begun by its method Go, also when that was
// done because of what other nodes have said last.
func TestGo(t *testing.T) {
	for _, late := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			node := &parting{Provider: adapter.Factory(adapter.NewMemory), leave: func() {}}
			server := realtime.NewServer(realtime.Config{Adapter: node})
			done := make(chan struct{})
			begin := func() { server.Go(func() { <-done }) }
			if late {
				node.leave = begin
			} else {
				begin()
			}
			stopped := make(chan error, 1)
			go func() { stopped <- server.Shutdown(t.Context()) }()
			synctest.Wait()
			select {
			case err := <-stopped:
				t.Errorf("late %v: the server has stopped: %v", late, err)
			default:
			}
			close(done)
			if err := <-stopped; err != nil {
				t.Error(err)
			}
		})
	}
}
