//go:build unix

package nats_test

import (
	"crypto/rand"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/zocalo-go/zocalo/internal/services"
	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/adaptertest"
	natsadapter "github.com/zocalo-go/zocalo/realtime/adapter/nats"
)

// Everything that was said comes again, another release and strangers speak, and
// somebody sends 100 MB in parts: nodes go on, and take nothing twice.
func TestNATSHostile(t *testing.T) {
	s := services.NATS(t)
	for name, keeps := range map[string]bool{"Core": false, "JetStream": true} {
		t.Run(name, func(t *testing.T) {
			o := natsadapter.Options{Options: adaptertest.Options(), Prefix: rand.Text()}
			open := natsadapter.New
			if keeps {
				open = natsadapter.JetStream
			}
			outside := connect(t, s)
			heard := make(chan *nats.Msg, 1<<16)
			if _, err := outside.ChanSubscribe(o.Prefix+".>", heard); err != nil {
				t.Fatal(err)
			}
			outside.Flush()
			adaptertest.RunFault(t, adaptertest.Cluster{
				Adapter: func() adapter.Provider { return open(connect(t, s), o) }, Recovers: keeps,
			}, adaptertest.Fault{
				Keeps: true,
				Break: func() {
					all := len(heard)
					if all < 200 {
						t.Fatalf("%d messages were heard", all)
					}
					subjects := make(map[string]bool)
					for range all {
						m := <-heard
						if strings.Contains(m.Subject, ".session.") {
							continue // whose last one counts
						}
						subjects[m.Subject] = true
						outside.Publish(m.Subject, m.Data)
						outside.Publish("other"+m.Subject, m.Data)
					}
					for subject := range subjects {
						for _, b := range [][]byte{{}, []byte("garbage"), {'Z', 0, 3, 0}, {'Z', 99, 3, 0}, []byte("S{}"), make([]byte, 1<<20)} {
							outside.Publish(subject, b)
						}
					}
					const size = 100 << 20
					part := make([]byte, 1<<20)
					part[0] = 'P'
					binary.BigEndian.PutUint32(part[21:], size)
					for index := range uint32(size/len(part) + 1) {
						binary.BigEndian.PutUint32(part[17:], index)
						outside.Publish(o.Prefix+".nodes", part)
					}
					outside.Flush()
				},
				Heal: func() {},
			})
		})
	}
}

// Parts that are not there any more cost those who may have been to have the message the
// way back, and what is no message costs nobody anything.
func TestNATSHostileParts(t *testing.T) {
	s := services.NATS(t)
	o := natsadapter.Options{Options: adaptertest.Options(), Prefix: rand.Text()}
	outside := connect(t, s)
	adaptertest.RunGap(t, adaptertest.Cluster{Adapter: func() adapter.Provider { return natsadapter.JetStream(connect(t, s), o) }, Recovers: true}, func() {
		for _, b := range []string{`S{"id":"x","first":1,"count":3}`, "garbage", "S{}", "S", `S{"count":-1}`} {
			if _, err := outside.Request(o.Prefix+".log.nLw", []byte(b), 30*time.Second); err != nil {
				t.Fatal(err)
			}
		}
	})
}
