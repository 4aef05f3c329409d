package realtime

import (
	"reflect"
	"runtime"
	"slices"
	"strings"
)

// NamespaceInfo describes a namespace, or the parent of some, for lists.
type NamespaceInfo struct {
	Name    string `json:"name"`              // "/admin"; of a parent its expression, or "" for one made by OfFunc
	Parent  bool   `json:"parent,omitempty"`  // it stands for the namespaces that clients make
	Dynamic bool   `json:"dynamic,omitempty"` // a client made it

	Listeners []ListenerInfo `json:"listeners"` // what is registered on it, by event, then in the order of registration
}

// ListenerInfo describes a handler that is registered on a namespace. Those of
// an event of a client are registered on each of its sockets, by the handler of
// "connection"; see [Socket.EventNames].
type ListenerInfo struct {
	Event   string `json:"event"`   // "connection", "create-room", …, or one for ServerSideEmit
	Handler string `json:"handler"` // the function as the runtime names it: "main.main.func1", "main.(*plaza).connected"
	File    string `json:"file"`    // where it is written, or empty for a method's value
	Line    int    `json:"line"`
}

// Namespaces describes the parents, in the order of their making, and the
// namespaces of this server, by name. It may be called at any time.
func (s *Server) Namespaces() []NamespaceInfo {
	s.mu.Lock()
	parents := s.parents
	all := make([]*Namespace, 0, len(s.namespaces))
	infos := make([]NamespaceInfo, 0, len(s.namespaces)+len(parents))
	for _, n := range s.namespaces {
		all = append(all, n)
		infos = append(infos, NamespaceInfo{Name: n.name, Dynamic: n.dynamic})
	}
	s.mu.Unlock()
	for i, n := range all {
		infos[i].Listeners = n.hooks.on.describe()
	}
	slices.SortFunc(infos, func(a, b NamespaceInfo) int { return strings.Compare(a.Name, b.Name) })
	described := make([]NamespaceInfo, 0, len(infos)+len(parents))
	for _, p := range parents {
		info := NamespaceInfo{Parent: true, Listeners: p.hooks.on.describe()}
		if p.pattern != nil {
			info.Name = p.pattern.String()
		}
		described = append(described, info)
	}
	return append(described, infos...)
}

// Describe returns what a list of routes shows of the server, ready for
// encoding/json. The application that it is mounted in asks for it.
func (s *Server) Describe() any {
	return struct {
		Kind       string          `json:"kind"`
		Namespaces []NamespaceInfo `json:"namespaces"`
	}{"socket.io", s.Namespaces()}
}

// describe lists the handlers of events.
func (s *listeners) describe() []ListenerInfo {
	list := []ListenerInfo{}
	for _, name := range s.names() {
		for _, l := range s.of(event(name)) {
			list = append(list, describeFunc(name, reflect.ValueOf(l.fn)))
		}
	}
	return list
}

func describeFunc(event string, fn reflect.Value) ListenerInfo {
	info := ListenerInfo{Event: event}
	f := runtime.FuncForPC(fn.Pointer())
	if f == nil {
		return info
	}
	name, method := strings.CutSuffix(f.Name(), "-fm")
	info.Handler = name
	if !method { // the runtime made that of a method's value
		info.File, info.Line = f.FileLine(f.Entry())
	}
	return info
}
