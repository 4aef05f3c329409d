package app

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// options are the settings in the form in which a request uses them.
type options struct {
	development     bool
	etag            func(body []byte) string // nil: none
	jsonEscape      bool
	jsonIndent      string
	views           []fs.FS
	viewsName       string // for messages
	viewEngine      string
	viewCache       bool
	poweredBy       bool
	trustProxy      func(address string, hop int) bool
	subdomainOffset int
	bodyLimit       int64
	bodyTimeout     time.Duration
	jsonpCallback   string
	queryParser     func(raw string) *Object
	cookieSecrets   []string
	uploadLimits    UploadLimits
	validator       func(v any) error
	shutdownTimeout time.Duration
}

// knownSettings are the settings, each with the function that takes its value.
var knownSettings = map[string]func(o *options, value any) error{
	"env": func(o *options, v any) error {
		s, err := as[string](v)
		if o.development = s == "development"; err == nil && s != "development" && s != "production" {
			err = fmt.Errorf(`it is "development" or "production", not %q`, s)
		}
		return err
	},
	"etag": func(o *options, v any) (err error) {
		switch v := v.(type) {
		case bool:
			o.etag = nil
			if v {
				o.etag = WeakETag
			}
		case string:
			switch v {
			case "weak":
				o.etag = WeakETag
			case "strong":
				o.etag = StrongETag
			default:
				err = fmt.Errorf(`it is true, false, "weak", "strong" or a func(body []byte) string, not %q`, v)
			}
		default:
			o.etag, err = as[func([]byte) string](v)
		}
		return err
	},
	"json escape": func(o *options, v any) (err error) { o.jsonEscape, err = as[bool](v); return err },
	"json spaces": func(o *options, v any) (err error) {
		if n, ok := v.(int); ok {
			o.jsonIndent = strings.Repeat(" ", max(0, min(n, 10)))
			return nil
		}
		o.jsonIndent, err = as[string](v)
		o.jsonIndent = o.jsonIndent[:min(len(o.jsonIndent), 10)]
		return err
	},
	"views": func(o *options, v any) error {
		switch v := v.(type) {
		case fs.FS:
			o.views, o.viewsName = []fs.FS{v}, "views"
			return nil
		case string:
			o.views, o.viewsName = []fs.FS{&rootDir{dir: v}}, v
			return nil
		case []string:
			if len(v) == 0 {
				return errors.New("name at least one directory")
			}
			o.views, o.viewsName = nil, strings.Join(v, ", ")
			for _, dir := range v {
				o.views = append(o.views, &rootDir{dir: dir})
			}
			return nil
		}
		return fmt.Errorf("it is the name of a directory, several of them, or an fs.FS, not a %T", v)
	},
	"view engine": func(o *options, v any) (err error) {
		o.viewEngine, err = as[string](v)
		o.viewEngine = strings.TrimPrefix(o.viewEngine, ".")
		return err
	},
	"view cache":   func(o *options, v any) (err error) { o.viewCache, err = as[bool](v); return err },
	"x-powered-by": func(o *options, v any) (err error) { o.poweredBy, err = as[bool](v); return err },
	"trust proxy":  func(o *options, v any) (err error) { o.trustProxy, err = compileTrust(v); return err },
	"subdomain offset": func(o *options, v any) (err error) {
		o.subdomainOffset, err = as[int](v)
		return err
	},
	"jsonp callback name": func(o *options, v any) (err error) { o.jsonpCallback, err = as[string](v); return err },
	"query parser": func(o *options, v any) (err error) {
		switch v := v.(type) {
		case bool:
			o.queryParser = noQuery
			if v {
				o.queryParser = parseSimple
			}
		case string:
			switch v {
			case "simple":
				o.queryParser = parseSimple
			case "extended":
				o.queryParser = parseExtended
			default:
				err = fmt.Errorf(`it is "simple", "extended", true, false or a func(raw string) *Object, not %q`, v)
			}
		default:
			o.queryParser, err = as[func(string) *Object](v)
		}
		return err
	},
	"cookie secret": func(o *options, v any) (err error) {
		switch v := v.(type) {
		case string:
			o.cookieSecrets = []string{v}
		default:
			o.cookieSecrets, err = as[[]string](v)
		}
		if err == nil && (len(o.cookieSecrets) == 0 || slices.Contains(o.cookieSecrets, "")) {
			err = fmt.Errorf("it is a text, or a list of them of which the first signs, none of them empty")
		}
		return err
	},
	"upload limits": func(o *options, v any) error {
		limits, err := as[UploadLimits](v)
		if err == nil && (limits.Body < 0 || limits.File < 0 || limits.Files < 0 || limits.Memory < 0) {
			err = fmt.Errorf("a limit is above 0, or 0 for its default")
		}
		o.uploadLimits = limits.or(defaultUploadLimits())
		return err
	},
	"validator": func(o *options, v any) (err error) {
		o.validator, err = as[func(any) error](v)
		return err
	},
	"body limit": func(o *options, v any) (err error) { o.bodyLimit, err = byteCount(v); return err },
	"body timeout": func(o *options, v any) (err error) {
		if o.bodyTimeout, err = as[time.Duration](v); err == nil && o.bodyTimeout <= 0 {
			err = fmt.Errorf("it is longer than nothing, not %v", v)
		}
		return err
	},
	"shutdown timeout": func(o *options, v any) (err error) {
		if o.shutdownTimeout, err = as[time.Duration](v); err == nil && o.shutdownTimeout <= 0 {
			err = fmt.Errorf("it is longer than nothing, not %v", v)
		}
		return err
	},
	// The two of the router are kept in its RouterConfig.
	"case sensitive routing": func(_ *options, v any) error { _, err := as[bool](v); return err },
	"strict routing":         func(_ *options, v any) error { _, err := as[bool](v); return err },
}

