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
	"strconv"
	"strings"
	"sync"
)

// SendFile answers with a file on disk, with its Content-Type by extension, ETag and Last-Modified, conditional
// requests and a range. name is the program's own: for a name that comes from the outside use [Response.SendFileFS].
// A file that does not exist is a 404 error; for a directory the next route runs. It takes one FileOptions at most.
func (s *Response) SendFile(name string, options ...FileOptions) error {
	o := fileOptions("SendFile", options)
	dir, base := filepath.Split(filepath.Clean(name))
	if dir == "" {
		dir = "."
	}
	o.Dotfiles = DotfilesAllow
	return s.sendFileFS(os.DirFS(dir), base, &o)
}

// SendFileFS is [Response.SendFile] for a file of fsys. The name is slash-separated, may come from the outside, and
// never leads out of fsys: one that tries is a 403 error, one that starts with a dot a 404 unless the options allow it.
// os.OpenRoot(dir) makes an fs.FS whose symbolic links stay in it, too.
func (s *Response) SendFileFS(fsys fs.FS, name string, options ...FileOptions) error {
	o := fileOptions("SendFileFS", options)
	return s.sendFileFS(fsys, name, &o)
}

func (s *Response) sendFileFS(fsys fs.FS, name string, o *FileOptions) error {
	if s.invalid != nil {
		return s.rejected()
	}
	if name == "" {
		return errors.New("app: the name of the file to send is empty: name one")
	}
	o.NoETag = s.x.app.options.etag == nil
	f, err := o.find(fsys, name, strings.HasSuffix(name, "/"))
	switch {
	case errors.Is(err, errDirectory):
		return s.x.elsewhere(NextRoute) // as Express does, behind the route
	case err != nil:
		return err
	}
	defer f.Close()
	if s.HeadersSent() {
		return ErrHeadersSent
	}
	if o.Filename != "" {
		s.Header().Set("Content-Disposition", contentDisposition(baseName(o.Filename)))
	}
	for header, value := range o.Headers {
		if o.Filename == "" || !strings.EqualFold(header, "Content-Disposition") {
			s.Header().Set(header, value)
		}
	}
	return s.serveFile(f, o, &hashes{})
}

// A foundFile is a regular file that is open.
type foundFile struct {
	fs.File
	info fs.FileInfo
	name string // in the file system
}

var errDirectory = errors.New("is a directory")

// find opens the file that a path from the outside stands for: itself, its index, itself with an extension. A URL whose
// last slash is escaped asks for no directory. Its errors are an [HTTPError] with 400, 403 or 404, or errDirectory.
func (o *FileOptions) find(fsys fs.FS, name string, directory bool) (foundFile, error) {
	if strings.IndexByte(name, 0) >= 0 {
		return foundFile{}, &HTTPError{Status: http.StatusBadRequest, Message: "the name has a NUL byte"}
	}
	clean := path.Clean("./" + name)
	if leadsUp(clean) {
		return foundFile{}, &HTTPError{Status: http.StatusForbidden, Message: "the name " + strconv.Quote(name) + " leads out of the directory"}
	}
	if dotfile(clean) && o.Dotfiles != DotfilesAllow {
		if o.Dotfiles == DotfilesDeny {
			return foundFile{}, &HTTPError{Status: http.StatusForbidden, Message: "the file " + strconv.Quote(name) + " is hidden"}
		}
		return foundFile{}, notFoundFile(name)
	}
	if strings.IndexByte(clean, '\\') >= 0 || !fs.ValidPath(clean) {
		return foundFile{}, notFoundFile(name)
	}
	if !strings.HasSuffix(name, "/") {
		f, err := openFile(fsys, clean)
		if err == nil || errors.Is(err, errDirectory) || len(o.Extensions) == 0 || extensionOf(clean) != "" || errorStatus(err) != http.StatusNotFound {
			return f, err
		}
		return firstOf(fsys, clean+".", o.Extensions, err)
	}
	if !directory || len(o.Index) == 0 {
		f, err := openFile(fsys, clean)
		if err == nil {
			f.Close() // a file is no directory
			err = notFoundFile(name)
		}
		return foundFile{}, err
	}
	return firstOf(fsys, clean+"/", o.Index, notFoundFile(name))
}

// firstOf opens the first file that exists of those with an ending.
func firstOf(fsys fs.FS, stem string, endings []string, err error) (foundFile, error) {
	for _, ending := range endings {
		name := path.Clean(stem + ending)
		if !fs.ValidPath(name) {
			continue
		}
		f, openErr := openFile(fsys, name)
		if openErr == nil {
			return f, nil
		}
		if !errors.Is(openErr, errDirectory) {
			err = openErr
		}
	}
	return foundFile{}, err
}

func leadsUp(name string) bool {
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '/' || r == '\\' }) {
		if part == ".." {
			return true
		}
	}
	return false
}

func notFoundFile(name string) error {
	return &HTTPError{Status: http.StatusNotFound, Message: "no file " + strconv.Quote(name)}
}

