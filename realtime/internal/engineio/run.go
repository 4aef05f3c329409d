package engineio

import "sync"

// run is small frames one behind the other, which are written as one, in memory
// that goes from one queue to the next: what is said to one client costs no
// memory of its own.
type run struct {
	frames  []byte
	n       int // how many
	headers int // bytes of them that are headers
}

const (
	runSize   = 4 << 10 // bytes of a run
	maxJoined = 1 << 10 // bytes of a frame in it
)

var runs = sync.Pool{New: func() any { return &run{frames: make([]byte, 0, runSize)} }}

// fits reports whether there is a run, and room in it for the frame of p.
func (r *run) fits(p *Packet) bool {
	return r != nil && len(r.frames)+len(p.frame) <= cap(r.frames)
}

// add adds a copy of the frame of p.
func (r *run) add(p *Packet) {
	r.frames = append(r.frames, p.frame...)
	r.headers += int(p.header)
	r.n++
}

// contents returns how many packets p stands for, and the bytes of their payloads.
func (p *Packet) contents() (n, size int) {
	if p.run != nil {
		return p.run.n, len(p.run.frames) - p.run.headers
	}
	return 1, len(p.payload())
}

// free lets go of packets that have been written, or will not be, and gives their
// runs to others.
func free(packets []Packet) {
	for _, p := range packets {
		if r := p.run; r != nil {
			*r = run{frames: r.frames[:0]}
			runs.Put(r)
		}
	}
	clear(packets)
}
