package realtime

import (
	"bytes"
	"net/http"
	"strings"
	"time"

	bundles "github.com/zocalo-go/zocalo/realtime/client"
	"github.com/zocalo-go/zocalo/realtime/internal/engineio"
)

// serveClient answers r when it asks for a file of the browser client, and
// reports whether it did. Files are revalidated on each use, so that a page
// never runs the client of an older server.
func (s *Server) serveClient(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	bundle, ok := bundles.Open(strings.TrimPrefix(r.URL.Path, s.config.Path))
	if !ok {
		return false
	}
	cors := engineio.CORS(s.config.CORS)
	cors.Apply(w, r)
	h := w.Header()
	h.Set("Content-Type", bundle.ContentType)
	h.Set("Cache-Control", "public, max-age=0")
	h.Add("Vary", "Accept-Encoding")
	h.Set("X-Content-Type-Options", "nosniff")
	content, etag := bundle.Content, bundle.ETag
	if acceptsGzip(r) {
		content, etag = bundle.Gzip, bundle.GzipETag
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", etag)
	http.ServeContent(w, r, bundle.Name, time.Time{}, bytes.NewReader(content))
	return true
}

// acceptsGzip reports whether r lists gzip and does not rule it out.
func acceptsGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, parameters, _ := strings.Cut(coding, ";")
		if strings.TrimSpace(name) == "gzip" {
			q := strings.TrimPrefix(strings.TrimSpace(parameters), "q=")
			return parameters == "" || strings.Trim(q, "0.") != ""
		}
	}
	return false
}
