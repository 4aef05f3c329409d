// Command realtime measures what realtime costs, beside Node's socket.io and beside servers that do nothing but move the
// bytes, and writes docs/performance.md. README.md says how, and what a server has to do to be measured.
//
// It runs on Linux, in the directory bench:
//
//	go run ./realtime          # about half an hour
//	go run ./realtime -quick   # two minutes
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// settings are the flags.
type settings struct {
	quick       bool
	repetitions int
	resume      bool
	servers     string
	scenarios   string
	report      string
	scratch     string
	serverCPU   int
	loadCPU     int
	ordinary    bool
	maxAttempts int
	reportOnly  bool
	part        bool // some servers or scenarios were left out
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	var s settings
	f := flag.NewFlagSet("realtime", flag.ContinueOnError)
	f.BoolVar(&s.quick, "quick", false, "short runs, once each: right to some tens of percent")
	f.IntVar(&s.repetitions, "reps", 0, "how often each scenario is run; 0 is 3, or once if quick")
	f.BoolVar(&s.resume, "resume", false, "go on where the last run was interrupted; what has been built anew is measured anew")
	f.StringVar(&s.servers, "servers", "", "only these, with commas between: "+strings.Join(names(servers()), ","))
	f.StringVar(&s.scenarios, "scenarios", "", "only these, with commas between, or beginnings of their names: "+strings.Join(names(scenarios(false)), ","))
	f.StringVar(&s.report, "report", "", "the `file` to write the report into, its plots beside it; the default is ../docs/performance.md,\n"+
		"and with -quick, -servers or -scenarios, performance.md in -out")
	f.StringVar(&s.scratch, "out", "realtime/out", "the `directory` for programs and measurements")
	f.BoolVar(&s.reportOnly, "report-only", false, "measure nothing: write the report from the last run's measurements")
	f.IntVar(&s.serverCPU, "server-cpu", 0, "the `processor` of the servers")
	f.IntVar(&s.loadCPU, "load-cpu", 1, "the `processor` of the load generator")
	f.BoolVar(&s.ordinary, "ordinary", false, "do not ask for real-time scheduling (SCHED_RR), which keeps other processes out")
	f.IntVar(&s.maxAttempts, "attempts", 0, "how often a run is tried that failed or was disturbed; 0 is 3, or once if quick")
	if err := f.Parse(args); err != nil {
		return err
	}
	if runtime.GOOS != "linux" {
		return fmt.Errorf("the load generator needs Linux's epoll and /proc, this is %s", runtime.GOOS)
	}
	s.part = s.servers != "" || s.scenarios != ""
	if s.repetitions == 0 {
		s.repetitions = 3
		if s.quick {
			s.repetitions = 1
		}
	}
	if s.maxAttempts == 0 {
		s.maxAttempts = 3
		if s.quick {
			s.maxAttempts = 1
		}
	}
	if err := os.MkdirAll(s.scratch, 0o755); err != nil {
		return err
	}
	if s.report == "" {
		s.report = "../docs/performance.md"
		if s.quick || s.part {
			s.report = filepath.Join(s.scratch, "performance.md")
		}
	}
	return bench(ctx, s, stdout)
}

// bench builds, measures and reports. A server that cannot be had, or a run that fails, is named and left out; then the
// report is written all the same, and the error comes at the end.
func bench(ctx context.Context, s settings, stdout io.Writer) error {
	chosenServers, err := choose(servers(), s.servers)
	if err != nil {
		return err
	}
	chosenScenarios, err := choose(scenarios(s.quick), s.scenarios)
	if err != nil {
		return err
	}
	m, err := prepare(ctx, s, chosenServers, stdout)
	if err != nil {
		return err
	}
	log, err := openLog(filepath.Join(s.scratch, s.measurements()), s.resume || s.reportOnly)
	if err != nil {
		return err
	}
	defer log.Close()
	var failed error
	if !s.reportOnly {
		failed = m.measureAll(ctx, chosenScenarios, log)
		if ctx.Err() != nil {
			return errors.New("interrupted: RESUME=1, or -resume, goes on from here")
		}
	}
	r := report{environment: m.environment(ctx, s.repetitions), measurements: log.current(m.ready), quick: s.quick}
	r.print(stdout)
	if err := r.write(s.report); err != nil {
		return errors.Join(failed, err)
	}
	fmt.Fprintf(stdout, "\nwritten: %s and its plots\n", s.report)
	return failed
}

// measurements names the file that a run's measurements go to. A quick run, or a part of one, does not touch those of a
// whole one.
func (s settings) measurements() string {
	switch {
	case s.part:
		return "part.jsonl"
	case s.quick:
		return "quick.jsonl"
	}
	return "measurements.jsonl"
}

// named is what -servers and -scenarios choose from.
type named interface{ key() string }

func names[T named](all []T) []string {
	var keys []string
	for _, one := range all {
		keys = append(keys, one.key())
	}
	return keys
}

// choose returns those whose names, or beginnings of them, are in a list; all if the list is empty.
func choose[T named](all []T, list string) ([]T, error) {
	if list == "" {
		return all, nil
	}
	var chosen []T
	for prefix := range strings.SplitSeq(list, ",") {
		before := len(chosen)
		exact := slices.Contains(names(all), prefix)
		for _, one := range all {
			if one.key() == prefix || !exact && strings.HasPrefix(one.key(), prefix) {
				chosen = append(chosen, one)
			}
		}
		if len(chosen) == before {
			return nil, fmt.Errorf("there is no %q: name some of %s", prefix, strings.Join(names(all), ", "))
		}
	}
	return chosen, nil
}
