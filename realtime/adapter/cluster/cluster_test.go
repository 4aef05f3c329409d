package cluster_test

import (
	"testing"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/adaptertest"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
)

func TestLogHub(t *testing.T) {
	adaptertest.Run(t, func(*testing.T) adaptertest.Cluster {
		hub := cluster.NewLogHub(adaptertest.Options())
		return adaptertest.Cluster{Adapter: func() adapter.Provider { return hub }, Cut: hub.Cut, Heal: hub.Heal, Inject: hub.Inject, Recovers: true}
	})
}

func TestHub(t *testing.T) {
	adaptertest.Run(t, func(*testing.T) adaptertest.Cluster {
		hub := cluster.NewHub(adaptertest.Options())
		return adaptertest.Cluster{Adapter: func() adapter.Provider { return hub }, Cut: hub.Cut, Heal: hub.Heal, Inject: hub.Inject}
	})
}
