package dev

import (
	"path"
	"slices"
	"strings"
)

// A change is what was saved since the last one, as slash-separated names
// relative to the app's directory.
type change struct {
	sources []string // ask for a build
	styles  []string // swapped in place
	images  []string // swapped in place
	views   []string // ask for the page to be rendered again
	assets  []string // ask for the page to be loaded again
}

func (c change) empty() bool {
	return len(c.sources)+len(c.styles)+len(c.images)+len(c.views)+len(c.assets) == 0
}

// add files a name where it belongs.
func (c *change) add(name string) {
	list := map[kind]*[]string{source: &c.sources, style: &c.styles, image: &c.images, view: &c.views, asset: &c.assets}[classify(name)]
	if list != nil && !slices.Contains(*list, name) {
		*list = append(*list, name)
	}
}

// merge adds all of other.
func (c *change) merge(other change) {
	for _, name := range slices.Concat(other.sources, other.styles, other.images, other.views, other.assets) {
		c.add(name)
	}
}

// A kind says what a saved file asks for.
type kind int

const (
	ignored kind = iota
	source
	style
	image
	view
	asset
)

// These files end up in a page wherever they lie.
var (
	viewExts  = []string{".handlebars", ".hbs", ".html", ".tmpl"}
	imageExts = []string{".svg", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".ico"}
	assetExts = []string{".js", ".mjs", ".woff", ".woff2"}
)

// classify tells the kind of a file from its name alone. What an app writes
// while it runs (logs, databases) must be ignored, so only known names count.
func classify(name string) kind {
	base, ext := path.Base(name), path.Ext(name)
	switch {
	case base == ".env" || base == "go.mod" || base == "go.sum" || base == "go.work":
		return source
	case strings.HasPrefix(base, ".") || strings.HasPrefix(base, "#") || strings.HasSuffix(base, "~") ||
		strings.HasSuffix(base, ".tmp") || strings.HasSuffix(base, ".swp") || strings.HasSuffix(base, ".swx"):
		return ignored
	case strings.HasSuffix(base, "_test.go"):
		return ignored
	case ext == ".go":
		return source
	case ext == ".css":
		return style
	case slices.Contains(imageExts, ext):
		return image
	case slices.Contains(viewExts, ext) || strings.HasPrefix(name, "views/"):
		return view
	case strings.HasPrefix(name, "public/"):
		return asset
	case slices.Contains(assetExts, ext):
		return asset
	}
	return ignored
}

// skipped reports whether a directory of this name is never watched: version
// control, editors, dependencies, and what the go command skips, too.
func skipped(base string) bool {
	return base == "node_modules" || base == "vendor" || base == "testdata" ||
		strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")
}
