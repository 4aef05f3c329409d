// Package parser turns Socket.IO packets into the text and binary frames that
// carry them, and back. It does no I/O and knows no network.
//
// The protocol is revision 5, that of Socket.IO 3 and 4:
// https://github.com/socketio/socket.io/tree/main/docs/socket.io-protocol.
//
// Start with [EncodeEvent] for the way out, [Decoder] for the way in, and
// [Unmarshal] for one argument of a packet that came in.
//
// An argument is any value that encoding/json can marshal. Every []byte in it,
// however deep, travels as a binary attachment, not as base64; a []byte that
// marshals itself, such as json.RawMessage, travels as what it marshals to.
package parser
