package app

import (
	"errors"
	"html"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// Static serves the files of a directory to GET and HEAD requests: Use(app.Static("public")), or below a prefix,
// Use("/assets", app.Static("public")). A directory is its index.html; without a slash at the end it is redirected.
// Files have an ETag and Last-Modified, conditional requests and ranges work. For anything else the next handler
// runs: a file that does not exist, a directory without index.html, a name that starts with a dot, a path or a
// symbolic link that leads out of the directory. It takes one FileOptions at most.
func Static(dir string, options ...FileOptions) Handler {
	if dir == "" {
		panic(`app: Static(""): name the directory, "." for this one`)
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		slog.Warn("app: the directory of Static does not exist; nothing is served from it", "dir", dir)
	}
	return StaticFS(&rootDir{dir: dir}, options...)
}

// StaticFS is [Static] for an fs.FS: an embed.FS, or what [Files] returns. A file without a modification time (all
// embedded ones) gets an ETag from its content, which is taken never to change.
func StaticFS(fsys fs.FS, options ...FileOptions) Handler {
	if fsys == nil {
		panic("app: StaticFS(nil): pass the fs.FS with the files")
	}
	o := fileOptions("Static", options)
	known := &hashes{}
	return func(req *Request, res *Response) error {
		if req.Method != http.MethodGet && req.Method != http.MethodHead {
			if !o.NoFallthrough {
				return req.Next()
			}
			res.Header().Set("Allow", "GET, HEAD")
			return res.Status(http.StatusMethodNotAllowed).finish(nil)
		}
		f, err := o.findRequested(fsys, req)
		switch {
		case errors.Is(err, errDirectory):
			if !o.NoRedirect && !strings.HasSuffix(req.x.full, "/") {
				return redirectToDirectory(req, res)
			}
			err = notFoundFile(req.Path())
			fallthrough
		case err != nil:
			if status := errorStatus(err); !o.NoFallthrough && status != 0 && status < 500 {
				return req.Next()
			}
			return err
		}
		defer f.Close()
		if res.HeadersSent() {
			return ErrHeadersSent
		}
		return res.serveFile(f, &o, known)
	}
}

// findRequested finds the file of a request.
func (o *FileOptions) findRequested(fsys fs.FS, req *Request) (foundFile, error) {
	name, ok := decodeComponent(req.Path())
	if !ok {
		return foundFile{}, &HTTPError{Status: http.StatusBadRequest, Message: "the path " + strconv.Quote(req.Path()) + " has a broken escape"}
	}
	if name == "/" && !strings.HasSuffix(req.x.full, "/") {
		name = "" // the prefix itself, without a slash
	}
	return o.find(fsys, name, strings.HasSuffix(req.Path(), "/"))
}

// redirectToDirectory adds the slash. The Location is a path of this host, whatever the request looks like: //evil
// does not lead away.
func redirectToDirectory(req *Request, res *Response) error {
	location := "/" + strings.TrimLeft(req.x.full, "/") + "/"
	if req.URL.RawQuery != "" || req.URL.ForceQuery {
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

// A rootDir is a directory from which no path and no symbolic link leads out (os.Root). It may appear, or be exchanged
// for another, while the program runs: each time it is looked at, and opened again if it is another one.
type rootDir struct {
	dir    string
	opened atomic.Pointer[openedRoot]
}

type openedRoot struct {
	root *os.Root // closed by the garbage collector: somebody may be reading from it
	info fs.FileInfo
}

// String is the directory as it was named, for messages.
func (d *rootDir) String() string { return d.dir }

func (d *rootDir) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	info, err := os.Stat(d.dir)
	if err != nil {
		return nil, err
	}
	o := d.opened.Load()
	if o == nil || !os.SameFile(o.info, info) {
		root, err := os.OpenRoot(d.dir)
		if err != nil {
			return nil, err
		}
		o = &openedRoot{root, info}
		d.opened.Store(o)
	}
	f, err := o.root.Open(filepath.FromSlash(name))
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
