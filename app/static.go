package app

import (
	"errors"
	"html"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Static serves the files of a directory to GET and HEAD requests: Use(app.Static("public")), or below a prefix,
// Use("/assets", app.Static("public")). A directory is its index.html; without a slash at the end it is redirected.
// Files have an ETag and Last-Modified, conditional requests and ranges work. For anything else the next handler
// runs: a file that does not exist, a directory without index.html, a name that starts with a dot, a path or a
// symbolic link that leads out of the directory.
func Static(dir string) Handler {
	if dir == "" {
		panic(`app: Static(""): name the directory, "." for this one`)
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		slog.Warn("app: the directory of Static does not exist; nothing is served from it", "dir", dir)
	}
	return StaticFS(rootDir(dir))
}

// StaticFS is [Static] for an fs.FS: an embed.FS, or what [Files] returns. A file without a modification time (all
// embedded ones) gets an ETag from its content, which is taken never to change.
func StaticFS(fsys fs.FS) Handler {
	if fsys == nil {
		panic("app: StaticFS(nil): pass the fs.FS with the files")
	}
	known := &hashes{}
	return func(req *Request, res *Response) error {
		if req.Method != http.MethodGet && req.Method != http.MethodHead {
			return req.Next()
		}
		name, err := url.PathUnescape(req.Path())
		if err != nil {
			return req.Next()
		}
		asDirectory := strings.HasSuffix(name, "/")
		if req.Path() == "/" && !strings.HasSuffix(req.x.full, "/") {
			asDirectory = false // the prefix itself, without a slash
		}
		name, ok := cleanName(name)
		if !ok {
			return req.Next()
		}
		if asDirectory {
			if name == "." {
				name = ""
			} else {
				name += "/"
			}
			name += "index.html"
		}
		f, info, err := openFile(fsys, name)
		switch {
		case errors.Is(err, errDirectory) && !asDirectory:
			return redirectToDirectory(req, res)
		case err != nil && (errors.Is(err, errDirectory) || errorStatus(err) == http.StatusNotFound):
			return req.Next()
		case err != nil:
			return err
		}
		defer f.Close()
		return res.serveFile(f, info, name, known)
	}
}

// redirectToDirectory adds the slash. The Location is a path of this host, whatever the request looks like: //evil
// does not lead away.
func redirectToDirectory(req *Request, res *Response) error {
	location := "/" + strings.TrimLeft(req.x.full, "/") + "/"
	if req.URL.RawQuery != "" {
		location += "?" + req.URL.RawQuery
	}
	location = encodeURL(location)
	h := res.Header()
	h.Set("Content-Security-Policy", "default-src 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Type", "text/html; charset=UTF-8")
	h.Set("Location", location)
	return res.Status(http.StatusMovedPermanently).finish([]byte("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Redirecting</title>\n</head>\n<body>\n<pre>Redirecting to " +
		html.EscapeString(location) + "</pre>\n</body>\n</html>\n"))
}

// rootDir is a directory from which no path and no symbolic link leads out (os.Root). It is looked up anew each time: it
// may appear, or be exchanged for another, while the program runs.
type rootDir string

func (d rootDir) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	f, err := os.OpenInRoot(string(d), filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	return f, nil
}

// isUnservable reports whether err means that the name stands for nothing that is served, rather than a failure:
// something below a file, a name that is too long, a link that leads out of an os.Root.
func isUnservable(err error) bool {
	if errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ENAMETOOLONG) || errors.Is(err, syscall.ELOOP) {
		return true
	}
	var pathErr *fs.PathError
	return errors.As(err, &pathErr) && pathErr.Err.Error() == "path escapes from parent"
}
