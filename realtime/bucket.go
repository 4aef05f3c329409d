package realtime

import "time"

// bucket limits how often something may happen: burst times at once, and then
// rate times a second. It belongs to one goroutine at a time. A nil one has no
// limit.
type bucket struct {
	rate, burst float64
	tokens      float64
	at          time.Time // when tokens was right
}

func newBucket(rate, burst int) *bucket {
	if rate == 0 {
		return nil
	}
	return &bucket{rate: float64(rate), burst: float64(burst), tokens: float64(burst), at: time.Now()}
}

// take reports whether it may happen now.
func (b *bucket) take() bool {
	if b == nil {
		return true
	}
	now := time.Now()
	b.tokens = min(b.burst, b.tokens+b.rate*now.Sub(b.at).Seconds())
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
