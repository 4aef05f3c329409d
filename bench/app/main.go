// Command app measures what an HTTP request costs a server in CPU time, for Zócalo's app beside bare net/http, chi, Echo,
// Gin, Fiber, Express and Fastify. Every server is a process of its own and answers the same requests with the same bodies;
// the rounds of all servers take turns, so that what else the machine does hits them alike.
//
//	go run . [-rounds 5] [-requests 20000] [-rows text,json] [-servers chi,zocalo]
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
	flag.Parse()
	if err := run(*rounds, *requests, list(*onlyRows), list(*onlyServers)); err != nil {
		log.Fatal(err)
	}
}

func list(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

func run(rounds, requests int, onlyRows, onlyServers []string) error {
	dir, err := files()
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var servers []*server
	for _, name := range serverNames() {
		if onlyServers != nil && !slices.Contains(onlyServers, name) {
			continue
		}
		s, err := start(name, dir)
		if err != nil {
			fmt.Printf("%s is left out: %v\n", name, err)
			continue
		}
		defer s.stop()
		servers = append(servers, s)
	}
	fmt.Printf("%-12s", "µs CPU/req")
	for _, s := range servers {
		fmt.Printf("%10s", s.name)
	}
	fmt.Println("   zocalo/chi")
	for _, row := range rows() {
		if onlyRows != nil && !slices.Contains(onlyRows, row.name) {
			continue
		}
		costs := map[string][]float64{}
		for round := -1; round < rounds; round++ {
			for _, s := range servers {
				n := requests
				if round < 0 {
					n = requests / 5 // to warm up, and to check the answer
				}
				cost, err := s.measure(row, n)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", s.name, row.name, err)
				}
				if round >= 0 {
					costs[s.name] = append(costs[s.name], cost)
				}
			}
		}
		fmt.Printf("%-12s", row.name)
		for _, s := range servers {
			fmt.Printf("%10.2f", median(costs[s.name]))
		}
		if chi, z := median(costs["chi"]), median(costs["zocalo"]); chi > 0 && z > 0 {
			var ratios []float64
			for i := range costs["chi"] {
				ratios = append(ratios, costs["zocalo"][i]/costs["chi"][i])
			}
			fmt.Printf("%13.3f", median(ratios))
		}
		fmt.Println()
	}
	return nil
}

func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}
