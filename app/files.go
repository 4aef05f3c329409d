package app

import (
	"io/fs"
	"os"
)

// Files chooses where views and assets come from: in development the directory, if it exists, so that an edit shows
// on the next request; otherwise the files that are embedded in the program.
//
//	//go:embed *
//	var embedded embed.FS
//	…
//	server.Set("views", app.Files("views", embedded))
//	server.Use(app.StaticFS(app.Files("public", publicFiles)))
func Files(dir string, embedded fs.FS) fs.FS {
	if os.Getenv("ZOCALO_ENV") == "development" {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return &rootDir{dir: dir}
		}
	}
	if embedded == nil {
		panic("app: Files(" + dir + ", nil): pass the embedded files")
	}
	return embedded
}
