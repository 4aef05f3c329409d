package scaffold

import (
	"fmt"
	"go/format"
	"strings"
)

// embedHere has main.go embed directories that it takes from packages of the
// framework: in the app they are directories of the app, of which nothing that
// is added to them is left out of a build.
func embedHere(files map[string][]byte, dirs []string) error {
	text := string(files["main.go"])
	for _, dir := range dirs {
		imported, used := "\t\""+framework+"/"+dir+"\"\n", fmt.Sprintf("app.Files(%q, %s.FS)", dir, dir)
		if strings.Count(text, imported) != 1 || strings.Count(text, used) != 1 {
			return fmt.Errorf("main.go of the template should import %s/%s and use it in %q, once each", framework, dir, used)
		}
		text = strings.Replace(text, imported, "", 1)
		text = strings.Replace(text, used, fmt.Sprintf("files(%q)", dir), 1)
	}
	head, body, found := strings.Cut(text, "\n)\n")
	imports, rest, open := strings.Cut(head, "import (\n")
	if !found || !open {
		return fmt.Errorf("main.go of the template should have its imports in parentheses")
	}
	text = imports + "import (\n\t\"embed\"\n\t\"io/fs\"\n" + rest + "\n)\n" + fmt.Sprintf(embedding, strings.Join(dirs, " ")) + body + embedded
	source, err := format.Source([]byte(text))
	if err != nil {
		return fmt.Errorf("main.go: %w", err)
	}
	files["main.go"] = source
	return nil
}

const embedding = `
// In development these directories are read from disk, and an edit shows at once; a build carries them inside.
//
//go:embed %s
var embedded embed.FS
`

const embedded = `
func files(dir string) fs.FS {
	inside, err := fs.Sub(embedded, dir)
	if err != nil {
		panic(err) // dir is no path
	}
	return app.Files(dir, inside)
}
`
