// Views measures package handlebars beside npm's handlebars 4.7 (compiled, warm) and html/template: the CPU that one
// rendering costs, of all threads, in the same run. It needs Node and npm, and prints a table.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"html/template"
	"io"
	"log"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/zocalo-go/zocalo/app"
	"github.com/zocalo-go/zocalo/app/handlebars"
	"github.com/zocalo-go/zocalo/internal/marked"
)

// rounds is how often each page is measured; the median counts.
const rounds = 5

// A page is what is measured.
type page struct {
	Data   any  `json:"data"`
	Count  int  `json:"count"` // of renderings in a round
	Layout bool `json:"layout"`
	name   string
	bar    float64 // what the ratio to handlebars.js is to be at most
}

func main() {
	log.SetFlags(0)
	page := flag.Bool("page", false, "write the tables into docs/performance.md, too")
	flag.Parse()
	var text strings.Builder
	if err := run(io.MultiWriter(os.Stdout, &text)); err != nil {
		log.Fatal(err)
	}
	if *page {
		if err := marked.Replace("../../docs/performance.md", "make bench-views", text.String()); err != nil {
			log.Fatal(err)
		}
	}
}

func run(out io.Writer) error {
	pages := []page{
		{indexData(), 20_000, true, "index", 0.25},
		{tableData(100), 4_000, false, "table", 0.33},
		{listData(1000), 1_000, false, "list", 0.6},
	}
	peer, err := startNode(pages)
	if err != nil {
		return err
	}
	defer peer.stop()
	std, err := template.ParseGlob("views/*.html")
	if err != nil {
		return err
	}
	engine := handlebars.New(handlebars.Config{})
	views := os.DirFS("views")
	fmt.Fprintln(out, "| page | handlebars.js | html/template | maps | structs | ratio, maps | ratio, structs | bar | bytes equal |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|---|---|")
	for _, p := range pages {
		view := app.View{FS: views, Name: p.name + ".handlebars", Cache: true}
		options := handlebars.RenderOptions{}
		if !p.Layout {
			options.Layout = handlebars.NoLayout
		}
		view.Options = []any{options}
		with := func(data app.Map) func(w io.Writer) error {
			v := view
			v.Data = data
			return func(w io.Writer) error { return engine.Render(w, v) }
		}
		structs, maps := with(fields(p.Data)), with(decoded(p.Data))
		var js, ours, ourMaps, html []float64
		equal := false
		for range rounds {
			answer, err := peer.measure(p.name)
			if err != nil {
				return err
			}
			var text bytes.Buffer
			if err := structs(&text); err != nil {
				return err
			}
			equal = text.String() == answer.Text
			js = append(js, answer.CPU)
			ours = append(ours, cpu(p.Count, structs))
			ourMaps = append(ourMaps, cpu(p.Count, maps))
			html = append(html, cpu(p.Count/4, func(w io.Writer) error { return std.ExecuteTemplate(w, p.name+".html", p.Data) }))
		}
		j := median(js)
		fmt.Fprintf(out, "| %s | %.1f µs | %.1f µs | %.1f µs | %.1f µs | %.2f | %.2f | %.2f | %v |\n", p.name, j, median(html), median(ourMaps),
			median(ours), median(ourMaps)/j, median(ours)/j, p.bar, equal)
	}
	return linear(out, engine)
}

// linear shows that the time of a list grows with the number of its rows.
func linear(out io.Writer, engine *handlebars.Engine) error {
	views := os.DirFS("views")
	fmt.Fprintln(out, "\n| rows | µs a rendering | ns a row |\n|---|---|---|")
	for _, n := range []int{10, 100, 1000, 10_000, 100_000} {
		view := app.View{
			FS: views, Name: "list.handlebars", Cache: true, Data: fields(listData(n)),
			Options: []any{handlebars.RenderOptions{Layout: handlebars.NoLayout}},
		}
		took := cpu(max(1, 1_000_000/n), func(w io.Writer) error { return engine.Render(w, view) })
		fmt.Fprintf(out, "| %d | %.1f | %.0f |\n", n, took, took*1000/float64(n))
	}
	return nil
}

// cpu is the microseconds of CPU that one call costs.
func cpu(count int, render func(io.Writer) error) float64 {
	before := used()
	for range count {
		if err := render(io.Discard); err != nil {
			log.Fatal(err)
		}
	}
	return float64((used() - before).Microseconds()) / float64(count)
}

// used is the CPU time of the process so far, the garbage collector's included.
func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		log.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}

// fields makes the data of a page of a struct: a map of its fields.
func fields(data any) app.Map {
	switch d := data.(type) {
	case index:
		return app.Map{"title": d.Title, "site": d.Site, "user": d.User, "cards": d.Cards}
	case table:
		return app.Map{"rows": d.Rows}
	case list:
		return app.Map{"items": d.Items}
	}
	panic(fmt.Sprintf("%T", data))
}

// decoded makes maps and lists of the data.
func decoded(data any) (m app.Map) {
	text, err := json.Marshal(data)
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		log.Fatal(err)
	}
	return m
}

// A node is a process that measures handlebars.js.
type node struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines *bufio.Reader
}

type answer struct {
	CPU  float64
	Text string
}

func startNode(pages []page) (*node, error) {
	if _, err := os.Stat("node_modules/handlebars"); err != nil {
		install := exec.Command("npm", "ci", "--no-audit", "--no-fund")
		if out, err := install.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("npm ci: %w\n%s", err, out)
		}
	}
	cmd := exec.Command("node", "bench.mjs")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	byName := map[string]page{}
	for _, p := range pages {
		byName[p.name] = p
	}
	n := &node{cmd, in, bufio.NewReaderSize(out, 1<<20)}
	if err := json.NewEncoder(in).Encode(map[string]any{"views": "views", "pages": byName}); err != nil {
		return nil, err
	}
	for range 2 { // until the compiler has done its work
		for _, p := range pages {
			if _, err := n.measure(p.name); err != nil {
				return nil, err
			}
		}
	}
	return n, nil
}

func (n *node) measure(name string) (a answer, err error) {
	if _, err := fmt.Fprintln(n.in, name); err != nil {
		return a, err
	}
	line, err := n.lines.ReadBytes('\n')
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(line, &a)
}

func (n *node) stop() {
	n.in.Close()
	_ = n.cmd.Wait()
}
