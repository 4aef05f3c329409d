package parser

// JSON is the default codec: a text frame that holds a JSON text, and a binary
// frame for each byte slice in it. It is safe for concurrent use.
//
// An arg of its packets is JSON text, in which {"_placeholder":true,"num":n}
// stands for attachment n. Unmarshal decodes it as encoding/json does;
// attachments take the place of their placeholders in a []byte anywhere in dst,
// and in an any where dst, its elements or its members are of that type. An any
// that is a struct's field gets them as base64. JSON returns an arg without
// placeholders as it is.
var JSON jsonCodec

type jsonCodec struct{}

var _ Appender = JSON

func (jsonCodec) Encode(p Outgoing) ([]Frame, error) { return encode(&p) }

func (jsonCodec) Append(dst []byte, p Outgoing) (text []byte, attachments [][]byte, err error) {
	return appendText(dst, &p)
}

func (jsonCodec) NewDecoder(limits Limits) Decoder {
	return &decoder{limits: limits.WithDefaults()}
}

func (jsonCodec) Unmarshal(arg []byte, attachments [][]byte, dst any) error {
	return unmarshal(arg, attachments, dst)
}

func (jsonCodec) JSON(arg []byte, attachments [][]byte) ([]byte, error) {
	if len(attachments) == 0 {
		return arg, nil
	}
	return inline(arg, attachments)
}
