package main

import (
	"fmt"
	"slices"
)

// A scenario is one run of the load generator.
type scenario struct {
	name    string
	args    []string // of the load generator
	env     []string // of the server
	http    bool     // the limit has its requests from net/http, too
	servers []string // who takes part; nil, all
}

func (s scenario) key() string { return s.name }

func (s scenario) has(server string) bool {
	return s.servers == nil || slices.Contains(s.servers, server)
}

// How many sockets, and how many rooms, the plots of scale have.
func socketCounts() []int { return []int{100, 1000, 10_000} }
func roomCounts() []int   { return []int{1, 10, 100, 1000, 10_000} }

// scenarios returns what is run, in full or quickly.
func scenarios(quick bool) []scenario {
	pick := func(full, short string) string {
		if quick {
			return short
		}
		return full
	}
	timed := func(args ...string) []string {
		return append(args, "-warmup", pick("1500ms", "500ms"), "-duration", pick("3s", "600ms"))
	}
	rounds := func(warmup, full, short string, args ...string) []string {
		return append(args, "-warmup-rounds", warmup, "-rounds", pick(full, short))
	}
	connect := []string{"-scenario", "connect", "-clients", pick("10000", "2000"), "-dialing", "100", "-sources", "8",
		"-settle", pick("3s", "400ms")}
	all := []scenario{
		{name: "echo", args: timed("-scenario", "echo", "-clients", "64")},
		{name: "broadcast", args: rounds(pick("120", "30"), "250", "50", "-scenario", "broadcast", "-clients", "1000")},
		{name: "inflight", args: rounds(pick("120", "40"), "400", "80", "-scenario", "broadcast", "-clients", "1000", "-in-flight", "8")},
		{name: "rooms", args: timed("-scenario", "rooms", "-clients", "500")},
		{name: "pipelined", args: timed("-scenario", "echo", "-clients", "64", "-batch", "10")},
		{name: "flood", args: timed("-scenario", "flood", "-clients", "50", "-batch", "20")},
		{name: "binary", args: timed("-scenario", "binary", "-clients", "64", "-size", "1024")},
		{name: "large", args: rounds(pick("60", "15"), "150", "30", "-scenario", "broadcast", "-clients", "100", "-size", "100000")},
		{name: "polling", http: true, args: timed("-scenario", "polling", "-clients", "64")},
		{name: "upgrade", http: true, args: []string{"-scenario", "upgrade", "-clients", pick("1500", "400"),
			"-warmup-rounds", pick("300", "100"), "-dialing", "100", "-sources", "4"}},
		{name: "connect", http: true, args: connect},
		{name: "idle", args: connect},
		{name: "heartbeat", env: []string{"PING_INTERVAL=" + pick("2000", "1000")},
			args: []string{"-scenario", "heartbeat", "-clients", pick("5000", "1500"), "-dialing", "100", "-sources", "8",
				"-warmup", pick("3s", "500ms"), "-duration", pick("8s", "1s")}},
		{name: "crowd", servers: []string{ours, node, limit}, args: timed("-scenario", "echo", "-clients", "1000", "-sources", "4")},
		{name: "steady", servers: []string{ours, node, limit},
			args: timed("-scenario", "echo", "-clients", "1000", "-rate", "5000", "-sources", "4")},
	}
	scale := []string{ours, node, limit}
	if quick {
		scale = []string{ours, limit}
	}
	for _, sockets := range socketCounts() {
		all = append(all, scenario{name: socketsName(sockets), servers: scale,
			args: timed("-scenario", "echo", "-active", "64", "-clients", fmt.Sprint(sockets), "-dialing", "100", "-sources", "8")})
	}
	for _, rooms := range roomCounts() {
		all = append(all, scenario{name: roomsName(rooms), servers: scale,
			args: timed("-scenario", "turns", "-clients", "1000", "-rooms", fmt.Sprint(rooms))})
	}
	return all
}

func socketsName(n int) string { return fmt.Sprintf("sockets-%d", n) }
func roomsName(n int) string   { return fmt.Sprintf("rooms-%d", n) }
