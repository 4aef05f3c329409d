package app

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// listingVariable names the file that an application writes what it answers to, instead of serving: a line of JSON,
// {"routes":[RouteInfo, …],"mounts":[{"pattern","description"}, …]}. devserver routes sets it.
const listingVariable = "ZOCALO_ROUTES"

// A describer is a mounted handler that can tell what it answers, as a value for encoding/json.
type describer interface{ Describe() any }

type listing struct {
	Routes []RouteInfo `json:"routes"` // all of Stack
	Mounts []mount     `json:"mounts"`
}

type mount struct {
	Pattern     string `json:"pattern"`
	Description any    `json:"description"`
}

// list writes the listing if the environment asks for it, and reports whether it does.
func (a *App) list() (asked bool, err error) {
	file := os.Getenv(listingVariable)
	if file == "" {
		return false, nil
	}
	text, err := json.Marshal(listing{a.Stack(), a.mounts(nil, "")})
	if err != nil {
		return true, fmt.Errorf("app: list routes: %w", err)
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return true, fmt.Errorf("app: list routes (%s): %w", listingVariable, err)
	}
	// One write, so that the lines of several applications in a process do not mix.
	_, err = f.Write(append(text, '\n'))
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return true, fmt.Errorf("app: list routes: %w", err)
	}
	return true, nil
}

// mounts describes the mounted handlers that can be described.
func (r *Router) mounts(list []mount, prefix string) []mount {
	for _, l := range r.layers {
		if l.router != nil {
			for _, path := range l.paths {
				list = l.router.mounts(list, prefix+strings.TrimRight(path, "/"))
			}
		}
		if d, ok := l.handler.(describer); ok {
			list = append(list, mount{prefix + strings.TrimRight(l.path, "/") + "/*", d.Describe()})
		}
	}
	return list
}
