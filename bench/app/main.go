// Command app measures what an HTTP request costs a server in CPU time, for Zócalo's app beside bare net/http, chi, Echo,
// Gin, Fiber, Express and Fastify. Every server is a process of its own and answers the same requests with the same bodies;
// the rounds of all servers take turns, so that what else the machine does hits them alike.
//
//	go run . [-rounds 5] [-requests 20000] [-rows text,json] [-servers chi,zocalo] [-page]
//
// Node's servers need npm install in node/; without it they are left out and named.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"slices"
	"strings"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "serve" {
		serve(os.Args[2])
		return
	}
	rounds := flag.Int("rounds", 5, "how often each row is measured")
	requests := flag.Int("requests", 20000, "how many requests a measurement takes")
	onlyRows := flag.String("rows", "", "rows to measure, by name")
	onlyServers := flag.String("servers", "", "servers to measure, by name")
	page := flag.Bool("page", false, "write the tables into docs/performance.md; needs every server")
	flag.Parse()
	if err := run(*rounds, *requests, list(*onlyRows), list(*onlyServers), *page); err != nil {
		log.Fatal(err)
	}
}

func list(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

const ours = "zocalo"

func run(rounds, requests int, onlyRows, onlyServers []string, page bool) error {
	dir, err := files()
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var servers []*server
	var names []string
	for _, name := range serverNames() {
		if onlyServers != nil && !slices.Contains(onlyServers, name) {
			continue
		}
		s, err := start(name, dir)
		if err != nil {
			fmt.Printf("%s is left out: %v\n", name, err)
			page = false
			continue
		}
		defer s.stop()
		servers, names = append(servers, s), append(names, name)
	}
	var results []result
	for _, row := range rows() {
		if onlyRows != nil && !slices.Contains(onlyRows, row.name) {
			continue
		}
		r, err := measureRow(row, servers, rounds, requests)
		if err != nil {
			return err
		}
		results = append(results, r)
		fmt.Fprintln(os.Stderr, row.title+" is measured")
	}
	text := report(names, results, rounds, requests)
	fmt.Print(text)
	if !page {
		return nil
	}
	return write(text)
}

// measureRow lets the servers take turns, each beginning a round once.
func measureRow(row row, servers []*server, rounds, requests int) (result, error) {
	r := result{row, map[string][]float64{}}
	for round := -1; round < rounds; round++ {
		for i := range servers {
			s := servers[(i+round+1)%len(servers)]
			n := requests
			if round < 0 {
				n = requests / 5 // to warm up, and to check the answer
			}
			cost, err := s.measure(row, n)
			if err != nil {
				return r, fmt.Errorf("%s, %s: %w", s.name, row.name, err)
			}
			if round >= 0 {
				r.costs[s.name] = append(r.costs[s.name], cost)
			}
		}
	}
	return r, nil
}

func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}
