package main

import (
	"bytes"
	"fmt"
	"html"
	"math"
)

// A drawing is an SVG picture that is made line by line. Its colours change with the reader's scheme, light or dark.
type drawing struct{ bytes.Buffer }

// draw begins a picture.
func draw(width, height float64, title string) *drawing {
	d := &drawing{}
	d.add(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" width="%g" height="%g" role="img">`, width, height, width, height)
	d.add(`<title>%s</title>`, html.EscapeString(title))
	d.add(`<style>
text{font:12px system-ui,-apple-system,"Segoe UI",sans-serif;fill:#1f2328}
.soft{fill:#59636e}.strong{font-weight:600}.end{text-anchor:end}.middle{text-anchor:middle}
.grid{stroke:#d1d9e0;stroke-width:1}.span{stroke:#b7bfc8;stroke-width:2}
.line{fill:none;stroke-width:2;stroke-linejoin:round}
.ours{fill:#0969da;stroke:#0969da}.node{fill:#bc4c00;stroke:#bc4c00}.plain{fill:#8250df;stroke:#8250df}
.sketch{fill:#1a7f37;stroke:#1a7f37}.limit{fill:#59636e;stroke:#59636e}
text.ours,text.node,text.plain,text.sketch,text.limit{stroke:none}polyline.line{fill:none}
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.soft{fill:#9198a1}.grid{stroke:#30363d}.span{stroke:#59636e}
.ours{fill:#58a6ff;stroke:#58a6ff}.node{fill:#f0883e;stroke:#f0883e}.plain{fill:#bc8cff;stroke:#bc8cff}
.sketch{fill:#3fb950;stroke:#3fb950}.limit{fill:#9198a1;stroke:#9198a1}polyline.line{fill:none}}
</style>`)
	return d
}

func (d *drawing) add(format string, args ...any) { fmt.Fprintf(d, format+"\n", args...) }

func (d *drawing) text(x, y float64, class, text string) {
	d.add(`<text x="%.1f" y="%.1f" class="%s">%s</text>`, x, y, class, html.EscapeString(text))
}

func (d *drawing) line(x1, y1, x2, y2 float64, class string) {
	d.add(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" class="%s"/>`, x1, y1, x2, y2, class)
}

// dot marks a value of a server, each with a shape of its own, so that colour is not needed to tell them apart.
func (d *drawing) dot(x, y float64, server string) {
	switch server {
	case node:
		d.add(`<rect x="%.1f" y="%.1f" width="9" height="9" class="%s"/>`, x-4.5, y-4.5, server)
	case limit:
		d.add(`<path d="M%.1f %.1fv12" class="%s" stroke-width="3"/>`, x, y-6, server)
	case plain:
		d.add(`<path d="M%.1f %.1fl5 8.6h-10z" class="%s"/>`, x, y-5.5, server)
	case sketch:
		d.add(`<circle cx="%.1f" cy="%.1f" r="3.5" class="%s" style="fill:none" stroke-width="1.5"/>`, x, y, server)
	default:
		d.add(`<circle cx="%.1f" cy="%.1f" r="5.5" class="%s"/>`, x, y, server)
	}
}

// done ends the picture.
func (d *drawing) done() []byte {
	d.add("</svg>")
	return d.Bytes()
}

// A scale takes values to places.
type scale struct {
	from, to float64 // values
	at, end  float64 // places
	log      bool
}

func (s scale) place(value float64) float64 {
	from, to := s.from, s.to
	if s.log {
		from, to, value = math.Log(from), math.Log(to), math.Log(value)
	}
	return s.at + (value-from)/(to-from)*(s.end-s.at)
}

// decades returns the powers of ten from one value to another.
func decades(from, to float64) []float64 {
	var all []float64
	for x := math.Pow(10, math.Ceil(math.Log10(from))); x <= to*1.0001; x *= 10 {
		all = append(all, x)
	}
	return all
}

// steps returns round values from 0 to a maximum, and the first of them that is not below it is the last.
func steps(maximum float64) []float64 {
	size := math.Pow(10, math.Floor(math.Log10(maximum)))
	for _, part := range []float64{0.2, 0.5, 1, 2} {
		if size*part*5 >= maximum {
			size *= part
			break
		}
	}
	all := []float64{0}
	for all[len(all)-1] < maximum {
		all = append(all, all[len(all)-1]+size)
	}
	return all
}
