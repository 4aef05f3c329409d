package app

import (
	"net/http"
	"slices"
	"strings"
)

// A RouteInfo is one route of an application, for lists.
type RouteInfo struct {
	Method string // "" for all methods
	Path   string // with the prefixes of the routers around it
}

// Routes lists the routes of the router and of those mounted in it, in the order of registration. A mounted
// http.Handler is one for all methods, with a path that ends in "/*".
func (r *Router) Routes() []RouteInfo { return r.appendRoutes(nil, "") }

func (r *Router) appendRoutes(list []RouteInfo, prefix string) []RouteInfo {
	join := func(path string) string {
		if path == "/" && prefix != "" {
			return prefix
		}
		return prefix + path
	}
	for _, l := range r.layers {
		switch {
		case l.router != nil:
			list = l.router.appendRoutes(list, prefix+strings.TrimRight(l.path, "/"))
		case l.handler != nil:
			list = append(list, RouteInfo{Path: join(strings.TrimRight(l.path, "/") + "/*")})
		case l.routes != nil:
			for _, rt := range l.routes.all {
				for _, path := range rt.paths {
					for _, method := range rt.methods {
						list = append(list, RouteInfo{method, join(path)})
					}
				}
			}
		}
	}
	return list
}

// nearestRoutes are the routes that a person who asked for a path may have meant, best first.
func nearestRoutes(routes []RouteInfo, method, path string, limit int) []RouteInfo {
	type candidate struct {
		RouteInfo
		distance int
	}
	var list []candidate
	path = foldASCII(path)
	for _, rt := range routes {
		d := pathDistance(path, foldASCII(rt.Path))
		if rt.Method != "" && rt.Method != method && !(rt.Method == http.MethodGet && method == http.MethodHead) {
			d++
		}
		list = append(list, candidate{rt, d})
	}
	slices.SortStableFunc(list, func(a, b candidate) int { return a.distance - b.distance })
	var best []RouteInfo
	for _, c := range list {
		if len(best) < limit && !slices.Contains(best, c.RouteInfo) {
			best = append(best, c.RouteInfo)
		}
	}
	return best
}

// pathDistance compares segment by segment; a parameter is like anything.
func pathDistance(path, pattern string) int {
	a, b := strings.Split(strings.Trim(path, "/"), "/"), strings.Split(strings.Trim(pattern, "/"), "/")
	d := 0
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(a):
			d += 2 + len(b[i])
		case i >= len(b):
			d += 2 + len(a[i])
		case strings.HasPrefix(b[i], "*"):
			return d + 1
		case strings.ContainsAny(b[i], ":{*"):
			d++
		default:
			d += 2 * editDistance(a[i], b[i])
		}
	}
	return d
}
