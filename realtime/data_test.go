package realtime_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/zocalo-go/zocalo/realtime"
)

// Args are a list where a value is wanted.
func TestArgsAsAnArgument(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		w.server.On("connection", func(s *realtime.Socket) {
			s.On("list", func(args realtime.Args) realtime.Args { return args })
		})
		c := dialers[0].dial(w)
		c.send(`427["list",1,{"two":[2]}]`)
		c.expect(`437[[1,{"two":[2]}]]`)
		c.send(`451-8["list",{"_placeholder":true,"num":0}]`)
		c.sendBinary("bytes")
		c.expect(`438[["Ynl0ZXM="]]`)
		c.send(`429["list"]`)
		c.expect(`439[[]]`)
		c.close()
	})
}

// What JavaScript can send arrives as what Go has for it, and the other way round,
// over every transport: text beyond ASCII, nothing, and bytes wherever they are.
func TestKindsOfData(t *testing.T) {
	type parcel struct {
		Label   string   `json:"label"`
		Content []byte   `json:"content"`
		Stamps  [][]byte `json:"stamps"`
	}
	const placeholder = `{"_placeholder":true,"num":%d}`
	place := func(n int) string { return fmt.Sprintf(placeholder, n) }
	tests := []struct {
		name    string
		handler any // returns what it was given
		args    string
		binary  []string
	}{
		{"null", func(v *int) *int { return v }, `null`, nil},
		{"false", func(v bool) bool { return v }, `false`, nil},
		{"text beyond ASCII", func(v string) string { return v }, `"zócalo — 広場 🎺"`, nil},
		{"text that HTML would escape", func(v string) string { return v }, `"<b>&amp;</b>"`, nil},
		{"a large number", func(v int64) int64 { return v }, `9007199254740993`, nil},
		{"a list", func(v []any) []any { return v }, `[1,"2",[3],{"4":null}]`, nil},
		{"bytes", func(v []byte) []byte { return v }, place(0), []string{"\x00\xff"}},
		{"no bytes", func(v []byte) []byte { return v }, place(0), []string{""}},
		{"bytes in a struct", func(v parcel) parcel { return v }, `{"label":"a","content":` + place(0) + `,"stamps":[` + place(1) + `,` + place(2) + `]}`, []string{"x", "y", "z"}},
		{"bytes in anything", func(v realtime.Args) any { return v.Values()[0] }, `[` + place(0) + `,"swag",` + place(1) + `]`, []string{"x", "y"}},
	}
	for _, dial := range dialers {
		t.Run(dial.name, func(t *testing.T) {
			inWorld(t, realtime.Config{}, func(w *world) {
				w.server.On("connection", func(s *realtime.Socket) {
					for _, test := range tests {
						s.On(test.name, test.handler)
					}
				})
				c := dial.dial(w)
				for _, test := range tests {
					kind, answer := "42", "43"
					if n := len(test.binary); n > 0 {
						kind, answer = fmt.Sprintf("45%d-", n), fmt.Sprintf("46%d-", n)
					}
					c.send(kind + `7["` + test.name + `",` + test.args + `]`)
					for _, data := range test.binary {
						c.sendBinary(data)
					}
					c.expect(answer + `7[` + test.args + `]`)
					for _, data := range test.binary {
						c.expectBinary(data)
					}
				}
				c.close()
			})
		})
	}
}

// Events of nearly a megabyte, text and bytes, go to the client and back.
func TestLargeEvents(t *testing.T) {
	for _, dial := range dialers {
		t.Run(dial.name, func(t *testing.T) {
			inWorld(t, realtime.Config{}, func(w *world) {
				sockets := make(chan *realtime.Socket, 1)
				w.server.On("connection", func(s *realtime.Socket) {
					s.On("big", func(args realtime.Args) { s.Emit("big", args.Values()...) })
					sockets <- s
				})
				c := dial.dial(w)
				s := <-sockets
				text := strings.Repeat("añejo ", 120_000)
				data := bytes.Repeat([]byte("\x00\x01\xfe\xff"), 150_000) // and a third more as base64
				s.Emit("big", map[string]string{"hello": text})
				s.Emit("big", map[string][]byte{"hello": data})
				for range 2 {
					want := `42["big",{"hello":"` + text + `"}]`
					if got := c.next(); got != want {
						t.Fatalf("got %.40s…, %d bytes, want %d", got, len(got), len(want))
					}
					const head = `451-["big",{"hello":{"_placeholder":true,"num":0}}]`
					c.expect(head)
					if got := c.next(); got != "b"+base64.StdEncoding.EncodeToString(data) {
						t.Fatalf("got %.40s…, %d bytes", got, len(got))
					}
					c.send(want)
					c.send(head)
					c.sendBinary(string(data))
				}
				synctest.Wait()
				c.close()
			})
		})
	}
}
