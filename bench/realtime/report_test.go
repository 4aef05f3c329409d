package main

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/zocalo-go/zocalo/bench/realtime/internal/outcome"
)

// full returns a report in which everything was measured, or all but one server.
func full(without string) report {
	r := report{environment: "On a machine."}
	for _, sc := range scenarios(false) {
		for i, s := range servers() {
			if s.name == without || !sc.has(s.name) {
				continue
			}
			for repetition := range 3 {
				cost := float64(10*i + repetition + 1)
				r.measurements = append(r.measurements, measurement{Scenario: sc.name, Server: s.name, Repetition: repetition,
					Outcome: outcome.Outcome{CPU: cost, RSS: cost, P50: cost, P99: 2000 * cost}})
			}
		}
	}
	return r
}

func TestReport(t *testing.T) {
	path := filepath.Join(t.TempDir(), "performance.md")
	if err := os.WriteFile(path, []byte("before\n"+begin+"\nold\n"+end+"\nafter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // what it wrote is a place to write again
		if err := full("").write(path); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	if !strings.HasPrefix(text, "before\n") || !strings.HasSuffix(text, "\nafter\n") || strings.Contains(text, "old") {
		t.Errorf("the prose around the tables is not what it was:\n%s", text)
	}
	for _, want := range []string{
		"| echo with ack | 2.0 | 12.0 | 22.0 | 32.0 | 42.0 | 0.05 | 6.00 |",
		"| echo with ack | 1.0–3.0 |",
		"| 5,000 a second, evenly | 2.0 | 4,000 |",
		"| 10,000 | 2.0 | 12.0 | 42.0 |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q:\n%s", want, text)
		}
	}
	for name := range full("").plots() {
		if _, err := os.Stat(filepath.Join(filepath.Dir(path), name)); err != nil || !strings.Contains(text, "]("+name+")") {
			t.Errorf("%s was not written, or the page does not show it: %v", name, err)
		}
	}
}

func TestReportNeedsItsPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "performance.md")
	if err := os.WriteFile(path, []byte("prose"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := full("").write(path); err == nil || !strings.Contains(err.Error(), begin) {
		t.Errorf("the error does not say which lines are missing: %v", err)
	}
}

// What was not measured is a dash, never a number, and never a panic.
func TestReportOfLess(t *testing.T) {
	for _, without := range []string{ours, node, limit} {
		r := full(without)
		r.print(io.Discard)
		for name, plot := range r.plots() {
			if strings.Contains(string(plot), "NaN") || strings.Contains(string(plot), "Inf") {
				t.Errorf("%s without %s has a place that is no number", name, without)
			}
		}
		for _, table := range r.tables() {
			for _, cells := range table.rows {
				if len(cells) != len(table.head) {
					t.Errorf("%q without %s: %q under %q", table.title, without, cells, table.head)
				}
			}
		}
	}
	if echo := full(node).costs().rows[0]; echo[len(echo)-1] != "–" {
		t.Errorf("a ratio to what was not measured: %q", echo)
	}
	if r := (report{}); len(r.tables()) != 0 || len(r.plots()) != 0 {
		t.Error("there is something in a report of nothing")
	}
}

func TestPlotsAreXML(t *testing.T) {
	for name, plot := range full("").plots() {
		d := xml.NewDecoder(strings.NewReader(string(plot)))
		for {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
				break
			}
		}
	}
}

func TestFigure(t *testing.T) {
	for x, want := range map[float64]string{0.345: "0.34", 4.06: "4.1", 99.94: "99.9", 176.4: "176", 1213.6: "1,214", 10_000: "10,000",
		1_234_567: "1,234,567", 999.7: "1,000", math.NaN(): "–", math.Inf(1): "–"} {
		if got := figure(x); got != want {
			t.Errorf("figure(%v) is %q, want %q", x, got, want)
		}
	}
}

func TestSteps(t *testing.T) {
	for maximum, want := range map[float64][]float64{0.9: {0, 0.2, 0.4, 0.6, 0.8, 1}, 4.2: {0, 1, 2, 3, 4, 5}, 34: {0, 10, 20, 30, 40}, 1300: {0, 500, 1000, 1500}} {
		got := steps(maximum)
		for i := range got {
			got[i] = math.Round(got[i]*1000) / 1000
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("steps(%v) are %v, want %v", maximum, got, want)
		}
	}
}
