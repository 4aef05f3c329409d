package app

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
)

// fields are what an application of the recorded cases may show of its request.
var fields = map[string]func(*Request) any{
	"params": func(req *Request) any { return paramsInOrder(req) },
	"path":   func(req *Request) any { return req.Path() },
	"url": func(req *Request) any {
		if req.URL.RawQuery != "" || req.URL.ForceQuery {
			return req.Path() + "?" + req.URL.RawQuery
		}
		return req.Path()
	},
	"baseUrl":     func(req *Request) any { return req.BaseURL() },
	"originalUrl": func(req *Request) any { return req.OriginalURL() },
	"route":       func(req *Request) any { return req.Route() },
	"protocol":    func(req *Request) any { return req.Protocol() },
	"secure":      func(req *Request) any { return req.Secure() },
	"ip":          func(req *Request) any { return req.IP() },
	"ips":         func(req *Request) any { return req.IPs() },
	"host":        func(req *Request) any { return orUndefined(req.HostPort()) },
	"hostname": func(req *Request) any {
		if req.HostPort() == "" {
			return "<undefined>"
		}
		return req.Hostname()
	},
	"subdomains": func(req *Request) any { return append([]string{}, req.Subdomains()...) },
	"xhr":        func(req *Request) any { return req.XHR() },
	"method":     func(req *Request) any { return req.Method },
	"query":      func(req *Request) any { return req.QueryObject() },
	"fresh":      func(req *Request) any { return req.Fresh() },
	"stale":      func(req *Request) any { return req.Stale() },
	"referrer":   func(req *Request) any { return orUndefined(req.Get("Referrer")) },
	"body":       showBody,
}

// show writes fields of req as an object, in the order asked for.
func show(req *Request, names []string) json.RawMessage {
	var parts []string
	for _, name := range names {
		field := fields[name]
		if field == nil {
			panic("the field " + name + " is not known here")
		}
		parts = append(parts, quoteJSON(name)+":"+quoteJSON(field(req)))
	}
	return json.RawMessage("{" + strings.Join(parts, ",") + "}")
}

func orUndefined(s string) string {
	if s == "" {
		return "<undefined>"
	}
	return s
}

// showBody is req.body as JavaScript writes it.
func showBody(req *Request) any {
	v, ok := req.BodyValue()
	switch v := v.(type) {
	case []byte:
		return Map{"base64": base64.StdEncoding.EncodeToString(v)}
	case *Object, string:
		return v
	}
	if !ok {
		return "<undefined>"
	}
	if len(req.body.data) == 0 {
		return Map{}
	}
	return json.RawMessage(inOrder(req.body.data))
}

// inOrder rewrites JSON as JSON.stringify(JSON.parse(text)) does: names in JavaScript's order, each once.
func inOrder(raw []byte) string {
	raw = bytes.TrimSpace(raw)
	switch raw[0] {
	case '{':
		o := &Object{}
		for _, m := range members(raw) {
			o.Set(m.name, json.RawMessage(inOrder(m.value)))
		}
		return quoteJSON(o)
	case '[':
		var parts []string
		for _, item := range decode[[]json.RawMessage](raw) {
			parts = append(parts, inOrder(item))
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return "null" // a number that is too large
	}
	if v == 0.0 {
		return "0" // of -0 too
	}
	return quoteJSON(v)
}

type member struct {
	name  string
	value json.RawMessage
}

// members are the members of a JSON object in their order.
func members(raw []byte) (list []member) {
	d := json.NewDecoder(bytes.NewReader(raw))
	_, _ = d.Token()
	for d.More() {
		name, _ := d.Token()
		m := member{name: name.(string)}
		_ = d.Decode(&m.value)
		list = append(list, m)
	}
	return list
}

func quoteJSON(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	return strings.TrimSuffix(b.String(), "\n")
}

// paramsInOrder is req.params as JavaScript writes it: a name keeps its first place and its last value.
func paramsInOrder(req *Request) json.RawMessage {
	var names, parts []string
	for _, p := range req.x.params {
		if slices.Contains(names, p.name) {
			continue
		}
		names = append(names, p.name)
		var v any = req.Param(p.name)
		if s := req.Segments(p.name); s != nil {
			v = s
		}
		parts = append(parts, quoteJSON(p.name)+":"+quoteJSON(v))
	}
	return json.RawMessage("{" + strings.Join(parts, ",") + "}")
}
