package app

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"
)

// routes is a run of consecutive routes with an index: a chi.Mux behind a map.
//
// chi answers with the most specific pattern, Express with the first that was registered. So chi is not asked for
// the route but for a leaf: each pattern has a shape, which is what chi can tell apart (text, a parameter, a
// wildcard at the end), and the leaf of a shape lists, in order, every route of the run that can match the same
// path as that shape, decided segment by segment at registration. A request looks its leaf up and tries the leaf's
// routes one after the other; for most tables that is one.
//
// Where only a few routes can match a path with that first segment, alone or with more behind it, there is nothing for
// chi to tell apart.
type routes struct {
	strict, fold bool
	mux          *chi.Mux
	leaves       map[string]*leaf       // by chi's pattern
	beginning    map[string]*beginnings // by a first segment that some route names
	all          []*route
}

// beginnings are the routes that can match a path with a certain first segment: the segment alone, and with more behind.
type beginnings [2][]*route

// few is how many routes are tried without asking chi, which takes as long as six that do not match.
const few = 4

type leaf struct {
	shape  []string
	routes []*route
}

func newRoutes(config RouterConfig) *routes {
	return &routes{strict: config.Strict, fold: !config.CaseSensitive, mux: chi.NewMux(), leaves: map[string]*leaf{}, beginning: map[string]*beginnings{}}
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
	for _, p := range rt.patterns {
		first, named := p.first()
		if named && rs.beginning[first] == nil {
			lists := &beginnings{}
			for _, earlier := range rs.all {
				lists.add(first, earlier)
			}
			rs.beginning[first] = lists
		}
	}
	rs.all = append(rs.all, rt)
	for _, l := range rs.leaves {
		if rt.overlaps(l.shape) {
			l.routes = append(l.routes, rt)
		}
	}
	for first, lists := range rs.beginning {
		lists.add(first, rt)
	}
}

func (lists *beginnings) add(first string, rt *route) {
	for more := range lists {
		if slices.ContainsFunc(rt.patterns, func(p *pattern) bool { return p.mayBegin(first, more == 1) }) {
			lists[more] = append(lists[more], rt)
		}
	}
}

// first is the first segment of all paths that match, if there is but one.
func (p *pattern) first() (string, bool) {
	if len(p.shape) == 0 {
		return "", true
	}
	return strings.CutPrefix(p.shape[0], "=")
}

// mayBegin reports whether a path with a first segment, and more segments behind it or none, can match.
func (p *pattern) mayBegin(first string, more bool) bool {
	if text, named := p.first(); named && text != first {
		return false
	}
	n := len(p.shape)
	if n == 1 && p.shape[0] == "*" {
		return true
	}
	return more == (n > 1)
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

// findBehind is find for the routes that were registered later than one of them.
func (rs *routes) findBehind(last *route, rctx *chi.Context, path string) []*route {
	earlier := rs.all[:slices.Index(rs.all, last)+1]
	found := rs.find(rctx, path)
	for len(found) > 0 && slices.Contains(earlier, found[0]) {
		found = found[1:]
	}
	return found
}

// find returns the routes that may match path, in order. It asks the mux with a routing context that is used again.
func (rs *routes) find(rctx *chi.Context, path string) []*route {
	if !rs.strict && len(path) > 1 && path[len(path)-1] == '/' {
		path = path[:len(path)-1]
	}
	if rs.fold {
		path = foldASCII(path)
	}
	first, more := path[1:], 0
	if i := strings.IndexByte(first, '/'); i >= 0 {
		first, more = first[:i], 1
	}
	if lists := rs.beginning[first]; lists != nil && len(lists[more]) <= few {
		return lists[more]
	}
	rctx.Reset()
	if l := rs.leaves[rs.mux.Find(rctx, lookupMethod, path)]; l != nil {
		return l.routes
	}
	return nil
}
