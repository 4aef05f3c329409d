package app

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
)

// show writes the fields of req as an object, in the order asked for.
func show(req *Request, fields []string) json.RawMessage {
	var parts []string
	for _, name := range fields {
		var v any
		switch name {
		case "params":
			v = paramsInOrder(req)
		case "path":
			v = req.Path()
		case "baseUrl":
			v = req.BaseURL()
		case "url":
			url := req.Path()
			if req.URL.RawQuery != "" || req.URL.ForceQuery {
				url += "?" + req.URL.RawQuery
			}
			v = url
		case "originalUrl":
			v = req.OriginalURL()
		case "route":
			v = req.Route()
		case "protocol":
			v = req.Protocol()
		case "secure":
			v = req.Secure()
		case "ip":
			v = req.IP()
		case "ips":
			v = req.IPs()
		case "host":
			v = orUndefined(req.HostPort())
		case "hostname":
			if v = req.Hostname(); req.HostPort() == "" {
				v = "<undefined>"
			}
		case "subdomains":
			v = append([]string{}, req.Subdomains()...)
		case "xhr":
			v = req.XHR()
		case "method":
			v = req.Method
		case "query":
			v = req.QueryObject()
		case "fresh":
			v = req.Fresh()
		case "stale":
			v = req.Stale()
		case "referrer":
			v = orUndefined(req.Get("Referrer"))
		case "body":
			v = showBody(req)
		default:
			panic("the field " + name + " is not known here")
		}
		parts = append(parts, quoteJSON(name)+":"+quoteJSON(v))
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
