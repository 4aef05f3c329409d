// Package public holds what the browser loads: style, scripts and pictures of the page, served as they are.
package public

import "embed"

// FS has plaza.css at its root.
//
//go:embed *.css *.js *.svg
var FS embed.FS
