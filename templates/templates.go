// Package templates holds the apps that `devserver new` writes. They are compiled and tested where they are; the pages of
// chat are the packages views and public of this module.
package templates

import "embed"

// FS has a directory for each template, "chat", "minimal" and "api", and "common", which goes into every app. A file named
// gitignore is written as .gitignore; the import paths github.com/zocalo-go/zocalo/views and .../public become packages
// of the new app. The directory adapters has, for each engine of a cluster, what goes into an app besides; a file
// cluster.go.txt is written as cluster.go, and env.example is added to the one there is.
//
//go:embed chat minimal api common adapters
var FS embed.FS
