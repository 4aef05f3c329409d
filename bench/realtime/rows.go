package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/zocalo-go/zocalo/bench/realtime/internal/outcome"
)

// A row is one line of the table: what a scenario's outcome says about one kind of work.
type row struct {
	title    string
	scenario string
	value    func(outcome.Outcome) float64
}

func cpu(o outcome.Outcome) float64 { return o.CPU }
func rss(o outcome.Outcome) float64 { return o.RSS }

// rows returns the table of CPU per operation, in microseconds.
func rows() []row {
	return []row{
		{"echo with ack", "echo", cpu},
		{"broadcast to 1,000, per delivery", "broadcast", cpu},
		{"8 broadcasts in flight, per delivery", "inflight", cpu},
		{"relay in rooms of 10, per delivery", "rooms", cpu},
		{"pipelined echo", "pipelined", cpu},
		{"server sends 20 in a row, each", "flood", cpu},
		{"1 KiB binary echo", "binary", cpu},
		{"broadcast of 100 KB, per delivery", "large", cpu},
		{"long-polling echo", "polling", cpu},
		{"connect by polling and upgrade", "upgrade", cpu},
		{"connect by WebSocket", "connect", cpu},
		{"the same beside a limit without net/http", "idle", cpu},
		{"ping and pong", "heartbeat", cpu},
	}
}

// memoryRow is the line below them.
func memoryRow() row { return row{"KiB of RSS per idle connection", "idle", rss} }

// A sample is what the repetitions of one thing came to.
type sample []float64

// sample returns what was measured of a scenario and a server.
func (r report) sample(scenario, server string, value func(outcome.Outcome) float64) sample {
	var s sample
	for _, m := range r.measurements {
		if m.Scenario == scenario && m.Server == server {
			s = append(s, value(m.Outcome))
		}
	}
	slices.Sort(s)
	return s
}

// median returns NaN for no measurements at all.
func (s sample) median() float64 {
	switch n := len(s); {
	case n == 0:
		return math.NaN()
	case n%2 == 0:
		return (s[n/2-1] + s[n/2]) / 2
	default:
		return s[n/2]
	}
}

// String is the median.
func (s sample) String() string { return figure(s.median()) }

// spread is the least and the greatest.
func (s sample) spread() string {
	if len(s) == 0 {
		return figure(math.NaN())
	}
	return figure(s[0]) + "–" + figure(s[len(s)-1])
}

// figure writes a number with two digits that mean something, or three; a dash if there is none.
func figure(x float64) string {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 0):
		return "–"
	case x < 1:
		return fmt.Sprintf("%.2f", x)
	case x < 100:
		return fmt.Sprintf("%.1f", x)
	}
	digits := fmt.Sprintf("%.0f", x)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// ratio writes how many times b goes into a.
func ratio(a, b float64) string {
	x := a / b
	switch {
	case math.IsNaN(x) || math.IsInf(x, 0):
		return "–"
	case x < 10:
		return fmt.Sprintf("%.2f", x)
	}
	return fmt.Sprintf("%.0f", x)
}

// measured returns the servers of which there is anything.
func (r report) measured() []server {
	return slices.DeleteFunc(servers(), func(s server) bool {
		return !slices.ContainsFunc(r.measurements, func(m measurement) bool { return m.Server == s.name })
	})
}

// noise describes how much the measurements were disturbed.
func (r report) noise() string {
	if len(r.measurements) == 0 {
		return ""
	}
	again := 0
	worst := func(value func(outcome.Outcome) float64) float64 {
		return value(slices.MaxFunc(r.measurements, func(a, b measurement) int {
			return cmp.Compare(value(a.Outcome), value(b.Outcome))
		}).Outcome)
	}
	disturbed := 0
	for _, m := range r.measurements {
		if m.Attempts > 1 {
			again++
		}
		if disturbance(m.Outcome) > 0 {
			disturbed++
		}
	}
	return fmt.Sprintf("Of %d runs %d were made again because they were disturbed, and %d stayed so; at worst the hypervisor took %.1f %% of "+
		"the machine and other processes %.1f %% of the server's processor.", len(r.measurements), again, disturbed,
		100*worst(func(o outcome.Outcome) float64 { return o.Steal }), 100*worst(func(o outcome.Outcome) float64 { return o.Other }))
}
