package parser

import "encoding/json"

// AppendString returns the frames of an event, as codec has encoded it, with a
// text as one more argument at its end. The frames it was given stay as they are;
// what it returns may share their bytes.
func AppendString(codec Codec, frames []Frame, s string) ([]Frame, error) {
	if codec == Codec(JSON) && len(frames) > 0 && !frames[0].Binary {
		text := frames[0].Data
		if n := len(text); n > 0 && text[n-1] == ']' {
			spliced := make([]byte, 0, n+len(s)+3)
			spliced = append(append(spliced, text[:n-1]...), ',')
			if plain(s) {
				spliced = append(append(append(spliced, '"'), s...), '"')
			} else {
				quoted, _ := json.Marshal(s) // a string always can be
				spliced = append(spliced, quoted...)
			}
			return append([]Frame{{Data: append(spliced, ']')}}, frames[1:]...), nil
		}
	}
	p, err := DecodeFrames(codec, frames)
	if err != nil {
		return nil, err
	}
	args := p.Values(codec)
	return codec.Encode(Outgoing{Type: p.Type, Namespace: p.Namespace, ID: p.ID, Event: p.Event, Args: append(args, s)})
}

// DecodeFrames returns the packet that frames are, all of it. An error wraps
// [ErrInvalid].
func DecodeFrames(codec Codec, frames []Frame) (*Packet, error) {
	d := codec.NewDecoder(Limits{MaxAttachments: max(1, len(frames))})
	for i, f := range frames {
		p, err := d.Decode(f.Data, f.Binary)
		switch {
		case err != nil:
			return nil, err
		case p != nil && i < len(frames)-1:
			return nil, invalid("frames behind its end")
		case p != nil:
			return p, nil
		}
	}
	return nil, invalid("it is not complete")
}

// Values returns the arguments of the packet, which codec has decoded, as values
// that it encodes unchanged.
func (p *Packet) Values(codec Codec) []any {
	values := make([]any, len(p.Args), len(p.Args)+1)
	for i, arg := range p.Args {
		values[i] = Raw{Codec: codec, Data: arg, Attachments: p.Attachments}
	}
	return values
}
