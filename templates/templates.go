// Package templates holds the apps that `devserver new` writes. They are compiled and tested where they are; their
// pages are the packages views and public of this module.
package templates

import "embed"

// FS has a directory for each template: "chat". A file named gitignore is written as .gitignore; the import paths
// github.com/zocalo-go/zocalo/views and .../public become packages of the new app.
//
//go:embed chat
var FS embed.FS