func as[T any](v any) (T, error) {
	t, ok := v.(T)
	if !ok {
		return t, fmt.Errorf("it is a %T, not a %T", t, v)
	}
	return t, nil
}

// Set changes a setting. The settings are Express's, with their defaults:
//
//	case sensitive routing   false; set it before the first route
//	cookie secret            none; what signs cookies, or a []string of which the first signs and all verify
//	env                      $ZOCALO_ENV; "production"
//	etag                     "weak"; "strong", true, false or a func(body []byte) string
//	json escape              false; true writes <, > and & as escapes
//	json spaces              ""; the indentation of JSON, or a number of spaces
//	jsonp callback name      "callback"; the parameter of the query that names the function of JSONP
//	query parser             "simple"; "extended" reads brackets as objects and lists, false nothing, or a
//	                         func(raw string) *Object
//	strict routing           false; set it before the first route
//	subdomain offset         2; how many parts of the host name are no subdomain
//	trust proxy              false; see [Request.IP]
//	view cache               true in production
//	view engine              the extension of views named without one
//	views                    "views"; a directory, several as a []string, or an fs.FS
//	x-powered-by             false
//
// and some of Zócalo's own
//
//	body limit               "100kb"; the largest body that Bind, Text and Bytes read, a number is bytes
//	body timeout             5 * time.Minute, Node's; how long a body may take once it is read. One that takes longer is a
//	                         408 error, and the connection closes
//	upload limits            the UploadLimits of multipart bodies
//	validator                a func(v any) error that Bind asks about what it has bound
//	shutdown timeout         10 * time.Second; how long Serve waits for requests when it stops
//
// A mounted application inherits what it does not set itself, but, as in Express, not what has a default of its own:
// env, etag, jsonp callback name, query parser, subdomain offset, view cache, views and x-powered-by. Set panics on an unknown name and on a value that
// does not fit; data of your own belongs in [App.Locals].
func (a *App) Set(name string, value any) *App {
	apply, ok := knownSettings[name]
	if !ok {
		cure := "data of your own belongs in App.Locals"
		if near := nearest(name, slices.Collect(maps.Keys(knownSettings))); near != "" {
			cure = fmt.Sprintf("did you mean %q? (%s)", near, cure)
		}
		panic(fmt.Sprintf("app: unknown setting %q: %s", name, cure))
	}
	var scratch options
	if err := apply(&scratch, value); err != nil {
		panic(fmt.Sprintf("app: setting %q: %v", name, err))
	}
	if name == "case sensitive routing" || name == "strict routing" {
		if len(a.layers) > 0 {
			panic(fmt.Sprintf("app: setting %q: set it before anything is registered, paths are compiled then", name))
		}
		if on := value.(bool); name == "strict routing" {
			a.config.Strict = on
		} else {
			a.config.CaseSensitive = on
		}
	}
	a.settings[name] = value
	a.resolve()
	return a
}

