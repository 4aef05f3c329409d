package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

// run does one operation; done when it answers or passes the request on.
func (b builder) run(op operation, req *Request, res *Response) (done bool, err error) {
	text := func(i int) string { return scalar(op.args()[i]) }
	switch op.name {
	case "mark":
		res.Append("X-Trace", scalar(op.value))
	case "next":
		switch string(op.value) {
		case `"route"`:
			return true, NextRoute
		case `"router"`:
			return true, NextRouter
		}
		return true, req.Next()
	case "fail", "throw", "reject":
		f := decode[struct {
			Message string
			Status  int
			Headers map[string]string
		}](op.value)
		e := &HTTPError{Status: f.Status, Message: f.Message, Header: http.Header{}}
		for name, value := range f.Headers {
			e.Header.Set(name, value)
		}
		if op.name == "throw" {
			panic(e)
		}
		return true, e
	case "showErr":
		err := res.Locals["the error"].(error)
		status := 500
		var e *HTTPError
		if errors.As(err, &e) {
			if e.Status != 0 {
				status = e.Status
			}
			if e.Message == "" {
				return true, res.Status(status).Send("caught " + e.Error())
			}
			return true, res.Status(status).Send("caught " + e.Message)
		}
		return true, res.Status(status).Send("caught " + err.Error())
	case "send":
		return true, sendValue(res, op.value)
	case "json":
		return true, res.JSON(op.value)
	case "end":
		return true, res.End(decode[string](op.value))
	case "sendStatus":
		return true, res.SendStatus(decode[int](op.value))
	case "status":
		res.Status(decode[int](op.value))
	case "type":
		res.Type(decode[string](op.value))
	case "vary":
		if op.value[0] == '[' {
			res.Vary(decode[[]string](op.value)...)
		} else {
			res.Vary(decode[string](op.value))
		}
	case "location":
		res.Location(decode[string](op.value))
	case "set", "append":
		var values []string
		if args := op.args(); args[1][0] == '[' {
			values = decode[[]string](args[1])
		} else {
			values = []string{scalar(args[1])}
		}
		if op.name == "set" {
			res.Set(text(0), values...)
		} else {
			res.Append(text(0), values...)
		}
	case "redirect":
		if args := op.args(); len(args) == 2 {
			return true, res.Status(decode[int](args[0])).Redirect(decode[string](args[1]))
		}
		return true, res.Status(http.StatusFound).Redirect(text(0))
	case "cookie", "clearCookie":
		args := op.args()
		var o []CookieOptions
		if n := 2; len(args) > n || op.name == "clearCookie" && len(args) > 1 {
			o = append(o, cookieOptions(args[len(args)-1]))
		}
		if op.name == "cookie" {
			var value any
			_ = json.Unmarshal(args[1], &value)
			res.Cookie(text(0), value, o...)
		} else {
			res.ClearCookie(text(0), o...)
		}
	case "sendFile":
		args := append(op.args(), nil)
		return true, res.SendFileFS(os.DirFS(b.fixtures), text(0), fileOptionsOf(args[1]))
	case "download":
		var o FileOptions
		for i, arg := range op.args() {
			if i > 0 && arg[0] == '{' {
				name := o.Filename
				o = fileOptionsOf(arg)
				o.Filename = name
			} else if i > 0 && arg[0] == '"' {
				o.Filename = decode[string](arg)
			}
		}
		return true, res.DownloadFS(os.DirFS(b.fixtures), text(0), o)
	case "jsonp":
		return true, res.JSONP(op.value)
	case "attachment":
		if string(op.value) == "null" {
			res.Attachment()
		} else {
			res.Attachment(decode[string](op.value))
		}
	case "links":
		for _, m := range members(op.value) {
			urls := []string{}
			if m.value[0] == '[' {
				urls = decode[[]string](m.value)
			} else {
				urls = append(urls, decode[string](m.value))
			}
			res.Links(Link{Rel: m.name, URLs: urls})
		}
	case "format":
		var formats []Format
		for _, m := range members(op.value) {
			h := b.handler(decode[[]operation](m.value))
			formats = append(formats, Format{m.name, func() error { return h(req, res) }})
		}
		return true, res.Format(formats...)
	case "is":
		return true, res.JSON(each(decode[[]string](op.value), func(s string) any {
			if !req.HasBody() {
				return nil
			}
			return orFalse(req.Is(s))
		}))
	case "acceptsEncodings":
		return true, res.JSON(append([]any{req.AcceptedEncodings()}, each(decode[[]string](op.value), func(s string) any { return orFalse(req.AcceptsEncodings(s)) })...))
	case "acceptsLanguages":
		return true, res.JSON(append([]any{req.AcceptedLanguages()}, each(decode[[]string](op.value), func(s string) any { return orFalse(req.AcceptsLanguages(s)) })...))
	case "acceptsCharsets":
		return true, res.JSON(append([]any{req.AcceptedCharsets()}, each(decode[[]string](op.value), func(s string) any { return orFalse(req.AcceptsCharsets(s)) })...))
	case "range":
		return true, showRange(req, res, decode[int64](op.value))
	case "render":
		args := append(op.args(), json.RawMessage("{}"))
		return true, res.Render(decode[string](args[0]), decode[Map](args[1]))
	case "readCookies":
		return true, res.JSON(each(decode[[]string](op.value), func(name string) any {
			plain := req.CookieValue(name)
			if value, ok := req.SignedCookie(name); ok {
				return []any{"", value}
			} else if strings.HasPrefix(plain, "s:") {
				plain = "" // cookie-parser takes it for a signed one that was tampered with
			}
			return []any{plain, nil}
		}))
	case "showLocals":
		return true, res.JSON(res.Locals)
	case "accepts":
		return true, res.JSON(each(decode[[]string](op.value), func(s string) any { return orFalse(req.Accepts(s)) }))
	case "acceptsBest":
		return true, res.JSON(orFalse(req.Accepts(decode[[]string](op.value)...)))
	case "local":
		res.Locals[text(0)] = text(1)
	case "show":
		return true, res.JSON(show(req, decode[[]string](op.value)))
	default:
		panic("the operation " + op.name + " is not known here")
	}
	return false, nil
}

