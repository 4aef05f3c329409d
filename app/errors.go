package app

import (
	"errors"
	"fmt"
	"net/http"
)

// An HTTPError is an error that knows how it is answered. Any error with a method StatusCode() int does; this one is
// there for the making of them.
type HTTPError struct {
	Status  int         // 400 to 599
	Type    string      // what went wrong, for programs: "entity.too.large"
	Message string      // for people; in production only the status text is shown
	Header  http.Header // added to the answer
	Err     error       // the cause
}

// Error is the message, or that of the cause, or the text of the status.
func (e *HTTPError) Error() string {
	switch {
	case e.Message != "" && e.Err != nil:
		return e.Message + ": " + e.Err.Error()
	case e.Message != "":
		return e.Message
	case e.Err != nil:
		return e.Err.Error()
	}
	return statusText(e.Status)
}

// Unwrap returns the cause.
func (e *HTTPError) Unwrap() error { return e.Err }

// StatusCode returns the status.
func (e *HTTPError) StatusCode() int { return e.Status }

// Errorf makes an error that is answered with a status. It formats as fmt.Errorf does, %w included.
//
//	return app.Errorf(404, "no user %q", name)
func Errorf(status int, format string, args ...any) error {
	return &statusError{status, fmt.Errorf(format, args...)}
}

type statusError struct {
	status int
	error
}

func (e *statusError) Unwrap() error   { return e.error }
func (e *statusError) StatusCode() int { return e.status }

// ErrHeadersSent is returned by the methods of [Response] that answer, when an answer was sent before.
var ErrHeadersSent = errors.New("app: the response was already sent; return after answering once")

// StatusOf is the status with which err is answered when no error handler does: that of its first cause with a
// method StatusCode() int, if it is 400 to 599, or else 500. Nil is 200.
func StatusOf(err error) int {
	if err == nil {
		return http.StatusOK
	}
	if status := errorStatus(err); status != 0 {
		return status
	}
	return http.StatusInternalServerError
}

func errorStatus(err error) int {
	var s interface{ StatusCode() int }
	if errors.As(err, &s) {
		if status := s.StatusCode(); status >= 400 && status <= 599 {
			return status
		}
		return 0
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return http.StatusRequestEntityTooLarge
	}
	return 0
}

// errorHeader are the headers that the cause which has a status wants in its answer.
func errorHeader(err error) http.Header {
	var e *HTTPError
	if errorStatus(err) != 0 && errors.As(err, &e) {
		return e.Header
	}
	return nil
}
