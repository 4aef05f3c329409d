package main

import (
	"fmt"
	"math"
	"slices"
)

// The files of the plots.
const (
	costPlot   = "performance-cpu.svg"
	memoryPlot = "performance-memory.svg"
	scalePlot  = "performance-scale.svg"
)

// plotted says what each plot shows, for those who do not see it.
var plotted = map[string]string{
	costPlot:   "CPU of the server per operation, of each server and of the limit, on a logarithmic scale",
	memoryPlot: "Memory of an idle connection, of each server and of the limit",
	scalePlot:  "Cost of an echo by the number of sockets, and of a delivery by the number of rooms",
}

// plots returns the pictures of which there is anything to show.
func (r report) plots() map[string][]byte {
	all := map[string][]byte{}
	for name, plot := range map[string]func() []byte{costPlot: r.plotCosts, memoryPlot: r.plotMemory, scalePlot: r.plotScale} {
		if picture := plot(); picture != nil {
			all[name] = picture
		}
	}
	return all
}

// median returns NaN where nothing was measured.
func (r report) median(row row, server string) float64 {
	return r.sample(row.scenario, server, row.value).median()
}

// legend writes the servers' marks and names in a line.
func (d *drawing) legend(x, y float64, servers []server) {
	for _, s := range servers {
		d.dot(x, y-4, s.name)
		d.text(x+11, y, "", s.title)
		x += 32 + 7*float64(len([]rune(s.title)))
	}
}

// plotCosts draws a line for each kind of work, with a mark for each server on a logarithmic axis.
func (r report) plotCosts() []byte {
	const width, left, right, top, each = 860, 240, 120, 62, 28
	var shown []row
	least, most := math.Inf(1), math.Inf(-1)
	for _, row := range rows() {
		some := false
		for _, s := range r.measured() {
			if x := r.median(row, s.name); !math.IsNaN(x) {
				least, most, some = min(least, x), max(most, x), true
			}
		}
		if some {
			shown = append(shown, row)
		}
	}
	if len(shown) == 0 {
		return nil
	}
	bottom := top + each*float64(len(shown))
	d := draw(width, bottom+34, "CPU of the server per operation")
	d.legend(left, 20, r.measured())
	axis := scale{least / 1.5, most * 1.3, left, width - right, true}
	for _, x := range decades(axis.from, axis.to) {
		d.line(axis.place(x), top-8, axis.place(x), bottom, "grid")
		d.text(axis.place(x), bottom+16, "soft middle", fmt.Sprintf("%g µs", x))
	}
	d.text(width-right+58, top-14, "ours strong end", "Zócalo")
	d.text(width-8, top-14, "node strong end", "Node")
	for i, row := range shown {
		y := top + each*(float64(i)+0.5)
		d.text(left-14, y+4, "end", row.title)
		from, to := math.Inf(1), math.Inf(-1)
		for _, s := range r.measured() {
			if x := r.median(row, s.name); !math.IsNaN(x) {
				from, to = min(from, x), max(to, x)
			}
		}
		d.line(axis.place(from), y, axis.place(to), y, "span")
		drawn := r.measured()
		slices.Reverse(drawn) // ours on top
		for _, s := range drawn {
			if x := r.median(row, s.name); !math.IsNaN(x) {
				d.dot(axis.place(x), y, s.name)
			}
		}
		d.text(width-right+58, y+4, "strong end", figure(r.median(row, ours)))
		d.text(width-8, y+4, "end", figure(r.median(row, node)))
	}
	return d.done()
}

// plotMemory draws a bar for each server.
func (r report) plotMemory() []byte {
	const width, left, right, top, each = 860, 240, 120, 44, 30
	most := 0.0
	for _, s := range r.measured() {
		if x := r.median(memoryRow(), s.name); x > most {
			most = x
		}
	}
	if most == 0 {
		return nil
	}
	d := draw(width, top+each*float64(len(r.measured()))+8, "Memory per idle connection")
	d.text(left, 20, "strong", "KiB of RSS per idle WebSocket, in a namespace and a room, after a garbage collection")
	axis := scale{0, most, left, width - right, false}
	for i, s := range r.measured() {
		y := top + each*float64(i)
		d.text(left-14, y+15, "end", s.title)
		if x := r.median(memoryRow(), s.name); !math.IsNaN(x) {
			d.add(`<rect x="%d" y="%.1f" width="%.1f" height="20" rx="2" class="%s"/>`, left, y, max(1, axis.place(x)-left), s.name)
			d.text(axis.place(x)+8, y+15, "strong", figure(x))
		}
	}
	return d.done()
}

// plotScale draws the cost by the number of sockets, and by that of rooms.
func (r report) plotScale() []byte {
	const width, height = 860, 300
	d := draw(width, height, "Cost with more sockets and more rooms")
	left := r.panel(d, 50, "an echo, by the number of sockets, µs", socketCounts(), socketsName)
	right := r.panel(d, 480, "a delivery, by the number of rooms, µs", roomCounts(), roomsName)
	if !left && !right {
		return nil
	}
	return d.done()
}

// panel draws one half of the picture; false if there is nothing to draw.
func (r report) panel(d *drawing, left float64, title string, counts []int, name func(int) string) bool {
	const top, bottom, width = 44.0, 262.0, 290.0
	points := func(s server) (xs []int, ys []float64) {
		for _, n := range counts {
			if y := r.sample(name(n), s.name, cpu).median(); !math.IsNaN(y) {
				xs, ys = append(xs, n), append(ys, y)
			}
		}
		return xs, ys
	}
	most := 0.0
	for _, s := range r.measured() {
		if _, ys := points(s); len(ys) > 0 {
			most = max(most, slices.Max(ys))
		}
	}
	if most == 0 {
		return false
	}
	values := steps(most * 1.05)
	across := scale{float64(counts[0]), float64(counts[len(counts)-1]), left, left + width, true}
	up := scale{0, values[len(values)-1], bottom, top, false}
	d.text(left, 22, "strong", title)
	for _, y := range values {
		d.line(left, up.place(y), left+width, up.place(y), "grid")
		d.text(left-8, up.place(y)+4, "soft end", fmt.Sprintf("%g", y))
	}
	for _, n := range counts {
		d.text(across.place(float64(n)), bottom+20, "soft middle", count(n))
	}
	for _, s := range r.measured() {
		xs, ys := points(s)
		if len(xs) == 0 {
			continue
		}
		fmt.Fprintf(d, `<polyline class="line %s" points="`, s.name)
		for i, x := range xs {
			fmt.Fprintf(d, "%.1f,%.1f ", across.place(float64(x)), up.place(ys[i]))
		}
		d.add(`"/>`)
		for i, x := range xs {
			d.dot(across.place(float64(x)), up.place(ys[i]), s.name)
		}
		d.text(left+width+12, up.place(ys[len(ys)-1])+4, s.name+" strong", s.title)
	}
	return true
}
