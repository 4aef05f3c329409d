package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// The part of the file between these lines is written anew.
const (
	begin = "<!-- what follows is written by `make bench-dev` -->"
	end   = "<!-- what stands above is written by `make bench-dev` -->"
)

const (
	ours = "devserver"
	vite = "Vite"
)

// A report is what was measured.
type report struct {
	environment string
	vite        string // its version
	rows        []*row
}

// A row is how long one thing took, each time.
type row struct {
	what, goal, who string
	took            []time.Duration
}

// row adds a row.
func (r *report) row(what, goal, who string) *row {
	row := &row{what: what, goal: goal, who: who}
	r.rows = append(r.rows, row)
	return row
}

func (r *row) add(d time.Duration) { r.took = append(r.took, d) }

// quantile is the smallest value that so much of all is not above.
func (r *row) quantile(q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(r.took))
	return sorted[max(0, int(q*float64(len(sorted))+0.999999)-1)]
}

// cells are median, 95th percentile and count.
func (r *row) cells() []string {
	if len(r.took) == 0 {
		return []string{"", "", ""}
	}
	return []string{milliseconds(r.quantile(0.5)), milliseconds(r.quantile(0.95)), fmt.Sprint(len(r.took))}
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
}

// table has a line for each thing, with both programs side by side.
func (r *report) table() [][]string {
	head := []string{"From", "goal", ours + ", median", "p95", "times", strings.TrimSpace(vite + " " + r.vite), "p95", "times"}
	lines := [][]string{head}
	for _, mine := range r.rows {
		if mine.who != ours {
			continue
		}
		theirs := &row{}
		for _, other := range r.rows {
			if other.who == vite && other.what == mine.what {
				theirs = other
			}
		}
		line := append([]string{mine.what, cmp.Or(mine.goal, "-")}, mine.cells()...)
		lines = append(lines, append(line, theirs.cells()...))
	}
	return lines
}

func (r *report) print(w io.Writer) {
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	lines := r.table()
	if len(lines) == 1 { // of Vite alone
		for _, row := range r.rows {
			lines = append(lines, append([]string{row.who + ": " + row.what, row.goal}, row.cells()...))
		}
	}
	for _, line := range lines {
		fmt.Fprintln(columns, strings.Join(line, "\t"))
	}
	columns.Flush()
	fmt.Fprintln(w, r.environment)
}

// write puts the table between the marks of a file of Markdown.
func (r *report) write(path string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := bytes.Cut(old, []byte(begin))
	_, after, closed := bytes.Cut(rest, []byte(end))
	if !found || !closed {
		return fmt.Errorf("%s has no place for the table: it needs the lines\n%s\n%s", path, begin, end)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s%s\n\n%s\n\n", before, begin, r.environment)
	for i, line := range r.table() {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(line, " | "))
		if i == 0 {
			fmt.Fprintf(&b, "| --- |%s\n", strings.Repeat(" ---: |", len(line)-1))
		}
	}
	fmt.Fprintf(&b, "\n%s%s", end, after)
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// environment describes the machine and the programs.
func environment(ctx context.Context, w *window) string {
	version := func(name string, args ...string) string {
		out, err := exec.CommandContext(ctx, name, args...).Output()
		if err != nil {
			return name + " unknown"
		}
		return strings.TrimSpace(string(out))
	}
	return fmt.Sprintf("%s, %d processors, load average %s at the start; %s; Node %s; %s. %s.", processor(), runtime.NumCPU(), load(), runtime.Version(),
		version("node", "--version"), strings.TrimSpace(version("chromium", "--version")), time.Now().UTC().Format("2 January 2006"))
}

// load is how many others wanted a processor in the last minute.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	average, _, _ := strings.Cut(string(text), " ")
	return average
}

func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
