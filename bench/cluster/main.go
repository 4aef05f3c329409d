// Command cluster measures what a broadcast over three nodes costs: the processor
// time of all nodes, kernel included, for each delivery to a client, beside Node.js
// with npm's adapters on the same Redis, and beside the limit, in turns.
//
// The limit is three processes of the bare loop over epoll of bench/realtime/limit. They
// know nothing of Redis or of each other: each is told of every broadcast by a
// connection of its own, and writes the same bytes to as many clients.
//
// It starts a Redis of its own, and needs Linux, taskset, redis-server and node, and
// npm's packages in the directory node. The clients belong to this process, which
// should leave the first processor to the nodes, as make bench-cluster has it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/zocalo-go/zocalo/internal/marked"
)

func main() {
	if len(os.Args) > 4 && os.Args[1] == "node" {
		check(serve(os.Args[2], os.Args[3], os.Args[4]))
		return
	}
	clients := flag.Int("clients", 1000, "clients of all nodes together")
	broadcasts := flag.Int("broadcasts", 200, "broadcasts of a row in a round")
	rounds := flag.Int("rounds", 3, "rounds; the median counts")
	page := flag.Bool("page", false, "write the table into docs/performance.md, too")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	table, err := run(ctx, *clients, *broadcasts, *rounds)
	check(err)
	fmt.Print(table)
	if *page {
		check(marked.Replace("../../docs/performance.md", "make bench-cluster", table))
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

// mostInFlight is how many broadcasts are in flight at most.
const mostInFlight = 8

func rows() (all []row) {
	for _, inFlight := range []int{1, mostInFlight} {
		for _, kind := range []string{"pubsub", "sharded", "streams"} {
			all = append(all, row{kind, inFlight})
		}
	}
	return all
}

// run measures all rows, in turns.
func run(ctx context.Context, clients, broadcasts, rounds int) (table string, err error) {
	bare, remove, err := buildLimit(ctx)
	if err != nil {
		return "", err
	}
	defer remove()
	redis, stop, err := startRedis(ctx)
	if err != nil {
		return "", err
	}
	defer stop()
	all := make(map[row]*costs)
	for range rounds {
		for _, r := range rows() {
			var took [3]float64 // by ours, Node.js and the limit
			for i, s := range []server{ours, nodeJS, limit(bare)} {
				if took[i], err = measure(ctx, s, r.kind, redis, load{clients, broadcasts, r.inFlight}); err != nil {
					return "", fmt.Errorf("%s, %v: %w", s.name, r, err)
				}
			}
			fmt.Fprintf(os.Stderr, "%v: %.2f µs, Node.js %.2f µs, limit %.2f µs\n", r, took[0], took[1], took[2])
			c := all[r]
			if c == nil {
				c = &costs{}
				all[r] = c
			}
			c.add(took[0], took[1], took[2])
		}
	}
	return report(all, clients, broadcasts, rounds), nil
}

// report is the table, and what it shows.
func report(all map[row]*costs, clients, broadcasts, rounds int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Medians of %d round(s) of %d broadcasts from one of %d nodes to %d clients, and the least and the most of the ratios. "+
		"The limit is %[3]d processes of the bare loop over epoll of `make bench`, which hold the same clients and write the same bytes to them, without Redis: "+
		"what it costs is the kernel's almost alone.\n\n", rounds, broadcasts, nodes, clients)
	b.WriteString("| µs of CPU of all nodes a delivery | zocalo | Node.js | limit | zocalo / Node.js | limit / Node.js |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, r := range rows() {
		c := all[r]
		fmt.Fprintf(&b, "| %v | %.2f | %.2f | %.2f | %s | %s |\n", r, median(c.ours), median(c.nodeJS), median(c.limit),
			spread(c.ratios), spread(c.limits))
	}
	return b.String()
}

// costs are what the rounds of a row have measured, in µs, and in parts of what Node.js
// took in the same round.
type costs struct{ ours, nodeJS, limit, ratios, limits []float64 }

func (c *costs) add(ours, nodeJS, limit float64) {
	c.ours, c.nodeJS, c.limit = append(c.ours, ours), append(c.nodeJS, nodeJS), append(c.limit, limit)
	c.ratios, c.limits = append(c.ratios, ours/nodeJS), append(c.limits, limit/nodeJS)
}

// spread is the median, and the least and the most.
func spread(values []float64) string {
	return fmt.Sprintf("%.2f (%.2f–%.2f)", median(values), slices.Min(values), slices.Max(values))
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
