// Package walls holds the module's rules of who may import whom, and the test
// that enforces them.
package walls

// Module is the path of the module.
const Module = "github.com/zocalo-go/zocalo"

// A Room is what one package may import, apart from the standard library. A
// package that has no room of its own belongs to the nearest above it.
type Room struct {
	Package    string   // its path in the module
	Module     []string // what of the module, and everything below it
	ThirdParty []string // what of others, and everything below it
	Why        string
}

// Rooms returns the rules.
func Rooms() []Room {
	return []Room{
		{"cmd/devserver", []string{"internal/dev", "internal/doctor", "internal/scaffold"}, []string{"github.com/spf13/cobra"},
			"the command line is thin: what it does lives in internal/dev, internal/doctor and internal/scaffold"},
		{"internal/scaffold", []string{"templates", "views", "public"}, []string{"golang.org/x/mod"},
			"it writes files and knows nothing of what they do"},
		{"internal/dev", nil, []string{"github.com/fsnotify/fsnotify", "golang.org/x/sys"},
			"the dev loop serves any Go program, not only the framework's"},
		{"internal/doctor", nil, nil, "it looks from outside, as a browser does"},
		{"app", nil, []string{"github.com/go-chi/chi/v5", "github.com/andybalholm/brotli", "golang.org/x/text"},
			"app and realtime are http.Handlers that main introduces to each other; the view engine is an interface that app owns"},
		{"app/handlebars", []string{"app"}, []string{"github.com/aymerick/raymond"},
			"the only place that knows raymond"},
		{"realtime", []string{"realtime/parser", "realtime/adapter", "realtime/internal/engineio", "realtime/client"}, nil,
			"app and realtime are http.Handlers that main introduces to each other"},
		{"realtime/prometheus", []string{"realtime"}, []string{"github.com/prometheus/client_golang"},
			"only who wants Prometheus links it"},
		{"realtime/client", nil, nil, "bundles are data"},
		{"realtime/adapter", []string{"realtime/parser"}, nil,
			"an adapter knows packets and rooms, not connections"},
		{"realtime/parser", []string{"realtime/parser/internal"}, nil, "a codec does no I/O"},
		{"realtime/parser/msgpack", []string{"realtime/parser"}, []string{"github.com/tinylib/msgp"},
			"whoever speaks JSON alone links no MessagePack"},
		{"realtime/internal/engineio", nil, []string{"github.com/coder/websocket"},
			"the transport knows nothing of what it carries"},
		{"internal/e2e/views", []string{"app", "app/handlebars"}, nil, "express-handlebars' views, rendered by both"},
		{"views", nil, nil, "files"},
		{"public", nil, nil, "files"},
		{"templates", []string{"app", "app/handlebars", "realtime"}, nil, "files, and the names of what they need"},
		{"templates/chat", []string{"app", "app/handlebars", "realtime", "views", "public"}, nil,
			"the demo uses what a user's app can use"},
		{"templates/minimal", []string{"app", "app/handlebars", "realtime"}, nil, "it carries its own pages"},
		{"templates/api", []string{"app", "realtime"}, nil, "it has no pages"},
	}
}
