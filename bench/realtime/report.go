package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/zocalo-go/zocalo/bench/realtime/internal/outcome"
)

// A report is what is made of the measurements.
type report struct {
	environment  string
	measurements []measurement
	quick        bool
}

// The part of the file between these lines is written anew; the prose around it stays.
const (
	begin = "<!-- what follows is written by `make bench` -->"
	end   = "<!-- what stands above is written by `make bench` -->"
)

// print writes the tables as text.
func (r report) print(w io.Writer) {
	for _, t := range r.tables() {
		fmt.Fprintf(w, "\n%s\n\n", t.title)
		columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		for _, cells := range append([][]string{t.head}, t.rows...) {
			fmt.Fprintln(columns, strings.Join(cells, "\t")+"\t")
		}
		columns.Flush()
	}
	fmt.Fprintf(w, "\n%s\n%s\n", r.environment, r.noise())
}

// write writes the tables into a file of Markdown, between its marks, and the plots beside it.
func (r report) write(path string) error {
	old, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		old = []byte(begin + "\n" + end + "\n")
	} else if err != nil {
		return err
	}
	before, rest, found := bytes.Cut(old, []byte(begin))
	_, after, closed := bytes.Cut(rest, []byte(end))
	if !found || !closed {
		return fmt.Errorf("%s has no place for the tables: it needs the lines\n%s\n%s", path, begin, end)
	}
	var b bytes.Buffer
	b.Write(before)
	fmt.Fprintf(&b, "%s\n\n", begin)
	if r.quick {
		fmt.Fprint(&b, "**From a quick run**: right to some tens of percent.\n\n")
	}
	fmt.Fprintf(&b, "%s %s\n", r.environment, r.noise())
	plots := r.plots()
	for _, t := range r.tables() {
		fmt.Fprintf(&b, "\n### %s\n\n", t.title)
		for _, file := range t.plots {
			if plots[file] != nil {
				fmt.Fprintf(&b, "![%s](%s)\n\n", plotted[file], file)
			}
		}
		t.markdown(&b)
	}
	fmt.Fprintf(&b, "\n%s", end)
	b.Write(after)
	for name, plot := range plots {
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), name), plot, 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// A table is one of the report.
type table struct {
	title string
	plots []string
	head  []string
	rows  [][]string
}

