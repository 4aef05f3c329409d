// Package parser turns Socket.IO packets into the text and binary frames that
// carry them, and back. It does no I/O and knows no network.
//
// The protocol is revision 5, that of Socket.IO 3 and 4:
// https://github.com/socketio/socket.io/tree/main/docs/socket.io-protocol.
//
// Start with [Codec], of which [JSON] is the default one, [Outgoing], a packet
// on its way out, and [Packet], one that came in.
//
// An argument is any value that encoding/json can marshal. Every []byte in it,
// however deep, travels as binary, not as base64; a []byte that marshals
// itself, such as json.RawMessage, travels as what it marshals to.
//
// # Another codec
//
// A codec of your own implements [Codec]: the example of that type is a whole
// one. Clients take its counterpart as their parser option:
// https://socket.io/docs/v4/custom-parser/. A decoder stands at the border: what
// it returns, the server relies on. It refuses a packet
//
//   - that is of none of the types of [Outgoing],
//   - that is an event without a name, or with one that is [Reserved],
//   - whose payload is no object (CONNECT), no object or string (CONNECT_ERROR)
//     or no list (events and acks),
//   - that does not fit the [Limits], or announces more than it holds.
package parser
