package parser

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
)

// decoder is the Decoder of JSON.
type decoder struct {
	limits  Limits
	pending *Packet // waits for its attachments
	due     int     // how many it waits for
	last    string  // the name of an event that is frequent, perhaps
}

func (d *decoder) Decode(data []byte, binary bool) (*Packet, error) {
	if binary {
		return d.attachment(data)
	}
	return d.text(data)
}

// text takes a text frame.
func (d *decoder) text(text []byte) (*Packet, error) {
	if d.pending != nil {
		return nil, invalid("text where an attachment is due")
	}
	var read Packet
	attachments, err := d.header(&read, &text)
	if err != nil {
		return nil, err
	}
	var room [8][]byte
	args, err := d.payload(&read, bytes.Clone(text), room[:0])
	if err != nil {
		return nil, err
	}
	p := keep(&read, args)
	if attachments > 0 {
		d.pending, d.due = p, attachments
		return nil, nil
	}
	return p, nil
}

// keep returns a copy of a packet and of its list of arguments, in one piece of
// memory when those are few, as they mostly are.
func keep(p *Packet, args [][]byte) *Packet {
	if len(args) > 0 && len(args) <= 3 {
		if len(args) == 1 {
			kept := &struct {
				Packet
				room [1][]byte
			}{Packet: *p}
			kept.Args = append(kept.room[:0], args...)
			return &kept.Packet
		}
		kept := &struct {
			Packet
			room [3][]byte
		}{Packet: *p}
		kept.Args = append(kept.room[:0], args...)
		return &kept.Packet
	}
	kept := *p
	kept.Args = slices.Clone(args)
	return &kept
}

// attachment takes a binary frame.
func (d *decoder) attachment(data []byte) (*Packet, error) {
	if d.pending == nil {
		return nil, invalid("an attachment where none is due")
	}
	p := d.pending
	p.Attachments = append(p.Attachments, append([]byte{}, data...))
	if len(p.Attachments) < d.due {
		return nil, nil
	}
	d.pending = nil
	if err := p.checkPlaceholders(); err != nil {
		return nil, err
	}
	return p, nil
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

// header cuts everything before the payload off text:
//
//	<type>[<attachments>-][<namespace>,][<id>]
//
// attachments is -1 for a packet that cannot have any.
func (d *decoder) header(p *Packet, text *[]byte) (attachments int, err error) {
	b := *text
	if len(b) == 0 || b[0] < '0' || b[0] > '6' {
		return 0, invalid("unknown type")
	}
	p.Type, p.Namespace, p.ID = Type(b[0]-'0'), "/", NoID
	b = b[1:]

	attachments = -1
	if p.Type == BinaryEvent || p.Type == BinaryAck {
		n, digits := number(b)
		if digits == 0 || digits == len(b) || b[digits] != '-' {
			return 0, invalid("number of attachments expected")
		}
		if n > int64(d.limits.MaxAttachments) {
			return 0, invalid("%d attachments, %d are allowed", n, d.limits.MaxAttachments)
		}
		attachments = int(n)
		b = b[digits+1:]
		p.Type -= BinaryEvent - Event
	}
	if len(b) > 0 && b[0] == '/' {
		name, rest, _ := bytes.Cut(b, []byte{','})
		p.Namespace, b = string(name), rest
	}
	if n, digits := number(b); digits > 0 {
		p.ID, b = n, b[digits:]
	}
	*text = b
	return attachments, nil
}

// number reads the decimal digits at the start of b. A number that no int64
// holds reads as the largest one.
func number(b []byte) (n int64, digits int) {
	for digits < len(b) && b[digits] >= '0' && b[digits] <= '9' {
		digit := int64(b[digits] - '0')
		if n > (math.MaxInt64-digit)/10 {
			n = math.MaxInt64
		} else {
			n = n*10 + digit
		}
		digits++
	}
	return n, digits
}

// payload takes the packet's payload, which it keeps, and checks that it is one
// for the packet's type. It returns the list of arguments, in room if they fit.
func (d *decoder) payload(p *Packet, data []byte, room [][]byte) (args [][]byte, err error) {
	var first byte // stays 0 without a payload
	if len(data) > 0 {
		if first, args, err = scan(data, d.limits.MaxDepth, room); err != nil {
			return nil, err
		}
	}
	switch p.Type {
	case Connect:
		if first != 0 && first != '{' {
			return nil, invalid("payload of CONNECT must be an object")
		}
	case Disconnect:
		if first != 0 {
			return nil, invalid("DISCONNECT has no payload")
		}
	case ConnectError:
		if first != '{' && first != '"' {
			return nil, invalid("payload of CONNECT_ERROR must be an object or a string")
		}
	case Event, Ack:
		if first == 0 { // tolerated, as the reference does; it means nothing
			return nil, nil
		}
		if first != '[' {
			return nil, invalid("payload of %v must be an array", p.Type)
		}
		if p.Type == Event {
			return d.takeName(p, args)
		}
		return args, nil
	}
	if first != 0 {
		p.Data = data
	}
	return nil, nil
}

// takeName takes the first element of an event, its name, which may be a number,
// and returns the others.
func (d *decoder) takeName(p *Packet, elements [][]byte) (args [][]byte, err error) {
	if len(elements) == 0 {
		return nil, invalid("event without a name")
	}
	name := elements[0]
	switch c := name[0]; {
	case c == '"':
		p.Event = d.name(name)
		if Reserved(p.Event) {
			return nil, invalid("event name %q is reserved", p.Event)
		}
	case c == '-' || c >= '0' && c <= '9':
		p.Event = string(name)
	default:
		return nil, invalid("the name of an event must be a string or a number")
	}
	return elements[1:], nil
}

// name returns what the name of an event means. Clients repeat themselves: that
// of the last packet is kept, and need not be made again.
func (d *decoder) name(raw []byte) string {
	const longest = 64
	if inner := raw[1 : len(raw)-1]; string(inner) != d.last {
		name := unquote(raw)
		if name != string(inner) || len(name) > longest {
			return name
		}
		d.last = name
	}
	return d.last
}

// unquote returns the text that a JSON string means.
func unquote(raw []byte) string {
	if inner := raw[1 : len(raw)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return strings.ToValidUTF8(string(inner), "\uFFFD")
	}
	var s string
	json.Unmarshal(raw, &s) // cannot fail: raw is valid
	return s
}

func skipSpace(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\t' || data[i] == '\n' || data[i] == '\r') {
		i++
	}
	return i
}

// stringEnd returns where the JSON string that starts at i ends.
func stringEnd(data []byte, i int) int {
	for i++; data[i] != '"'; i++ {
		if data[i] == '\\' {
			i++
		}
	}
	return i + 1
}
