package e2e

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/realtime/parser"
	"github.com/zocalo-go/zocalo/realtime/parser/msgpack"
)

// verdict is what npm's codec says of a packet.
type verdict struct {
	Packet json.RawMessage
	Frames []string
	Error  string
}

// npm runs node/msgpack.mjs.
func npm(t *testing.T, mode string, frames []string) []verdict {
	t.Helper()
	modules(t)
	cmd := exec.CommandContext(t.Context(), "node", "msgpack.mjs", mode)
	cmd.Dir = "node"
	cmd.Stdin = strings.NewReader(strings.Join(frames, "\n"))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, stderr.Bytes())
	}
	var all []verdict
	lines := bufio.NewReader(bytes.NewReader(out))
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return all
		}
		var v verdict
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all = append(all, v)
	}
}

// meaning describes a packet as node/msgpack.mjs does, without its options.
func meaning(t *testing.T, frame []byte) any {
	t.Helper()
	p, err := msgpack.Codec.NewDecoder(parser.Limits{}).Decode(frame, true)
	if err != nil {
		t.Fatalf("%.100x: %v", frame, err)
	}
	value := func(arg []byte) (v any) {
		if err := msgpack.Codec.Unmarshal(arg, nil, &v); err != nil {
			t.Fatalf("%.100x: %v", arg, err)
		}
		return describe(v)
	}
	m := map[string]any{"type": float64(p.Type), "nsp": p.Namespace}
	if p.ID != parser.NoID {
		m["id"] = float64(p.ID)
	}
	switch {
	case p.Args != nil:
		data := []any{}
		if p.Type == parser.Event {
			data = append(data, p.Event)
		}
		for _, arg := range p.Args {
			data = append(data, value(arg))
		}
		m["data"] = data
	case p.Data != nil:
		m["data"] = value(p.Data)
	}
	return m
}

func describe(v any) any {
	switch v := v.(type) {
	case time.Time:
		return map[string]any{"date": float64(v.UnixMilli())}
	case []byte:
		return map[string]any{"bytes": hex.EncodeToString(v)}
	case int64:
		return float64(v)
	case uint64:
		return float64(v)
	case float64:
		switch {
		case math.IsNaN(v):
			return map[string]any{"number": "NaN"}
		case math.IsInf(v, 0):
			return map[string]any{"number": strings.TrimPrefix(fmt.Sprint(v), "+") + "inity"}
		}
		return v
	case []any:
		all := make([]any, len(v))
		for i := range v {
			all[i] = describe(v[i])
		}
		return all
	case map[string]any:
		all := map[string]any{}
		for key, value := range v {
			all[key] = describe(value)
		}
		return all
	}
	return v
}

// sameMeaning compares what npm and we say of a packet. A member that is
// undefined is none for JavaScript, and null for us.
func sameMeaning(t *testing.T, npm json.RawMessage, ours any) bool {
	t.Helper()
	var theirs map[string]any
	if err := json.Unmarshal(npm, &theirs); err != nil {
		t.Fatal(err)
	}
	delete(theirs, "options")
	return reflect.DeepEqual(withoutNull(theirs), withoutNull(ours))
}

func withoutNull(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if value == nil {
				delete(v, key)
			} else {
				v[key] = withoutNull(value)
			}
		}
	case []any:
		for i := range v {
			v[i] = withoutNull(v[i])
		}
	}
	return v
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Clients that speak MessagePack go through every scenario: npm's client with
// npm's codec, and our bundle.
func TestMessagePack(t *testing.T) {
	modules(t)
	for client, modes := range map[string][]string{"npm msgpack": {"upgrade"}, "our msgpack": modes} {
		for _, mode := range modes {
			t.Run(client+" "+mode, func(t *testing.T) {
				p := newPlaceFor(t, mode, 50, msgpack.Codec, alone)
				p.Client = client
				place, err := json.Marshal(p)
				if err != nil {
					t.Fatal(err)
				}
				runNode(t, "node.mjs", string(place))
			})
		}
	}
}