// openFile opens a regular file. What is not there, and what the name cannot be, is a 404.
func openFile(fsys fs.FS, name string) (foundFile, error) {
	f, err := fsys.Open(name)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) || isUnservable(err) {
			err = &HTTPError{Status: http.StatusNotFound, Err: err}
		}
		return foundFile{}, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = errDirectory
	} else if err == nil && !info.Mode().IsRegular() {
		err = &HTTPError{Status: http.StatusNotFound, Message: name + " is no regular file"}
	}
	if err != nil {
		f.Close()
		return foundFile{}, err
	}
	return foundFile{f, info, name}, nil
}

// serveFile answers with an open file, as npm's send does: one range, a 304 or a 412 where the conditions of the
// request say so.
func (s *Response) serveFile(f foundFile, o *FileOptions, known *hashes) error {
	r, h := &s.x.req, s.Header()
	if o.SetHeaders != nil {
		o.SetHeaders(s, f.name, f.info)
	}
	setDefault := func(header, value string) {
		if h[header] == nil {
			h[header] = []string{value}
		}
	}
	if !o.NoRanges {
		setDefault("Accept-Ranges", "bytes")
	}
	if !o.NoCacheControl {
		setDefault("Cache-Control", o.cacheControl())
	}
	modified := f.info.ModTime()
	if !o.NoLastModified && !modified.IsZero() {
		setDefault("Last-Modified", modified.UTC().Format(http.TimeFormat))
	}
	if !o.NoETag && h["Etag"] == nil {
		tag := ""
		if modified.IsZero() {
			var err error
			if tag, err = known.etag(f.File, f.name, f.info.Size()); err != nil {
				return err
			}
		} else {
			tag = `W/"` + strconv.FormatInt(f.info.Size(), 16) + "-" + strconv.FormatInt(modified.UnixMilli(), 16) + `"`
		}
		if tag != "" {
			h["Etag"] = []string{tag}
		}
	}
	setDefault("Content-Type", typeByExtension(extensionOf(f.name)))

	if preconditionFailed(r.Header, h) {
		return &HTTPError{Status: http.StatusPreconditionFailed}
	}
	if (s.status >= 200 && s.status <= 299 || s.status == http.StatusNotModified) && isFresh(r.Header, h) {
		s.status = http.StatusNotModified
		for _, name := range []string{"Content-Encoding", "Content-Language", "Content-Range", "Content-Type"} {
			h.Del(name)
		}
		return s.finish(nil)
	}
	size := f.info.Size()
	part := ByteRange{0, size - 1}
	if header := r.Header.Get("Range"); !o.NoRanges && strings.HasPrefix(header, "bytes=") && rangeStillHolds(r.Header, h) {
		ranges, err := parseRanges(header, size)
		if err == ErrRangeUnsatisfiable {
			contentRange := []string{"bytes */" + strconv.FormatInt(size, 10)}
			h["Content-Range"] = contentRange // for an error handler; the last answer begins its header anew
			return &HTTPError{Status: http.StatusRequestedRangeNotSatisfiable, Header: http.Header{"Content-Range": contentRange}}
		}
		if err == nil {
			if ranges = ranges.Combined(); len(ranges.List) == 1 {
				part = ranges.List[0]
				s.status = http.StatusPartialContent
				h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", part.Start, part.End, size))
			}
		}
	}
	if err := s.rejected(); err != nil {
		return err
	}
	if part.Start > 0 {
		seeker, ok := f.File.(io.Seeker)
		if !ok {
			return fmt.Errorf("app: send %s: the file system has no random access for a range", f.name)
		}
		if _, err := seeker.Seek(part.Start, io.SeekStart); err != nil {
			return err
		}
	}
	length := part.End - part.Start + 1
	h["Content-Length"] = []string{strconv.FormatInt(length, 10)}
	s.WriteHeader(s.status)
	if r.Method != http.MethodHead && length > 0 && s.status >= 200 && s.status != http.StatusNoContent && s.status != http.StatusNotModified {
		if _, err := s.ReadFrom(&io.LimitedReader{R: f.File, N: length}); err != nil {
			return err
		}
	}
	s.done = true
	return nil
}

// preconditionFailed is If-Match and If-Unmodified-Since of RFC 9110, section 13.1.
func preconditionFailed(request, response http.Header) bool {
	if match := request.Get("If-Match"); match != "" {
		tag := response.Get("ETag")
		return tag == "" || match != "*" && !matchesETag(match, tag)
	}
	if request["If-Unmodified-Since"] == nil {
		return false
	}
	since, err := parseDate(request.Get("If-Unmodified-Since"))
	if err != nil {
		return false
	}
	modified, err := parseDate(response.Get("Last-Modified"))
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
	limit, err := parseDate(condition)
	if err != nil {
		return false
	}
	modified, err := parseDate(response.Get("Last-Modified"))
	return err == nil && !modified.After(limit)
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