func scalar(raw json.RawMessage) string {
	if raw[0] == '"' {
		return decode[string](raw)
	}
	return string(raw)
}

func sendValue(res *Response, raw json.RawMessage) error {
	var buffer struct{ Base64 *string }
	switch {
	case raw[0] == '"':
		return res.Send(decode[string](raw))
	case string(raw) == "null":
		return res.Send(nil)
	case raw[0] == '{' && json.Unmarshal(raw, &buffer) == nil && buffer.Base64 != nil:
		return res.Send(bodyBytes(raw))
	}
	return res.Send(raw)
}

func cookieOptions(raw json.RawMessage) CookieOptions {
	o := decode[struct {
		CookieOptions
		MaxAge   int
		SameSite any
	}](raw)
	c := o.CookieOptions
	c.MaxAge = time.Duration(o.MaxAge) * time.Millisecond
	if s, ok := o.SameSite.(string); ok {
		o.SameSite = strings.ToLower(s)
	}
	switch o.SameSite {
	case true, "strict":
		c.SameSite = http.SameSiteStrictMode
	case "lax":
		c.SameSite = http.SameSiteLaxMode
	case "none":
		c.SameSite = http.SameSiteNoneMode
	}
	return c
}

func each(list []string, f func(string) any) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = f(s)
	}
	return out
}

func orFalse(s string) any {
	if s == "" {
		return false
	}
	return s
}

func showRange(req *Request, res *Response, size int64) error {
	ranges, err := req.Range(size)
	switch {
	case err == ErrRangeMalformed:
		return res.JSON(-2)
	case err == ErrRangeUnsatisfiable:
		return res.JSON(-1)
	case ranges == nil:
		return res.JSON(nil)
	}
	var list []string
	for _, r := range ranges.List {
		list = append(list, fmt.Sprintf(`{"start":%d,"end":%d}`, r.Start, r.End))
	}
	return res.JSON(json.RawMessage(`{"type":` + quoteJSON(ranges.Unit) + `,"ranges":[` + strings.Join(list, ",") + `]}`))
}
