package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/zocalo-go/zocalo/internal/marked"
)

// A result is what every round of a row cost each server, in microseconds of CPU for a request.
type result struct {
	row   row
	costs map[string][]float64
}

// ratios compares two servers round by round: what else the machine did hit both alike.
func (r result) ratios(server, other string) []float64 {
	var list []float64
	for i := range min(len(r.costs[server]), len(r.costs[other])) {
		list = append(list, r.costs[server][i]/r.costs[other][i])
	}
	return list
}

// report is the Markdown of both tables.
func report(names []string, results []result, rounds, requests int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d processors, %s; load average %s while it ran. Medians of %d rounds of %d requests over eight connections.\n\n",
		processor(), runtime.NumCPU(), runtime.Version(), loadAverage(), rounds, requests)
	line(&b, append([]string{"µs of CPU a request"}, names...))
	line(&b, slices.Repeat([]string{"---"}, len(names)+1))
	for _, r := range results {
		cells := []string{r.row.title}
		for _, name := range names {
			cells = append(cells, fmt.Sprintf("%.1f", median(r.costs[name])))
		}
		line(&b, cells)
	}
	if !slices.Contains(names, ours) {
		return b.String()
	}
	others := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == ours })
	b.WriteString("\nZócalo's cost divided by that of another server in the same round: the median, and the least and the most of all rounds.\n\n")
	line(&b, append([]string{"ratio to"}, others...))
	line(&b, slices.Repeat([]string{"---"}, len(others)+1))
	for _, r := range results {
		cells := []string{r.row.title}
		for _, name := range others {
			list := r.ratios(ours, name)
			cells = append(cells, fmt.Sprintf("%.2f (%.2f–%.2f)", median(list), slices.Min(list), slices.Max(list)))
		}
		line(&b, cells)
	}
	return b.String()
}

func line(b *strings.Builder, cells []string) {
	b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

// write puts the report into the guide.
func write(text string) error {
	return marked.Replace("../../docs/performance.md", "make bench-app", text)
}

// processor is the name that the system has for the processor.
func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for l := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}