func (t table) markdown(w io.Writer) {
	line := func(cells []string) { fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | ")) }
	line(t.head)
	rule := []string{"---"}
	for range t.head[1:] {
		rule = append(rule, "--:")
	}
	line(rule)
	for _, cells := range t.rows {
		line(cells)
	}
}

func (r report) tables() []table {
	all := []table{r.costs(), r.spreads(), r.waits(), r.scale("Cost with more sockets: an echo, 64 under way, µs", "sockets", socketCounts(), socketsName),
		r.scale("Cost with more rooms: one delivery to a room of 10, one under way, µs", "rooms", roomCounts(), roomsName)}
	all[3].plots = []string{scalePlot}
	var filled []table
	for _, t := range all {
		if len(t.rows) > 0 {
			filled = append(filled, t)
		}
	}
	return filled
}

func titles(servers []server) []string {
	var all []string
	for _, s := range servers {
		all = append(all, s.title)
	}
	return all
}

// costs is the table of medians and ratios.
func (r report) costs() table {
	servers := r.measured()
	t := table{title: "CPU of the server per operation, µs", plots: []string{costPlot, memoryPlot},
		head: append(append([]string{"work"}, titles(servers)...), "Zócalo / limit", "Node / Zócalo")}
	for _, row := range append(rows(), memoryRow()) {
		cells := []string{row.title}
		measured := false
		for _, s := range servers {
			sample := r.sample(row.scenario, s.name, row.value)
			measured = measured || len(sample) > 0
			cells = append(cells, sample.String())
		}
		if measured {
			median := func(server string) float64 { return r.sample(row.scenario, server, row.value).median() }
			t.rows = append(t.rows, append(cells, ratio(median(ours), median(limit)), ratio(median(node), median(ours))))
		}
	}
	return t
}

// spreads is the table of the least and the greatest.
func (r report) spreads() table {
	servers := r.measured()
	t := table{title: "The same, the least and the greatest of all repetitions", head: append([]string{"work"}, titles(servers)...)}
	for _, row := range append(rows(), memoryRow()) {
		cells, several := []string{row.title}, false
		for _, s := range servers {
			sample := r.sample(row.scenario, s.name, row.value)
			several = several || len(sample) > 1
			cells = append(cells, sample.spread())
		}
		if several {
			t.rows = append(t.rows, cells)
		}
	}
	return t
}

// waits is the table of how long clients wait.
func (r report) waits() table {
	servers := r.measured()
	t := table{title: "How long 1,000 clients wait for an echo, median and 99th percentile, µs"}
	t.head = []string{"load"}
	for _, s := range servers {
		if crowd := r.sample("crowd", s.name, cpu); len(crowd) > 0 {
			t.head = append(t.head, s.title+", half", s.title+", 99 of 100")
		}
	}
	for _, load := range []struct{ scenario, title string }{
		{"steady", "5,000 a second, evenly"},
		{"crowd", "all at once, as fast as answered"},
	} {
		cells, some := []string{load.title}, false
		for _, s := range servers {
			half := r.sample(load.scenario, s.name, func(o outcome.Outcome) float64 { return o.P50 })
			most := r.sample(load.scenario, s.name, func(o outcome.Outcome) float64 { return o.P99 })
			if len(half) > 0 {
				cells, some = append(cells, half.String(), most.String()), true
			}
		}
		if some {
			t.rows = append(t.rows, cells)
		}
	}
	return t
}

// scale is a table of costs by a number.
func (r report) scale(title, what string, counts []int, name func(int) string) table {
	t := table{title: title, head: []string{what}}
	for _, s := range r.measured() {
		if len(r.sample(name(counts[0]), s.name, cpu)) > 0 {
			t.head = append(t.head, s.title)
		}
	}
	for _, n := range counts {
		cells := []string{count(n)}
		for _, s := range r.measured() {
			if sample := r.sample(name(n), s.name, cpu); len(sample) > 0 {
				cells = append(cells, sample.String())
			}
		}
		if len(cells) == len(t.head) && len(cells) > 1 {
			t.rows = append(t.rows, cells)
		}
	}
	return t
}

// count writes a whole number.
func count(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return figure(float64(n))
}

// environment says on what was measured.
func (m *measurer) environment(ctx context.Context, repetitions int) string {
	output := func(command ...string) string {
		out, err := exec.CommandContext(ctx, command[0], command[1:]...).Output()
		if err != nil {
			return "unknown"
		}
		return strings.TrimSpace(string(out))
	}
	model := "an unknown processor"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, rest, found := strings.Cut(string(info), "model name"); found {
			value, _, _ := strings.Cut(rest, "\n")
			model = strings.TrimLeft(value, "\t :")
		}
	}
	scheduling := "SCHED_RR"
	if m.priority == nil {
		scheduling = "the ordinary scheduling"
	}
	nodeVersion := m.ready[node]
	if nodeVersion == "" {
		nodeVersion = "without Node"
	}
	times := "medians of " + fmt.Sprint(repetitions) + " repetitions"
	if repetitions == 1 {
		times = "one run each"
	}
	return fmt.Sprintf("%s, commit %s: %s, Linux %s, %s, %s; %s, server and load generator on a processor each, under %s.",
		time.Now().Format(time.DateOnly), output("git", "describe", "--always", "--dirty"), model, output("uname", "-r"),
		strings.Replace(runtime.Version(), "go", "Go ", 1), nodeVersion, times, scheduling)
}
