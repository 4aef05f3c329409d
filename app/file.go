package app

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// SendFile answers with a file on disk, with its Content-Type by extension, ETag and Last-Modified, conditional
// requests and a range. name is the program's own: for a name that comes from the outside use [Response.SendFileFS].
// A file that does not exist is a 404 error; for a directory the next handler runs.
func (s *Response) SendFile(name string) error {
	dir, base := filepath.Split(filepath.Clean(name))
	if dir == "" {
		dir = "."
	}
	return s.sendFileFS(os.DirFS(dir), base, &hashes{})
}

// SendFileFS is [Response.SendFile] for a file of fsys. The name is slash-separated, may come from the outside, and
// never leads out of fsys: one that tries is a 403 error, one that starts with a dot a 404. os.OpenRoot(dir) makes an fs.FS whose
// symbolic links stay in it, too.
func (s *Response) SendFileFS(fsys fs.FS, name string) error {
	clean, ok := cleanName(name)
	if slices.Contains(strings.Split(name, "/"), "..") {
		return &HTTPError{Status: http.StatusForbidden, Message: "the name " + strconv.Quote(name) + " leads out of the directory"}
	}
	if !ok {
		return &HTTPError{Status: http.StatusNotFound, Message: "no file " + strconv.Quote(name)}
	}
	return s.sendFileFS(fsys, clean, &hashes{})
}

func (s *Response) sendFileFS(fsys fs.FS, name string, known *hashes) error {
	f, info, err := openFile(fsys, name)
	switch {
	case errors.Is(err, errDirectory):
		return s.x.req.Next()
	case err != nil:
		return err
	}
	defer f.Close()
	return s.serveFile(f, info, name, known)
}

var errDirectory = errors.New("is a directory")

// openFile opens a regular file. What is not there, and what the name cannot be, is a 404.
func openFile(fsys fs.FS, name string) (fs.File, fs.FileInfo, error) {
	f, err := fsys.Open(name)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) || isUnservable(err) {
			err = &HTTPError{Status: http.StatusNotFound, Err: err}
		}
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = errDirectory
	} else if err == nil && !info.Mode().IsRegular() {
		err = &HTTPError{Status: http.StatusNotFound, Message: name + " is no regular file"}
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// cleanName makes a name for an fs.FS of a decoded path. It refuses what leads out of it and dotfiles.
func cleanName(name string) (string, bool) {
	if strings.ContainsAny(name, "\x00\\") {
		return "", false
	}
	for _, element := range strings.Split(name, "/") {
		if strings.HasPrefix(element, ".") && element != "." {
			return "", false
		}
	}
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	if name == "" {
		name = "."
	}
	return name, fs.ValidPath(name)
}

// serveFile answers with an open file, as npm's send does: one range, a 304 or a 412 where the conditions of the
// request say so.
func (s *Response) serveFile(f fs.File, info fs.FileInfo, name string, known *hashes) error {
	if s.HeadersSent() {
		return ErrHeadersSent
	}
	r, h := &s.x.req, s.Header()
	setDefault := func(header, value string) {
		if h.Get(header) == "" {
			h.Set(header, value)
		}
	}
	h.Set("Accept-Ranges", "bytes")
	setDefault("Cache-Control", "public, max-age=0")
	if modified := info.ModTime(); !modified.IsZero() {
		setDefault("Last-Modified", modified.UTC().Format(http.TimeFormat))
		setDefault("ETag", fmt.Sprintf(`W/"%x-%x"`, info.Size(), modified.UnixMilli()))
	} else if tag, err := known.etag(f, name, info.Size()); err != nil {
		return err
	} else {
		setDefault("ETag", tag)
	}
	setDefault("Content-Type", typeByExtension(path.Base(name)))

	if preconditionFailed(r.Header, h) {
		return &HTTPError{Status: http.StatusPreconditionFailed}
	}
	if s.status >= 200 && s.status <= 299 && isFresh(r.Header, h) {
		s.status = http.StatusNotModified
		for _, name := range []string{"Content-Encoding", "Content-Language", "Content-Range", "Content-Type"} {
			h.Del(name)
		}
		return s.finish(nil)
	}
	start, length := int64(0), info.Size()
	if header := r.Header.Get("Range"); strings.HasPrefix(header, "bytes=") && s.status == http.StatusOK && rangeStillHolds(r.Header, h) {
		switch first, last, n := parseRange(header, info.Size()); {
		case n == 0:
			return &HTTPError{Status: http.StatusRequestedRangeNotSatisfiable,
				Header: http.Header{"Content-Range": {fmt.Sprintf("bytes */%d", info.Size())}}}
		case n == 1:
			s.status = http.StatusPartialContent
			h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, last, info.Size()))
			start, length = first, last-first+1
		}
	}
	if s.invalid != nil {
		return s.invalid
	}
	if start > 0 {
		seeker, ok := f.(io.Seeker)
		if !ok {
			return fmt.Errorf("app: send %s: the file system has no random access for a range", name)
		}
		if _, err := seeker.Seek(start, io.SeekStart); err != nil {
			return err
		}
	}
	h.Set("Content-Length", strconv.FormatInt(length, 10))
	s.WriteHeader(s.status)
	if r.Method != http.MethodHead && length > 0 {
		if _, err := s.ReadFrom(io.LimitReader(f, length)); err != nil {
			return err
		}
	}
	s.done = true
	return nil
}

