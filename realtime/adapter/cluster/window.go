package cluster

// window knows which of a sequence of numbers have been seen. Those far behind
// the last count as not seen: what is sent twice is sent twice at once.
type window struct {
	last uint64
	bits [windowSize / 64]uint64
}

const windowSize = 1024

// add notes a number, and reports whether it is new.
func (w *window) add(n uint64) bool {
	switch {
	case n > w.last+windowSize:
		w.bits = [windowSize / 64]uint64{}
		w.last = n
	case n > w.last:
		for w.last < n {
			w.last++
			w.bits[w.last/64%(windowSize/64)] &^= 1 << (w.last % 64)
		}
	case n+windowSize <= w.last:
		return true
	case w.bits[n/64%(windowSize/64)]&(1<<(n%64)) != 0:
		return false
	}
	w.bits[n/64%(windowSize/64)] |= 1 << (n % 64)
	return true
}

// has reports whether a number has been seen.
func (w *window) has(n uint64) bool {
	return n <= w.last && n+windowSize > w.last && w.bits[n/64%(windowSize/64)]&(1<<(n%64)) != 0
}

// sightings are the numbers of messages that have been seen, by the node that has sent
// them.
type sightings map[string]*window

// add notes a message, and reports whether it is new.
func (s sightings) add(node string, seq uint64) bool {
	if s[node] == nil {
		s[node] = new(window)
	}
	return s[node].add(seq)
}

// note is add for who knows that.
func (s sightings) note(node string, seq uint64) { s.add(node, seq) }

// has reports whether a message has been seen.
func (s sightings) has(node string, seq uint64) bool {
	w := s[node]
	return w != nil && w.has(seq)
}

// merge adds what others have seen. What was seen long ago is forgotten when there are
// too many nodes.
func (s sightings) merge(others sightings) {
	if len(s)+len(others) > maxPeers {
		clear(s)
	}
	for node, w := range others {
		for n := w.last - min(w.last, windowSize-1); n <= w.last; n++ {
			if w.has(n) {
				s.add(node, n)
			}
		}
	}
}
