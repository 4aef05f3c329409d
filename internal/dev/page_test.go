package dev

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// What stands in a mistake, in a file's name or in the source is text, whatever the client asks for.
func TestPageIsText(t *testing.T) {
	const hostile = `</script><img src=x onerror=alert(1)>`
	problem := &Problem{ID: hostile, Build: true, Title: hostile, Detail: hostile, Output: hostile, Errors: []Error{{
		File: hostile + ".go", Line: 1, Column: 2, Message: hostile, Frame: []Line{{Number: 1, Text: hostile, Marked: true}},
	}}}
	for accept, kind := range map[string]string{"text/html": "text/html; charset=utf-8", "*/*": "text/plain; charset=utf-8"} {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept", accept)
		writePage(w, r, problem, 500)
		if w.Header().Get("Content-Type") != kind || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", accept, w.Header())
		}
		if strings.Contains(w.Body.String(), "<img") != (accept == "*/*") {
			t.Errorf("%s: %s", accept, w.Body)
		}
	}
}