// Setting returns the value of a setting as it was given to Set, here or in the application around this one, or nil
// when it has its default.
func (a *App) Setting(name string) any {
	for ; a != nil; a = a.parent {
		if v, ok := a.settings[name]; ok {
			return v
		}
		if !isInherited(name) {
			break
		}
	}
	return nil
}

// isInherited reports whether a mounted application takes a setting over.
func isInherited(name string) bool {
	switch name {
	case "env", "etag", "jsonp callback name", "query parser", "subdomain offset", "view cache", "views", "x-powered-by":
		return false
	}
	return true
}

// Enable sets a setting to true.
func (a *App) Enable(name string) *App { return a.Set(name, true) }

// Disable sets a setting to false.
func (a *App) Disable(name string) *App { return a.Set(name, false) }

// Enabled reports whether a setting was set to anything but false.
func (a *App) Enabled(name string) bool {
	v := a.Setting(name)
	return v != nil && v != false
}

// Disabled is the opposite of Enabled.
func (a *App) Disabled(name string) bool { return !a.Enabled(name) }

// resolve computes the options from the settings of the applications around a, outermost first, and its own.
func (a *App) resolve() {
	var chain []*App
	for app := a; app != nil; app = app.parent {
		chain = append(chain, app)
	}
	o := options{
		development:     os.Getenv("ZOCALO_ENV") == "development",
		etag:            WeakETag,
		subdomainOffset: 2,
		bodyLimit:       100 << 10,
		bodyTimeout:     5 * time.Minute,
		jsonpCallback:   "callback",
		queryParser:     parseSimple,
		uploadLimits:    defaultUploadLimits(),
		shutdownTimeout: 10 * time.Second,
	}
	for _, app := range slices.Backward(chain) {
		for name, value := range app.settings {
			if app == a || isInherited(name) {
				_ = knownSettings[name](&o, value) // Set has checked it
			}
		}
	}
	if o.views == nil {
		o.views, o.viewsName = []fs.FS{&rootDir{dir: "views"}}, "views"
	}
	if a.Setting("view cache") == nil {
		o.viewCache = !o.development
	}
	a.options = o
}

// byteCount reads a number of bytes: an int, or "100kb" as the bytes package of npm writes it.
func byteCount(v any) (int64, error) {
	switch v := v.(type) {
	case int:
		if v > 0 {
			return int64(v), nil
		}
	case string:
		number := strings.TrimRight(strings.ToLower(v), "kmgb")
		units := map[string]int64{"": 1, "b": 1, "kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30}
		unit, ok := units[strings.ToLower(v)[len(number):]]
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if ok && err == nil && n > 0 {
			return int64(n * float64(unit)), nil
		}
	}
	return 0, fmt.Errorf(`it is a number of bytes above 0, or text like "100kb", not %#v`, v)
}

// nearest is the candidate that is most like s, or "" if none is.
func nearest(s string, candidates []string) string {
	slices.Sort(candidates)
	best, distance := "", max(len(s)/3, 2)+1
	for _, c := range candidates {
		if d := editDistance(foldASCII(s), foldASCII(c)); d < distance {
			best, distance = c, d
		}
	}
	return best
}

// editDistance counts the insertions, deletions and replacements between two strings.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
