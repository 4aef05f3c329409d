package prometheus

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"

	prom "github.com/prometheus/client_golang/prometheus"
)

// table holds the series of all metrics that have the same label: a column for
// each metric, a row for each value of the label. A value thus has all its
// series from the beginning, at zero.
type table struct {
	label   string
	limit   int
	columns []vector

	mu   sync.Mutex              // held by who adds a row
	rows atomic.Pointer[content] // replaced, never changed
}

// content is what a table holds at a time.
type content struct {
	rows  map[string]row // but that of Other
	other row            // or nil, if nothing has counted there
	full  bool
}

type row []series

// series is what client_golang's counters and gauges have in common.
type series interface{ Add(float64) }

// vector is what their vectors have in common.
type vector interface {
	prom.Collector
	with(value ...string) series
}

type counters struct{ *prom.CounterVec }

func (v counters) with(value ...string) series { return v.WithLabelValues(value...) }

type gauges struct{ *prom.GaugeVec }

func (v gauges) with(value ...string) series { return v.WithLabelValues(value...) }

func newTable(l label, prefix string, limit int) *table {
	t := &table{label: l.name, limit: limit}
	var names []string
	if l.name != "" {
		names = []string{l.name}
	}
	for _, m := range l.metrics {
		if m.gauge {
			t.columns = append(t.columns, gauges{prom.NewGaugeVec(prom.GaugeOpts{Name: prefix + m.name, Help: m.help}, names)})
		} else {
			t.columns = append(t.columns, counters{prom.NewCounterVec(prom.CounterOpts{Name: prefix + m.name, Help: m.help}, names)})
		}
	}
	t.rows.Store(&content{})
	for _, value := range l.known {
		t.row(value)
	}
	return t
}

// row returns the series of a value: its own, or those of [Other], always the
// same.
func (t *table) row(value string) row {
	now := t.rows.Load()
	if r, ok := now.rows[value]; ok {
		return r
	}
	if now.other != nil && (now.full || len(value) > longest) {
		return now.other
	}
	return t.add(value)
}

// add returns the row of a value after adding it, or that of Other when the
// table is full.
func (t *table) add(value string) row {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.rows.Load()
	if r, ok := now.rows[value]; ok {
		return r
	}
	next := content{now.rows, now.other, now.full}
	defer t.rows.Store(&next)
	if now.full || len(value) > longest || value == Other {
		if next.other == nil {
			next.other = t.make(Other)
		}
		return next.other
	}
	r := t.make(strings.ToValidUTF8(value, "\uFFFD")) // or client_golang panics
	next.rows = maps.Clone(now.rows)
	if next.rows == nil {
		next.rows = make(map[string]row)
	}
	next.rows[strings.Clone(value)] = r
	next.full = len(next.rows) >= t.limit
	return r
}

// make returns the series of a value in every column.
func (t *table) make(value string) row {
	var labels []string
	if t.label != "" {
		labels = []string{value}
	}
	r := make(row, len(t.columns))
	for i, v := range t.columns {
		r[i] = v.with(labels...)
	}
	return r
}
