package app

import "net/http"

// SecurityHeaders is middleware that sets the headers by which browsers protect a page, with the values of npm's helmet:
// scripts, styles and frames of this host only, https from now on, no sniffing, no referrer. override changes headers,
// or leaves one out with the value "".
//
//	server.Use(app.SecurityHeaders(map[string]string{"Content-Security-Policy": "default-src 'self' https://cdn.example"}))
func SecurityHeaders(override ...map[string]string) Handler {
	if len(override) > 1 {
		panic("app: SecurityHeaders takes one map of headers at most")
	}
	headers := map[string]string{
		"Content-Security-Policy": "default-src 'self';base-uri 'self';font-src 'self' https: data:;form-action 'self';" +
			"frame-ancestors 'self';img-src 'self' data:;object-src 'none';script-src 'self';script-src-attr 'none';" +
			"style-src 'self' https: 'unsafe-inline';upgrade-insecure-requests",
		"Cross-Origin-Opener-Policy":        "same-origin",
		"Cross-Origin-Resource-Policy":      "same-origin",
		"Origin-Agent-Cluster":              "?1",
		"Referrer-Policy":                   "no-referrer",
		"Strict-Transport-Security":         "max-age=31536000; includeSubDomains",
		"X-Content-Type-Options":            "nosniff",
		"X-Dns-Prefetch-Control":            "off",
		"X-Download-Options":                "noopen",
		"X-Frame-Options":                   "SAMEORIGIN",
		"X-Permitted-Cross-Domain-Policies": "none",
		"X-Xss-Protection":                  "0",
	}
	for _, changes := range override {
		for name, value := range changes {
			headers[http.CanonicalHeaderKey(name)] = value
		}
	}
	values := map[string][]string{}
	for name, value := range headers {
		if value != "" {
			values[name] = []string{value}
		}
	}
	return func(req *Request, res *Response) error {
		h := res.Header()
		for name, value := range values {
			h[name] = value
		}
		delete(h, "X-Powered-By")
		return req.Next()
	}
}
