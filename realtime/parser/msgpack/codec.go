// Package msgpack is a codec for MessagePack, which is smaller than JSON when
// there are many numbers, and carries bytes and dates as such. It speaks with
// npm's socket.io-msgpack-parser: https://socket.io/docs/v4/custom-parser/.
//
// [Codec] is all there is to it. A packet is one binary frame, a map with the
// members type, nsp, data and id.
//
// # Values on their way out
//
// A Go value is written as encoding/json writes it, with the names and options
// of its json tags, so that one struct serves both codecs. What differs:
//
//   - []byte is binary, as with [parser.JSON].
//   - time.Time is a JavaScript Date, in milliseconds.
//   - Integers keep all of their 64 bits; JavaScript rounds beyond 2^53.
//   - Floats may be NaN or infinite.
//
// A value that marshals itself, to JSON or text, is written as what it marshals
// to.
//
// # Values that come in
//
// They are decoded as encoding/json decodes, and fail with its
// *json.UnmarshalTypeError. What differs:
//
//   - Into an any goes an integer as int64, or uint64 when it is larger, another
//     number as float64, binary as []byte, and a Date or a MessagePack timestamp
//     as time.Time.
//   - A whole number fits an integer, even when it was written as a float.
//   - A Date fits a time.Time, and a string, which gets what JSON would carry.
//   - undefined is null.
//   - An extension that is unknown is a list of its type and its bytes, as in
//     npm's decoder.
//
// A []byte that is decoded shares the memory of the packet.
//
// # Hostile input
//
// What a message costs is bounded by its length, whatever lengths it announces:
// it is checked from end to end, without an allocation, before anything of it is
// kept. Lists and maps stand at most [parser.Limits] MaxDepth deep in each other.
// MaxAttachments means nothing here: bytes are where they belong.
package msgpack

import (
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// Codec speaks MessagePack. It is safe for concurrent use.
//
// An arg of its packets is the MessagePack of one value. JSON renders binary
// parts as base64, dates as JavaScript's toJSON does, NaN and infinite numbers
// as null.
var Codec codec

type codec struct{}

var _ parser.Codec = Codec

func (codec) NewDecoder(limits parser.Limits) parser.Decoder {
	return decoder{limits.WithDefaults()}
}
