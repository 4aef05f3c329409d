package app

import (
	"net/http"
	"strings"
)

// A Format is one of the forms in which [Response.Format] can answer.
type Format struct {
	Type   string       // a media type or an extension; "default" answers a client that takes none of the others
	Answer func() error // sends the answer
}

// Format answers in the form that the client likes best, by its Accept header; the first without one. The Content-Type
// and Vary are set. If the client takes none and there is no "default" it is a 406 error.
//
//	return res.Format(
//		app.Format{Type: "html", Answer: func() error { return res.Render("book", app.Map{"book": book}) }},
//		app.Format{Type: "json", Answer: func() error { return res.JSON(book) }},
//	)
func (s *Response) Format(formats ...Format) error {
	if s.invalid != nil {
		return s.rejected()
	}
	var offers []string
	var otherwise func() error
	for _, f := range formats {
		if f.Answer == nil {
			panic("app: Format: the type " + f.Type + " has no Answer: pass a func() error")
		}
		if f.Type == "default" {
			otherwise = f.Answer
		} else {
			offers = append(offers, f.Type)
		}
	}
	chosen := s.x.req.Accepts(offers...)
	s.Vary("Accept")
	if chosen == "" {
		if otherwise == nil {
			return &HTTPError{Status: http.StatusNotAcceptable, Message: "Not Acceptable", Header: nil}
		}
		return otherwise()
	}
	media, _, _ := strings.Cut(chosen, ";")
	if !strings.Contains(media, "/") {
		media = typeByExtension(media)
	}
	s.Set("Content-Type", strings.TrimSpace(media))
	for _, f := range formats {
		if f.Type == chosen {
			return f.Answer()
		}
	}
	return nil
}