// preconditionFailed is If-Match and If-Unmodified-Since of RFC 9110, section 13.1.
func preconditionFailed(request, response http.Header) bool {
	if match := request.Get("If-Match"); match != "" {
		return match != "*" && !matchesETag(match, response.Get("ETag"))
	}
	since, err := http.ParseTime(request.Get("If-Unmodified-Since"))
	if err != nil {
		return false
	}
	modified, err := http.ParseTime(response.Get("Last-Modified"))
	return err != nil || modified.After(since)
}

// rangeStillHolds is If-Range of RFC 9110, section 13.1.5.
func rangeStillHolds(request, response http.Header) bool {
	condition := request.Get("If-Range")
	if condition == "" {
		return true
	}
	if strings.Contains(condition, `"`) {
		tag := response.Get("ETag")
		return tag != "" && strings.Contains(condition, tag)
	}
	limit, err := http.ParseTime(condition)
	if err != nil {
		return false
	}
	modified, err := http.ParseTime(response.Get("Last-Modified"))
	return err == nil && !modified.After(limit)
}

// parseRange reads a Range header for a body of size bytes. It returns the number of ranges in it that overlap the
// body, and the one if it is one; -1 when the header is malformed and to be left out of account.
func parseRange(header string, size int64) (first, last int64, n int) {
	for _, spec := range strings.Split(strings.TrimPrefix(header, "bytes="), ",") {
		from, to, ok := strings.Cut(strings.TrimSpace(spec), "-")
		if !ok {
			return 0, 0, -1
		}
		a, errA := strconv.ParseInt(strings.TrimSpace(from), 10, 64)
		b, errB := strconv.ParseInt(strings.TrimSpace(to), 10, 64)
		switch {
		case from == "" && errB == nil: // the last b bytes
			a, b = max(size-b, 0), size-1
		case errA == nil && to == "":
			b = size - 1
		case errA != nil || errB != nil:
			return 0, 0, -1
		}
		b = min(b, size-1)
		if a > b || a < 0 {
			continue
		}
		first, last = a, b
		n++
	}
	return first, last, n
}

// hashes are the ETags of files without a modification time, which embedded files are. They never change.
type hashes struct{ tags sync.Map }

func (hs *hashes) etag(f fs.File, name string, size int64) (string, error) {
	key := name + "\x00" + strconv.FormatInt(size, 10)
	if tag, ok := hs.tags.Load(key); ok {
		return tag.(string), nil
	}
	seeker, ok := f.(io.Seeker)
	if !ok {
		return "", nil
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return "", err
	}
	if _, err := seeker.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	tag := `"` + base64.RawURLEncoding.EncodeToString(hash.Sum(nil)[:16]) + `"`
	hs.tags.Store(key, tag)
	return tag, nil
}
