package engineio

import (
	"encoding/binary"
	"errors"
)

// Nodes tell each other, in one message:
//
//	byte    version
//	byte    type
//	byte    flags
//	uint64  number of the lane, given by the node that opened it
//	uint32  number of the message in its lane and direction, from 0 on; 0 where
//	        its place does not matter
//	bytes   what the type wants; what is too long goes on in the next message
//
// all numbers big-endian. Nothing in it depends on anybody's clock.
type message struct {
	kind  messageKind
	flags byte
	lane  uint64
	seq   uint32
	body  []byte
}

type messageKind byte

const (
	messageOpen      messageKind = 1 + iota // a request: see opening
	messageBody                             // what is left of the body of a POST
	messageAnswer                           // see verdict
	messageDelivered                        // a poll's answer has reached the client
	messageData                             // of a tunnel, towards the client see appendUnit, from it see upstream
	messageFinish                           // the owner has closed the session, and written all
	messageEnd                              // the connection behind the tunnel is gone

	// The place of these among the others does not matter.
	messageSign  // the owner is there, and works at it
	messageRoom  // uint64: how many bytes of data have been taken so far
	messageLetGo // a poll is to be answered now, with what there is
	messageReset // the lane is broken, or of no use any more
)

// ordered reports whether messages of the kind are numbered.
func (k messageKind) ordered() bool { return k < messageSign }

// Flags of a message.
const (
	flagAsker = 1 << iota // it comes from the node that opened the lane
	flagMore              // the next message goes on where it ends
)

const (
	messageVersion = 1
	messageHeader  = 15

	// maxChunk is how many bytes of a body go into one message: engines between
	// nodes have limits, and others want to be heard in between.
	maxChunk = 128 << 10
)

var errMessage = errors.New("engineio: no message of a node")

// newMessage returns the encoded message, whose memory is not used again.
func newMessage(kind messageKind, flags byte, lane uint64, seq uint32, body []byte) []byte {
	b := make([]byte, 0, messageHeader+len(body))
	b = append(b, messageVersion, byte(kind), flags)
	b = binary.BigEndian.AppendUint64(b, lane)
	b = binary.BigEndian.AppendUint32(b, seq)
	return append(b, body...)
}

// decodeMessage returns the message, whose body is a part of b.
func decodeMessage(b []byte) (m message, err error) {
	if len(b) < messageHeader || b[0] != messageVersion || b[1] == 0 || messageKind(b[1]) > messageReset ||
		b[2] > flagAsker|flagMore || len(b) > messageHeader+maxChunk {
		return m, errMessage
	}
	return message{
		kind:  messageKind(b[1]),
		flags: b[2],
		lane:  binary.BigEndian.Uint64(b[3:]),
		seq:   binary.BigEndian.Uint32(b[11:]),
		body:  b[messageHeader:],
	}, nil
}

// What a lane is for.
type laneKind byte

const (
	lanePoll laneKind = 1 + iota
	lanePost
	laneTunnel
)

// opening is the body of messageOpen: the kind, flags, the protocol's revision,
// the transport, the session id, and the body of a POST.
type opening struct {
	kind laneKind
	destination
	binary bool // the body of the POST is
	broken bool // the body of the POST broke off
	later  bool // the body of the POST comes when it is asked for
	letGo  bool // the poll does not wait
	body   []byte
}

func (o *opening) append(b []byte) []byte {
	var flags byte
	for i, set := range []bool{o.binary, o.broken, o.later, o.letGo, o.transport == WebTransport} {
		if set {
			flags |= 1 << i
		}
	}
	b = append(b, byte(o.kind), flags, byte(o.protocol), byte(len(o.sid)>>8), byte(len(o.sid)))
	b = append(b, o.sid...)
	return append(b, o.body...)
}

func decodeOpening(b []byte) (o opening, err error) {
	const head = 5
	if len(b) < head {
		return o, errMessage
	}
	sid := int(b[3])<<8 | int(b[4])
	if b[0] < byte(lanePoll) || b[0] > byte(laneTunnel) || len(b)-head < sid || b[2] != 3 && b[2] != 4 {
		return o, errMessage
	}
	set := func(i int) bool { return b[1]>>i&1 != 0 }
	o = opening{kind: laneKind(b[0]), binary: set(0), broken: set(1), later: set(2), letGo: set(3), body: b[head+sid:]}
	o.destination = destination{sid: string(b[head : head+sid]), protocol: int(b[2]), transport: Polling}
	if o.kind == laneTunnel {
		o.transport = WebSocket
		if set(4) {
			o.transport = WebTransport
		}
	}
	return o, nil
}

// verdict is the body of messageAnswer: the status, the code of a refusal, flags,
// and the message of a refusal, or what a poll gets.
type verdict struct {
	status  int
	refused bool
	code    int
	binary  bool
	plain   bool
	body    []byte
}

const verdictHeader = 4

func (a *verdict) append(b []byte) []byte {
	var flags byte
	for i, set := range []bool{a.refused, a.binary, a.plain} {
		if set {
			flags |= 1 << i
		}
	}
	b = append(b, byte(a.status>>8), byte(a.status), byte(a.code), flags)
	return append(b, a.body...)
}

func decodeVerdict(b []byte) (a verdict, err error) {
	if len(b) < verdictHeader {
		return a, errMessage
	}
	a = verdict{status: int(b[0])<<8 | int(b[1]), code: int(b[2]), body: b[verdictHeader:]}
	a.refused, a.binary, a.plain = b[3]&1 != 0, b[3]&2 != 0, b[3]&4 != 0
	if a.status < 200 || a.status > 599 || a.refused && a.status < 400 {
		return a, errMessage
	}
	return a, nil
}

// refusal returns the error that a reply tells, with our own words for its cure.
func (a *verdict) refusal() requestError {
	for _, e := range []requestError{errTransport, errUnknownSID, errMethod, errBadRequest, errForbidden, errProtocol} {
		if e.Code == a.code && e.status == a.status {
			return e
		}
	}
	return errUnknownSID
}

// Flags of a unit.
const (
	unitBinary = 1 << iota
	unitPlain
)

// appendUnit appends a packet on its way to the client that another node holds:
// flags, the length of its payload, and that.
func appendUnit(b []byte, p Packet) []byte {
	var flags byte
	if p.binary() {
		flags |= unitBinary
	}
	if p.plain {
		flags |= unitPlain
	}
	payload := p.payload()
	b = binary.AppendUvarint(append(b, flags), uint64(len(payload)))
	return append(b, payload...)
}

// decodeUnits appends the packets of a body of messageData, whose memory they use
// no more.
func decodeUnits(packets []Packet, b []byte) ([]Packet, error) {
	for len(b) > 0 {
		flags := b[0]
		size, n := binary.Uvarint(b[1:])
		if flags > unitBinary|unitPlain || n <= 0 || size > uint64(len(b)-1-n) {
			return packets, errMessage
		}
		payload := b[1+n : 1+n+int(size)]
		b = b[1+n+int(size):]
		opcode := byte(opText)
		if flags&unitBinary != 0 {
			opcode = opBinary
		}
		p := newFrame(opcode, len(payload))
		p.frame = append(p.frame, payload...)
		p.plain = flags&unitPlain != 0
		packets = append(packets, p)
	}
	return packets, nil
}

// The last byte of a body of messageData that comes from the client: what was
// read, or how its client breaks the rules.
const (
	upstreamText = iota
	upstreamBinary
	upstreamBadPacket
	upstreamBadText
	upstreamLarge
	upstreamFragments
)
