//go:build linux

// Command load is a load generator for Socket.IO servers: all its clients live in one thread over epoll, so that it is
// cheaper, message by message, than any server it asks. It reads the clock of the server's process, so what it prints is
// what an operation cost the server, not how many came through.
//
// The server must keep the contract of bench/realtime/README.md and run on this machine. The result is one line of JSON,
// an outcome.Outcome.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// options are the flags.
type options struct {
	scenario string
	port     int
	pid      int
	cpu      int

	clients  int
	active   int
	dialing  int
	sources  int
	rate     int
	batch    int
	size     int
	rooms    int
	roomSize int
	inFlight int

	warmup       time.Duration
	duration     time.Duration
	warmupRounds int
	rounds       int
	settle       time.Duration
	timeout      time.Duration
}

func scenarios() map[string]func(*load) {
	return map[string]func(*load){
		"connect":   (*load).connectAndIdle,
		"heartbeat": (*load).heartbeat,
		"echo":      func(l *load) { l.echo(false) },
		"binary":    func(l *load) { l.echo(true) },
		"flood":     (*load).flood,
		"broadcast": (*load).broadcast,
		"rooms":     (*load).rooms,
		"turns":     (*load).roomsInTurn,
		"polling":   (*load).pollingEcho,
		"upgrade":   (*load).upgrade,
	}
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) error {
	var o options
	f := flag.NewFlagSet("load", flag.ContinueOnError)
	names := strings.Join(slices.Sorted(maps.Keys(scenarios())), ", ")
	f.StringVar(&o.scenario, "scenario", "echo", "one of "+names)
	f.IntVar(&o.port, "port", 3000, "the server's `port` on 127.0.0.1")
	f.IntVar(&o.pid, "pid", 0, "the server's process")
	f.IntVar(&o.cpu, "cpu", 0, "the processor the server runs on, to tell who else does")
	f.IntVar(&o.clients, "clients", 64, "how many clients connect")
	f.IntVar(&o.active, "active", 0, "how many of them have an echo under way, in turn; 0, all")
	f.IntVar(&o.dialing, "dialing", 64, "how many connect at a time")
	f.IntVar(&o.sources, "sources", 1, "how many addresses they come from, 127.0.0.1 and on")
	f.IntVar(&o.rate, "rate", 0, "echoes a second, whatever the answers take; 0, the next when one is answered")
	f.IntVar(&o.batch, "batch", 1, "events that an echo's client sends, or a flood's server, at once")
	f.IntVar(&o.size, "size", 50, "bytes of the argument")
	f.IntVar(&o.rooms, "rooms", 50, "turns: how many rooms")
	f.IntVar(&o.roomSize, "room-size", 10, "sockets in a room")
	f.IntVar(&o.inFlight, "in-flight", 1, "broadcasts under way")
	f.DurationVar(&o.warmup, "warmup", 1500*time.Millisecond, "time before the measurement")
	f.DurationVar(&o.duration, "duration", 3*time.Second, "time of the measurement")
	f.IntVar(&o.warmupRounds, "warmup-rounds", 50, "broadcasts or upgrades before the measurement")
	f.IntVar(&o.rounds, "rounds", 200, "broadcasts measured")
	f.DurationVar(&o.settle, "settle", 3*time.Second, "connect: idle time before memory is read, each time")
	f.DurationVar(&o.timeout, "timeout", 90*time.Second, "the run fails when it takes longer")
	if err := f.Parse(args); err != nil {
		return err
	}
	scenario := scenarios()[o.scenario]
	if scenario == nil {
		return fmt.Errorf("there is no scenario %q: set -scenario to one of %s", o.scenario, names)
	}
	if o.pid == 0 {
		return errors.New("-pid is missing: the cost of an operation is read from the server's process")
	}

	runtime.LockOSThread()
	debug.SetGCPercent(400)
	l, err := newLoad(o)
	if err != nil {
		return err
	}
	defer l.closeAll()
	scenario(l)
	if l.failed != nil {
		return fmt.Errorf("%s: %w", o.scenario, l.failed)
	}
	l.outcome.Errors = l.broken
	l.latencies(&l.outcome)
	return json.NewEncoder(stdout).Encode(l.outcome)
}
