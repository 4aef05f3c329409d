package wire

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Rooms returns the rooms that a broadcast is for, without decoding the rest, where
// text is JSON that Encode has written of one: ok is false for anything else, which
// has to be decoded. None means everybody.
func Rooms(text []byte) (rooms []string, ok bool) {
	const before, list = `,"type":3,`, `"data":{"opts":{"rooms":`
	head := text[:min(len(text), 512)] // the names of the node and of the namespace stand before it
	i := bytes.Index(head, []byte(before))
	if i < 0 {
		return nil, false
	}
	rest := text[i+len(before):]
	if seq := []byte(`"seq":`); bytes.HasPrefix(rest, seq) {
		rest = bytes.TrimLeft(rest[len(seq):], "0123456789")
		rest = bytes.TrimPrefix(rest, []byte(","))
	}
	rest, found := bytes.CutPrefix(rest, []byte(list))
	if !found {
		return nil, false
	}
	end := bytes.Index(rest, []byte(`],"except":[`))
	if end < 0 {
		return nil, false
	}
	if err := json.Unmarshal(rest[:end+1], &rooms); err != nil {
		return nil, false // a name of a room holds what ends the list
	}
	return rooms, true
}

// DataRooms is Rooms of the data of a broadcast alone: that which EncodeData has
// written, in which the options come first, or a server of Node.js, in which they come
// last. What wants acknowledgements has to be decoded.
func DataRooms(text string) (rooms []string, ok bool) {
	const opts, except = `"opts":{"rooms":`, `],"except":[`
	if rest, first := strings.CutPrefix(text, "{"+opts); first {
		if end := strings.Index(rest, except); end >= 0 && json.Unmarshal([]byte(rest[:end+1]), &rooms) == nil {
			return rooms, true
		}
		return nil, false
	}
	i := strings.LastIndex(text, ","+opts)
	if i < 0 || !strings.HasSuffix(text, "}") || !strings.HasPrefix(text, `{"packet":`) {
		return nil, false
	}
	var o struct {
		Rooms []string `json:"rooms"`
	}
	const request = 64 // bytes that a requestId takes at most
	if strings.Contains(text[max(0, i-request):i], `"requestId":`) || json.Unmarshal([]byte(text[i+len(`,"opts":`):len(text)-1]), &o) != nil {
		return nil, false
	}
	return o.Rooms, true
}
