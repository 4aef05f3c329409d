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
		{"cmd/devserver", []string{"internal/terminal", "internal/dev", "internal/doctor", "internal/generate", "internal/natsd", "internal/routes", "internal/scaffold"}, []string{"github.com/spf13/cobra"},
			"the command line is thin: what it does lives in internal/dev, internal/doctor, internal/generate, internal/natsd, internal/routes and internal/scaffold"},
		{"internal/scaffold", []string{"templates", "views", "public"}, []string{"golang.org/x/mod"},
			"it writes files and knows nothing of what they do"},
		{"internal/dev", nil, []string{"github.com/fsnotify/fsnotify", "golang.org/x/sys"},
			"the dev loop serves any Go program, not only the framework's"},
		{"internal/terminal", nil, []string{"golang.org/x/sys", "rsc.io/qr"}, "keys and QR codes know nothing of what they are for"},
		{"internal/doctor", nil, nil, "it looks from outside, as a browser does"},
		{"internal/natsd", nil, nil, "a server needs no client, and a user of devserver not the server of NATS"},
		{"internal/routes", nil, nil, "it asks the app, and reads its source: it links neither"},
		{"internal/generate", nil, nil, "it writes files and knows nothing of what they do"},
		{"app", nil, []string{"github.com/go-chi/chi/v5", "github.com/andybalholm/brotli", "golang.org/x/text"},
			"app and realtime are http.Handlers that main introduces to each other; the view engine is an interface that app owns"},
		{"app/handlebars", []string{"app"}, []string{"github.com/aymerick/raymond"},
			"the only place that knows raymond"},
		{"realtime", []string{"realtime/parser", "realtime/adapter", "realtime/internal/engineio", "realtime/client"}, nil,
			"app and realtime are http.Handlers that main introduces to each other"},
		{"realtime/presence", []string{"realtime", "realtime/adapter"}, nil,
			"it is made of what an application has, too: sockets, rooms, and the cluster's messages"},
		{"realtime/prometheus", []string{"realtime"}, []string{"github.com/prometheus/client_golang"},
			"only who wants Prometheus links it"},
		{"realtime/client", nil, nil, "bundles are data"},
		{"realtime/adapter", []string{"realtime/parser"}, nil,
			"an adapter knows packets and rooms, not connections"},
		{"realtime/adapter/cluster/wire", []string{"realtime/adapter", "realtime/adapter/cluster", "realtime/parser", "realtime/parser/msgpack"}, nil,
			"only engines that speak with Node link MessagePack"},
		{"realtime/emitter", []string{"realtime/adapter", "realtime/parser"}, nil,
			"a program that emits is no server, and links none"},
		{"realtime/adapter/adaptertest", []string{"realtime", "realtime/adapter", "realtime/emitter"}, nil,
			"it tests adapters as a user's application meets them"},
		{"realtime/adapter/nats", []string{"realtime/adapter", "realtime/parser"}, []string{"github.com/nats-io/nats.go"},
			"only who has NATS links it"},
		{"realtime/adapter/redis", []string{"realtime/adapter", "realtime/adapter/cluster/wire", "realtime/parser", "realtime/parser/msgpack"}, []string{"github.com/redis/go-redis/v9", "github.com/tinylib/msgp"},
			"only who has Redis links it"},
		{"realtime/adapter/postgres", []string{"realtime/adapter", "realtime/adapter/cluster/wire", "realtime/parser"}, []string{"github.com/jackc/pgx/v5"},
			"only who has PostgreSQL links it"},
		{"realtime/parser", []string{"realtime/parser/internal"}, nil, "a codec does no I/O"},
		{"realtime/parser/msgpack", []string{"realtime/parser"}, []string{"github.com/tinylib/msgp"},
			"whoever speaks JSON alone links no MessagePack"},
		{"realtime/internal/engineio", nil, []string{"github.com/coder/websocket"},
			"the transport knows nothing of what it carries"},
		{"internal/e2e/views", []string{"app", "app/handlebars"}, nil, "express-handlebars' views, rendered by both"},
		{"views", nil, nil, "files"},
		{"public", nil, nil, "files"},
		{"templates", []string{"app", "app/handlebars", "realtime", "realtime/adapter/nats", "realtime/adapter/postgres", "realtime/adapter/redis"}, nil, "files, and the names of what they need"},
		{"templates/chat", []string{"app", "app/handlebars", "realtime", "realtime/presence", "views", "public"}, nil,
			"the demo uses what a user's app can use"},
		{"templates/minimal", []string{"app", "app/handlebars", "realtime"}, nil, "it carries its own pages"},
		{"templates/api", []string{"app", "realtime"}, nil, "it has no pages"},
	}
}
