package app

import (
	"cmp"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// LoggerOptions are the options of [Logger]. The zero value logs in the format "combined" to slog.Default.
type LoggerOptions struct {
	// Format is one of morgan's, "combined", "common", "short", "tiny", "dev", or a text with its tokens: :method :url
	// :status :remote-addr :remote-user :date[clf|iso|web] :http-version :referrer :user-agent :response-time :total-time
	// :req[Header] :res[Header].
	Format string

	Logger *slog.Logger

	// Skip leaves a request out.
	Skip func(r *http.Request, status int) bool
}

// Logger is middleware that logs each request when it has been answered, a line in one of morgan's formats with the
// attributes status and duration: at level error from status 500 on, at level info otherwise.
//
//	server.UseHTTP(app.Logger(app.LoggerOptions{Format: "dev"}))
func Logger(options ...LoggerOptions) func(http.Handler) http.Handler {
	if len(options) > 1 {
		panic("app: Logger takes one LoggerOptions at most")
	}
	var o LoggerOptions
	if len(options) == 1 {
		o = options[0]
	}
	line := compileFormat(o.Format)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			e := &logEntry{request: r, address: clientAddress(r), start: time.Now()}
			e.writer = &recorder{ResponseWriter: w}
			defer func() {
				e.status = cmp.Or(e.writer.status, http.StatusOK)
				if o.Skip != nil && o.Skip(r, e.status) {
					return
				}
				e.took = time.Since(e.start)
				logger, level := o.Logger, slog.LevelInfo
				if logger == nil {
					logger = slog.Default()
				}
				if e.status >= 500 {
					level = slog.LevelError
				}
				logger.LogAttrs(r.Context(), level, line(e), slog.Int("status", e.status), slog.Duration("duration", e.took))
			}()
			next.ServeHTTP(e.writer, r)
		})
	}
}

// clientAddress is [Request.IP] of the request that r was made of.
func clientAddress(r *http.Request) string {
	if c, ok := r.Context().Value(crossingKey{}).(*crossing); ok {
		return c.x.req.IP()
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

type logEntry struct {
	request *http.Request
	address string
	writer  *recorder
	start   time.Time
	took    time.Duration
	status  int
}

// compileFormat makes a function of a format. It panics on a token that it does not know.
func compileFormat(format string) func(*logEntry) string {
	switch format {
	case "", "combined":
		format = `:remote-addr - :remote-user [:date[clf]] ":method :url HTTP/:http-version" :status :res[content-length] ":referrer" ":user-agent"`
	case "common":
		format = `:remote-addr - :remote-user [:date[clf]] ":method :url HTTP/:http-version" :status :res[content-length]`
	case "short":
		format = ":remote-addr :remote-user :method :url HTTP/:http-version :status :res[content-length] - :response-time ms"
	case "tiny":
		format = ":method :url :status :res[content-length] - :response-time ms"
	case "dev":
		format = ":method :url :status :response-time ms - :res[content-length]"
	}
	var parts []func(*logEntry) string
	for format != "" {
		i := strings.IndexByte(format, ':')
		if i < 0 || i+1 == len(format) || format[i+1] < 'a' || format[i+1] > 'z' {
			i = max(i+1, 0)
			if i == 0 {
				i = len(format)
			}
			text := format[:i]
			parts, format = append(parts, func(*logEntry) string { return text }), format[i:]
			continue
		}
		text, rest := format[:i], format[i+1:]
		n := strings.IndexFunc(rest, func(r rune) bool { return r != '-' && (r < 'a' || r > 'z') })
		if n < 0 {
			n = len(rest)
		}
		name, argument := rest[:n], ""
		if rest = rest[n:]; strings.HasPrefix(rest, "[") {
			argument, rest, _ = strings.Cut(rest[1:], "]")
		}
		value := logToken(name, argument)
		if value == nil {
			panic(fmt.Sprintf("app: Logger: the token :%s is none of morgan's", name))
		}
		parts, format = append(parts, func(e *logEntry) string {
			if v := value(e); v != "" {
				return text + v
			}
			return text + "-"
		}), rest
	}
	return func(e *logEntry) string {
		var b strings.Builder
		for _, part := range parts {
			b.WriteString(part(e))
		}
		return b.String()
	}
}

// logToken is what a token stands for; "" is shown as a dash.
func logToken(name, argument string) func(*logEntry) string {
	switch name {
	case "method":
		return func(e *logEntry) string { return e.request.Method }
	case "url":
		return func(e *logEntry) string { return e.request.RequestURI }
	case "status":
		return func(e *logEntry) string { return strconv.Itoa(e.status) }
	case "remote-addr":
		return func(e *logEntry) string { return e.address }
	case "remote-user":
		return func(e *logEntry) string { user, _, _ := e.request.BasicAuth(); return cleanForLog(user) }
	case "http-version":
		return func(e *logEntry) string { return fmt.Sprintf("%d.%d", e.request.ProtoMajor, e.request.ProtoMinor) }
	case "referrer":
		return func(e *logEntry) string {
			return cleanForLog(cmp.Or(e.request.Header.Get("Referer"), e.request.Header.Get("Referrer")))
		}
	case "user-agent":
		return func(e *logEntry) string { return cleanForLog(e.request.UserAgent()) }
	case "response-time", "total-time":
		return func(e *logEntry) string { return fmt.Sprintf("%.3f", float64(e.took)/float64(time.Millisecond)) }
	case "req":
		return func(e *logEntry) string { return cleanForLog(strings.Join(e.request.Header.Values(argument), ", ")) }
	case "res":
		return func(e *logEntry) string { return cleanForLog(strings.Join(e.writer.Header().Values(argument), ", ")) }
	case "date":
		layout := http.TimeFormat
		switch argument {
		case "clf":
			layout = "02/Jan/2006:15:04:05 -0700"
		case "iso":
			layout = "2006-01-02T15:04:05.000Z07:00"
		}
		return func(e *logEntry) string { return time.Now().UTC().Format(layout) }
	}
	return nil
}

// cleanForLog keeps a client from writing quotes and lines of its own into the log.
func cleanForLog(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == '"' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
}
