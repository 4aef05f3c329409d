package app

import (
	"encoding/json"
	"html"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// This file answers what no handler has answered, as Express's finalhandler does.

// answersOptions reports whether this is an OPTIONS request for a path that routes of this router match.
func (x *exchange) answersOptions() bool {
	return x.req.Method == http.MethodOptions && len(x.allow) > x.allowFrom
}

// answerOptions answers an OPTIONS request with the methods of those routes.
func (x *exchange) answerOptions() error {
	methods := slices.Clone(x.allow[x.allowFrom:])
	if slices.Contains(methods, http.MethodGet) {
		methods = append(methods, http.MethodHead)
	}
	slices.Sort(methods)
	body := strings.Join(slices.Compact(methods), ", ")
	h := x.res.Header()
	h.Set("Allow", body)
	h.Set("Content-Type", "text/plain")
	h.Set("X-Content-Type-Options", "nosniff")
	return x.res.finish([]byte(body))
}

// notFound answers 404, or tells the error of a chained call that could not do its work: nobody else has.
func (x *exchange) notFound() error {
	if x.res.HeadersSent() {
		return nil
	}
	if err := x.res.rejected(); err != nil {
		return err
	}
	if x.root.options.development && !x.req.prefersJSON() && x.root.dev.refusal(x.req.Request) == "" {
		return x.devNotFound()
	}
	return x.finalPage(http.StatusNotFound, "Cannot "+x.req.Method+" "+x.rawPath(), nil)
}

// answerError answers for an error that no error handler has dealt with, and logs it if the fault is ours.
func (x *exchange) answerError(err error) {
	status, said := x.failureStatus(err), err.Error()
	if x.root.options.development {
		said = inWords(err)
	}
	if status >= 500 {
		logFailure(&x.req, status, said, err)
	}
	if x.res.sent && !x.res.done && !x.wire.hijacked {
		// Half an answer is out. Only a cut connection tells the client.
		panic(http.ErrAbortHandler)
	}
	if x.res.HeadersSent() {
		return
	}
	message := statusText(status)
	if x.root.options.development {
		switch refusal := x.root.dev.refusal(x.req.Request); {
		case refusal != "":
			message += "\n" + refusal
		case x.req.prefersJSON():
			message = said
		default:
			x.devError(status, err)
			return
		}
	}
	_ = x.finalPage(status, message, errorHeader(err))
}

func (x *exchange) failureStatus(err error) int {
	if status := errorStatus(err); status != 0 {
		return status
	}
	if x.res.status >= 400 && x.res.status <= 599 {
		return x.res.status
	}
	return http.StatusInternalServerError
}

func logFailure(req *Request, status int, said string, err error) {
	attrs := []any{"method", req.Method, "path", req.URL.Path, "status", status, "error", said}
	var calls []string
	for _, f := range stackOf(err) {
		if isOwnPackage(f.Function) {
			break
		}
		calls = append(calls, f.Function+" "+f.File+":"+strconv.Itoa(f.Line))
	}
	if calls != nil {
		attrs = append(attrs, "stack", strings.Join(calls, " < "))
	}
	slog.ErrorContext(req.Context(), "request failed", attrs...)
}

// finalPage sends a status with a short message; in development as JSON to a client that asks for it.
func (x *exchange) finalPage(status int, message string, header http.Header) error {
	h := x.finalHeader(status, header)
	if x.root.options.development && x.req.prefersJSON() {
		body, err := json.Marshal(Map{"error": Map{"status": status, "message": message}})
		if err != nil {
			return err
		}
		h["Content-Type"] = jsonType
		return x.res.finish(body)
	}
	h["Content-Type"] = htmlType
	text := strings.ReplaceAll(strings.ReplaceAll(html.EscapeString(message), "\n", "<br>"), "  ", " &nbsp;")
	return x.res.finish([]byte("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n</head>\n<body>\n<pre>" +
		text + "</pre>\n</body>\n</html>\n"))
}

// finalHeader prepares the header: what a handler has set for another body goes, what protects the page comes.
func (x *exchange) finalHeader(status int, header http.Header) http.Header {
	x.res.invalid = nil
	x.res.status = status
	h := x.res.Header()
	for _, name := range []string{"Content-Encoding", "Content-Language", "Content-Range", "Content-Type"} {
		h.Del(name)
	}
	for name, values := range header {
		h[http.CanonicalHeaderKey(name)] = values
	}
	h.Set("Content-Security-Policy", "default-src 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	return h
}
