package app

import (
	"errors"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
	"slices"
)

// UploadLimits bound a body of multipart/form-data. A zero field is the setting "upload limits", and there its default.
type UploadLimits struct {
	Body   int64 // bytes of the whole body; 32 MB
	File   int64 // bytes of one file; as much as Body
	Files  int   // how many; 100
	Memory int64 // bytes of files that are kept in memory, the rest goes to temporary files; 1 MB
}

func (l UploadLimits) or(other UploadLimits) UploadLimits {
	if l.Body == 0 {
		l.Body = other.Body
	}
	if l.File == 0 {
		l.File = other.File
	}
	if l.Files == 0 {
		l.Files = other.Files
	}
	if l.Memory == 0 {
		l.Memory = other.Memory
	}
	return l
}

func defaultUploadLimits() UploadLimits {
	return UploadLimits{Body: 32 << 20, File: 1 << 62, Files: 100, Memory: 1 << 20}
}

// Upload reads a body of multipart/form-data within limits. It reads once: File, Files and Bind, which call it with the
// limits of the settings, come after it. Files are removed when the request is over; open them and copy what is to stay.
//
// Its errors are each an [HTTPError]: 413 with the type "entity.too.large", "file.too.large" or "files.too.many", 415 for
// another body, 400 with the type "entity.parse.failed" for one that does not parse.
func (r *Request) Upload(limits UploadLimits) (*multipart.Form, error) {
	b := &r.body
	if b.upload == nil && b.uploadErr == nil {
		b.upload, b.uploadErr = r.readUpload(limits.or(r.x.app.options.uploadLimits))
	}
	return b.upload, b.uploadErr
}

func (r *Request) readUpload(limits UploadLimits) (*multipart.Form, error) {
	if media, _ := splitContentType(r.Header.Get("Content-Type")); media != "multipart/form-data" {
		return nil, &HTTPError{Status: 415, Type: "media.type.unsupported", Message: "send multipart/form-data"}
	}
	if r.body.read {
		return nil, &HTTPError{Status: 400, Type: "entity.parse.failed", Message: "the body was read before"}
	}
	r.body.read = true
	if r.ContentLength > limits.Body {
		return nil, tooLarge()
	}
	body := r.Request.Body
	r.Request.Body = http.MaxBytesReader(r.x.res.ResponseWriter, body, limits.Body)
	reader, err := r.MultipartReader()
	if err != nil {
		return nil, &HTTPError{Status: 400, Type: "entity.parse.failed", Err: err}
	}
	form, err := reader.ReadForm(limits.Memory)
	r.Request.Body = body
	err = r.x.wire.body.settle(err)
	var late *HTTPError
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &late):
		return nil, late
	case errors.As(err, &over) || errors.Is(err, multipart.ErrMessageTooLarge):
		return nil, tooLarge()
	case err != nil:
		return nil, &HTTPError{Status: 400, Type: "entity.parse.failed", Err: err}
	}
	r.Request.MultipartForm = form
	if err := limits.check(form); err != nil {
		_ = form.RemoveAll()
		return nil, err
	}
	return form, nil
}

// removeForm removes the files of a form that a handler has parsed with the methods of http.Request. net/http does it
// only for the request that it has made, and knows nothing of a copy.
func (x *exchange) removeForm(r *http.Request) {
	if form := r.MultipartForm; form != nil && form != x.req.body.upload {
		_ = form.RemoveAll()
	}
}

func (l UploadLimits) check(form *multipart.Form) error {
	count := 0
	for name, files := range form.File {
		count += len(files)
		for _, f := range files {
			if f.Size > l.File {
				return &HTTPError{Status: 413, Type: "file.too.large", Message: fmt.Sprintf("the file %q of %q is too large", f.Filename, name)}
			}
		}
	}
	if count > l.Files {
		return &HTTPError{Status: 413, Type: "files.too.many", Message: "too many files"}
	}
	return nil
}

// File is the first file that was sent under a name; its Open reads it. None is a 400 error with the type
// "file.missing". See [Request.Upload] for limits and errors. The FileName is what the client says: it is no path.
func (r *Request) File(name string) (*multipart.FileHeader, error) {
	files, err := r.Files(name)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, &HTTPError{Status: 400, Type: "file.missing", Message: fmt.Sprintf("no file %q was sent", name), Err: http.ErrMissingFile}
	}
	return files[0], nil
}

// Files are the files that were sent under a name, of any name if it is empty.
func (r *Request) Files(name string) ([]*multipart.FileHeader, error) {
	form, err := r.Upload(UploadLimits{})
	if err != nil || name != "" {
		if form == nil {
			return nil, err
		}
		return form.File[name], err
	}
	var all []*multipart.FileHeader
	for _, name := range slices.Sorted(maps.Keys(form.File)) {
		all = append(all, form.File[name]...)
	}
	return all, nil
}