// What npm's encoders write means the same to us.
func TestMessagePackFromNPM(t *testing.T) {
	for _, v := range npm(t, "values", nil) {
		for i, frame := range v.Frames {
			if ours := meaning(t, unhex(t, frame)); !sameMeaning(t, v.Packet, ours) {
				t.Errorf("encoder %d: %.200s is %.200v", i, v.Packet, ours)
			}
		}
	}
}

// What we write means the same to npm's decoders, and comes back.
func TestMessagePackToNPM(t *testing.T) {
	type note struct {
		Text   string    `json:"text"`
		Bytes  []byte    `json:"bytes,omitempty"`
		When   time.Time `json:"when"`
		Number *int64    `json:"number"`
		Any    any       `json:"any"`
	}
	n := int64(1<<53 - 1)
	packets := []parser.Outgoing{
		{Type: parser.Connect, Namespace: "/", ID: parser.NoID},
		{Type: parser.Connect, Namespace: "/admin", ID: parser.NoID, Data: map[string]string{"sid": "x"}},
		{Type: parser.Disconnect, Namespace: "/", ID: parser.NoID},
		{Type: parser.ConnectError, Namespace: "/", ID: parser.NoID, Data: json.RawMessage(`{"message":"no","data":[1,2.5,"x"]}`)},
		{Type: parser.Ack, Namespace: "/", ID: 1 << 40},
		{Type: parser.Event, Namespace: "/", ID: parser.NoID, Event: "note", Args: []any{note{"é\u2028😀", []byte{0, 255}, time.UnixMilli(-5), &n, []any{1, nil}}}},
		{Type: parser.Event, Namespace: "/", ID: parser.NoID, Event: "invalid UTF-8 \xff", Args: []any{"\xff"}},
	}
	for _, arg := range []any{
		nil, true, 0, -1, 127, 128, 255, 256, -32, -33, -128, -129, 32767, 32768, 65536, -32769, math.MaxInt32, math.MaxInt32 + 1, math.MinInt32, math.MinInt32 - 1, 1 << 53, -1 << 53,
		uint8(200), uint32(math.MaxUint32), uint64(1 << 63), float32(0.5), 0.1, 1e-300, math.NaN(), math.Inf(1), math.Inf(-1),
		"", strings.Repeat("x", 31), strings.Repeat("x", 32), strings.Repeat("é", 128), strings.Repeat("x", 70000),
		[]byte{}, make([]byte, 1), make([]byte, 8), make([]byte, 256), make([]byte, 70000), []int{}, make([]int, 15), make([]int, 16), make([]int, 70000),
		map[string]int{}, map[int]bool{1: true, -1: false}, time.UnixMilli(0), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), json.RawMessage(`[[[{"a":[]}]]]`),
	} {
		packets = append(packets, parser.Outgoing{Type: parser.Event, Namespace: "/", ID: parser.NoID, Event: "event", Args: []any{arg}})
	}
	var frames []string
	for _, p := range packets {
		encoded, err := msgpack.Codec.Encode(p)
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, hex.EncodeToString(encoded[0].Data))
	}
	verdicts := npm(t, "packets", frames)
	if len(verdicts) != len(packets) {
		t.Fatalf("%d verdicts of %d packets", len(verdicts), len(packets))
	}
	for i, v := range verdicts {
		if v.Error != "" || !sameMeaning(t, v.Packet, meaning(t, unhex(t, frames[i]))) {
			t.Errorf("%.200v: npm says %.200s %s", packets[i], v.Packet, v.Error)
			continue
		}
		for _, frame := range v.Frames {
			if back := meaning(t, unhex(t, frame)); !sameMeaning(t, v.Packet, back) {
				t.Errorf("%.200v came back as %.200v", packets[i], back)
			}
		}
	}
}
