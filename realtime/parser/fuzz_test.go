package parser_test

import (
	"reflect"
	"testing"

	"github.com/zocalo-go/zocalo/realtime/parser"
)

// FuzzJSON: what decodes encodes again, as it came in or from decoded values,
// to a packet that means the same.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		"0", `0{"a":1}`, "0/n?a=b,", "1/n,", `2/n,12["a",{"b":[1,"c"]}]`, "2[7]", "2", `37[]`, `4{"message":"x"}`, `4/n,"x"`,
		`51-["x",{"_placeholder":true,"num":0}]`, `61-3[{"a":{"num":0,"_placeholder":true}}]`,
		`52-["x",{"_placeholder":true,"num":1},[{"_placeholder":true,"num":0}],{"_placeholder":true,"num":1}]`,
		`51-["x",{"\u005fplaceholder":true,"num":0,"num":0}]`, `50-["x",{"_placeholder":true,"num":3}]`,
	} {
		f.Add([]byte(seed), []byte("attachment"))
	}
	f.Fuzz(func(t *testing.T, text, attachment []byte) {
		d := parser.JSON.NewDecoder(parser.Limits{})
		p, err := d.Decode(text, false)
		for err == nil && p == nil {
			p, err = d.Decode(attachment, true)
		}
		if err != nil || p.Type == parser.Event && p.Args == nil {
			return
		}
		unchanged, values := outgoing(t, p)
		if q := again(t, unchanged); q != nil && !reflect.DeepEqual(meaning(t, q), meaning(t, p)) {
			t.Errorf("%s: %+v became %+v", text, p, q)
		}
		if q := again(t, values); q != nil && !reflect.DeepEqual(meaning(t, q), meaning(t, p)) {
			t.Errorf("%s: from values: %+v became %+v", text, p, q)
		}
	})
}

// outgoing returns the packet to send on: with its arguments as they came in,
// and with decoded ones.
func outgoing(t *testing.T, p *parser.Packet) (unchanged, values parser.Outgoing) {
	unchanged = parser.Outgoing{Type: p.Type, Namespace: p.Namespace, ID: p.ID, Event: p.Event}
	values = unchanged
	m := meaning(t, p)
	for i, arg := range p.Args {
		unchanged.Args = append(unchanged.Args, parser.Raw{Codec: parser.JSON, Data: arg, Attachments: p.Attachments})
		values.Args = append(values.Args, m.args[i])
	}
	if p.Data != nil {
		unchanged.Data = parser.Raw{Data: p.Data}
		values.Data = m.data
	}
	return unchanged, values
}

// again encodes and decodes a packet. It returns nil for one that has too many
// attachments: one attachment may be used several times.
func again(t *testing.T, o parser.Outgoing) *parser.Packet {
	frames, err := parser.JSON.Encode(o)
	if err != nil {
		t.Fatalf("%+v: %v", o, err)
	}
	if len(frames)-1 > parser.DefaultMaxAttachments {
		return nil
	}
	d := parser.JSON.NewDecoder(parser.Limits{})
	for i, frame := range frames {
		p, err := d.Decode(frame.Data, frame.Binary)
		if err != nil {
			t.Fatalf("encoded as %+v, which does not decode: %v", frames, err)
		}
		if p != nil && i == len(frames)-1 {
			return p
		}
	}
	t.Fatalf("encoded as %+v, which is not complete", frames)
	return nil
}

// packet is what a packet means, however it is written.
type packet struct {
	kind      parser.Type
	namespace string
	id        int64
	event     string
	args      []any
	data      any
}

func meaning(t *testing.T, p *parser.Packet) packet {
	m := packet{p.Type, p.Namespace, p.ID, p.Event, nil, nil}
	for i, arg := range p.Args {
		var v any
		if err := parser.JSON.Unmarshal(arg, p.Attachments, &v); err != nil {
			t.Fatalf("argument %d, %s, does not unmarshal: %v", i, arg, err)
		}
		m.args = append(m.args, v)
	}
	if p.Data != nil {
		if err := parser.JSON.Unmarshal(p.Data, nil, &m.data); err != nil {
			t.Fatalf("data %s does not unmarshal: %v", p.Data, err)
		}
	}
	return m
}
