// Command cluster measures what a broadcast over three nodes costs: the processor
// time of all nodes, kernel included, for each delivery to a client, beside Node.js
// with npm's adapters on the same Redis, in turns.
//
// It starts a Redis of its own, and needs Linux, taskset, redis-server and node, and
// npm's packages in the directory node. The clients belong to this process, which
// should leave the first processor to the nodes, as make bench-cluster has it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == "node" {
		check(serve(os.Args[2], os.Args[3]))
		return
	}
	clients := flag.Int("clients", 1000, "clients of all nodes together")
	broadcasts := flag.Int("broadcasts", 200, "broadcasts of a row in a round")
	rounds := flag.Int("rounds", 3, "rounds; the median counts")
	page := flag.String("page", "", "a page into which the table is written, between its markers")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	table, err := run(ctx, *clients, *broadcasts, *rounds)
	check(err)
	fmt.Print(table)
	if *page != "" {
		check(write(*page, table))
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

// row is what is measured together: an adapter that both have, and how many
// broadcasts are in flight.
type row struct {
	kind     string
	inFlight int
}

func (r row) String() string {
	if r.inFlight == 1 {
		return fmt.Sprintf("Redis, %s, one at a time", r.kind)
	}
	return fmt.Sprintf("Redis, %s, %d in flight", r.kind, r.inFlight)
}

func rows() (all []row) {
	for _, inFlight := range []int{1, 8} {
		for _, kind := range []string{"pubsub", "sharded", "streams"} {
			all = append(all, row{kind, inFlight})
		}
	}
	return all
}

// run measures all rows, in turns.
func run(ctx context.Context, clients, broadcasts, rounds int) (table string, err error) {
	redis, stop, err := startRedis(ctx)
	if err != nil {
		return "", err
	}
	defer stop()
	type costs struct{ ours, theirs, ratios []float64 }
	all := make(map[row]*costs)
	for range rounds {
		for _, r := range rows() {
			l := load{clients, broadcasts, r.inFlight}
			ours, err := measure(ctx, goNode, r.kind, redis, l)
			if err != nil {
				return "", fmt.Errorf("zocalo, %v: %w", r, err)
			}
			theirs, err := measure(ctx, nodeNode, r.kind, redis, l)
			if err != nil {
				return "", fmt.Errorf("node, %v: %w", r, err)
			}
			fmt.Fprintf(os.Stderr, "%v: %.2f µs, Node.js %.2f µs\n", r, ours, theirs)
			c := all[r]
			if c == nil {
				c = &costs{}
				all[r] = c
			}
			c.ours, c.theirs, c.ratios = append(c.ours, ours), append(c.theirs, theirs), append(c.ratios, ours/theirs)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Medians of %d round(s) of %d broadcasts from one of %d nodes to %d clients, and the least and the most of the ratio.\n\n", rounds, broadcasts, nodes, clients)
	b.WriteString("| µs of CPU of all nodes a delivery | zocalo | Node.js | zocalo / Node.js |\n| --- | --- | --- | --- |\n")
	for _, r := range rows() {
		c := all[r]
		fmt.Fprintf(&b, "| %v | %.2f | %.2f | %.2f (%.2f–%.2f) |\n", r, median(c.ours), median(c.theirs),
			median(c.ratios), slices.Min(c.ratios), slices.Max(c.ratios))
	}
	return b.String(), nil
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

const (
	begin = "<!-- what follows is written by `make bench-cluster` -->\n"
	end   = "<!-- what stands above is written by `make bench-cluster` -->"
)

// write puts the table into a page.
func write(page, table string) error {
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(text), begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return errors.New("the page has no markers of make bench-cluster")
	}
	return os.WriteFile(page, []byte(before+begin+table+end+after), 0o644)
}
