// Command cluster measures what a broadcast over three nodes costs: the processor
// time of all nodes, kernel included, for each delivery to a client, beside Node.js
// with npm's adapters on the same Redis, in turns.
//
// It starts a Redis of its own, and needs redis-server and node in the path, and
// npm's packages in the directory node. The clients belong to this process.
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
	messages := flag.Int("messages", 200, "broadcasts of a round, one after the other")
	rounds := flag.Int("rounds", 3, "rounds; the median counts")
	page := flag.String("page", "", "a page into which the table is written, between its markers")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	table, err := run(ctx, *clients, *messages, *rounds)
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

// kinds are the adapters that both have.
var kinds = []string{"pubsub", "sharded", "streams"}

// run measures all kinds, in turns.
func run(ctx context.Context, clients, messages, rounds int) (table string, err error) {
	redis, stop, err := startRedis(ctx)
	if err != nil {
		return "", err
	}
	defer stop()
	type cost struct{ go_, node []float64 }
	costs := make(map[string]*cost)
	for range rounds {
		for _, kind := range kinds {
			c := costs[kind]
			if c == nil {
				c = &cost{}
				costs[kind] = c
			}
			ours, err := measure(ctx, goNode, kind, redis, clients, messages)
			if err != nil {
				return "", fmt.Errorf("Go, %s: %w", kind, err)
			}
			theirs, err := measure(ctx, nodeNode, kind, redis, clients, messages)
			if err != nil {
				return "", fmt.Errorf("Node.js, %s: %w", kind, err)
			}
			fmt.Fprintf(os.Stderr, "%s: %.2f µs, Node.js %.2f µs\n", kind, ours, theirs)
			c.go_, c.node = append(c.go_, ours), append(c.node, theirs)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Medians of %d round(s) of %d broadcasts from one of %d nodes to %d clients.\n\n", rounds, messages, nodes, clients)
	b.WriteString("| µs of CPU of all nodes a delivery | zocalo | Node.js | zocalo / Node.js |\n| --- | --- | --- | --- |\n")
	for _, kind := range kinds {
		ours, theirs := median(costs[kind].go_), median(costs[kind].node)
		fmt.Fprintf(&b, "| Redis, %s | %.2f | %.2f | %.2f |\n", kind, ours, theirs, ours/theirs)
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
