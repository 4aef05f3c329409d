package app

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"
)

// routes is a run of consecutive routes with one chi.Mux as its index.
//
// chi answers with the most specific pattern, Express with the first that was registered. So chi is not asked for
// the route but for a leaf: each pattern has a shape, which is what chi can tell apart (text, a parameter, a
// wildcard at the end), and the leaf of a shape lists, in order, every route of the run that can match the same
// path as that shape, decided segment by segment at registration. A request looks its leaf up and tries the leaf's
// routes one after the other; for most tables that is one.
type routes struct {
	strict, fold bool
	mux          *chi.Mux
	leaves       map[string]*leaf // by chi's pattern
	all          []*route
}

type leaf struct {
	shape  []string
	routes []*route
}

func newRoutes(config RouterConfig) *routes {
	return &routes{strict: config.Strict, fold: !config.CaseSensitive, mux: chi.NewMux(), leaves: map[string]*leaf{}}
}

func (rs *routes) add(rt *route) {
	for _, p := range rt.patterns {
		path := chiPattern(p.shape)
		if rs.leaves[path] != nil {
			continue
		}
		l := &leaf{shape: p.shape}
		for _, earlier := range rs.all {
			if earlier.overlaps(l.shape) {
				l.routes = append(l.routes, earlier)
			}
		}
		rs.leaves[path] = l
		rs.mux.Method(lookupMethod, path, http.NotFoundHandler()) // it is asked for the pattern only
	}
	rs.all = append(rs.all, rt)
	for _, l := range rs.leaves {
		if rt.overlaps(l.shape) {
			l.routes = append(l.routes, rt)
		}
	}
}

// chiPattern writes a shape for chi. Parameters are named by their place, so that equal shapes are equal patterns.
func chiPattern(shape []string) string {
	if len(shape) == 0 {
		return "/"
	}
	var b strings.Builder
	for i, s := range shape {
		b.WriteByte('/')
		switch {
		case s == "":
			b.WriteString("{" + strconv.Itoa(i) + "}")
		case s == "*":
			b.WriteByte('*')
		default:
			b.WriteString(s[1:])
		}
	}
	return b.String()
}

// overlaps reports whether some path could match both the route and the shape.
func (rt *route) overlaps(shape []string) bool {
	return slices.ContainsFunc(rt.patterns, func(p *pattern) bool { return shapesOverlap(p.shape, shape) })
}

func shapesOverlap(a, b []string) bool {
	if len(a) == 0 {
		a = rootShape
	}
	if len(b) == 0 {
		b = rootShape
	}
	for i := range min(len(a), len(b)) {
		if a[i] == "*" || b[i] == "*" {
			return true
		}
		if a[i] != "" && b[i] != "" && a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}

var rootShape = []string{"="}

// lookupMethod is the method under which all leaves are registered: the methods of a route are its own business.
const lookupMethod = http.MethodGet

// find returns the routes that may match path, in order. It asks the mux with a routing context that is used again.
func (rs *routes) find(rctx *chi.Context, path string) []*route {
	if !rs.strict && len(path) > 1 && path[len(path)-1] == '/' {
		path = path[:len(path)-1]
	}
	if rs.fold {
		path = foldASCII(path)
	}
	rctx.Reset()
	if l := rs.leaves[rs.mux.Find(rctx, lookupMethod, path)]; l != nil {
		return l.routes
	}
	return nil
}
