// Package views holds the pages of the square: what app.Response.Render renders. They are compiled in; in
// development the files on disk are used, and an edit shows on the next request.
package views

import "embed"

// FS has index.handlebars at its root.
//
//go:embed *.handlebars layouts partials
var FS embed.FS
