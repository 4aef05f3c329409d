package generate

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// names are what a name becomes in files, code and URLs. The suffix of a file,
// _page.go, also keeps it from being one for a system or a test.
type names struct {
	Name     string // as given: "about-us"
	File     string // "about_us"
	View     string // "about-us"
	Path     string // "/about-us"; of a resource, "/articles"
	Ident    string // "aboutUs"
	Exported string // "AboutUs"
	Title    string // "About us"
	Func     string // "aboutUsPage", "onAboutUs"
	Article  string // "A" or "An"

	ExportedPlural string // "Articles"
	Store          string // "articleStore"

	// Of the app.
	Package, Framework, Constructor, Mount string
}

var (
	pageName     = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*(/[a-z][a-z0-9]*(-[a-z0-9]+)*)*$`)
	eventName    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*([ :._-][A-Za-z0-9]+)*$`)
	resourceName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
)

// reserved are the events that Socket.IO keeps for itself
// (https://socket.io/docs/v4/emit-cheatsheet/#reserved-events).
var reserved = []string{"connect", "connection", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}

// CheckName refuses a name that a kind cannot have.
func CheckName(kind, name string) error {
	switch {
	case !slices.Contains(Kinds(), kind):
		return fmt.Errorf("there is no %q to generate; there are %s", kind, strings.Join(Kinds(), ", "))
	case len(name) > 60:
		return fmt.Errorf("%.20q… is longer than 60 characters", name)
	case kind == "page" && !pageName.MatchString(name):
		return fmt.Errorf("%q cannot be the name of a page: it is a path of lower-case letters, digits and hyphens, like about-us or docs/start", name)
	case kind == "page" && (name == "socket.io" || strings.HasPrefix(name, "socket.io/")):
		return fmt.Errorf("%q cannot be the name of a page: the sockets are there", name)
	case kind == "event" && !eventName.MatchString(name):
		return fmt.Errorf("%q cannot be the name of an event: it is words of letters and digits with one of ' ', ':', '.', '_' or '-' between them, like \"note created\"", name)
	case kind == "event" && slices.Contains(reserved, name):
		return fmt.Errorf("%q cannot be the name of an event: Socket.IO keeps it for itself", name)
	case kind == "resource" && !resourceName.MatchString(name):
		return fmt.Errorf("%q cannot be the name of a resource: it is one thing, in lower-case letters, digits and hyphens, like article or blog-post", name)
	}
	return nil
}

// naming derives everything from a name.
func naming(kind, name string) (names, error) {
	if err := CheckName(kind, name); err != nil {
		return names{}, err
	}
	words := strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune(" :._-/", r) })
	n := names{Name: name, Path: "/" + name, Article: "A"}
	for i, word := range words {
		if i > 0 {
			n.Exported += capital(word)
		} else {
			n.Exported = capital(word)
		}
		words[i] = strings.ToLower(word)
	}
	n.Ident = strings.ToLower(n.Exported[:1]) + n.Exported[1:]
	n.File, n.View, n.Title = strings.Join(words, "_"), strings.Join(words, "-"), capital(strings.Join(words, " "))
	n.ExportedPlural, n.Store = plural(n.Exported), n.Ident+"Store"
	if strings.ContainsRune("AEIOU", rune(n.Exported[0])) {
		n.Article = "An"
	}
	switch kind {
	case "page":
		n.Func = n.Ident + "Page"
	case "event":
		n.Func = "on" + n.Exported
	case "resource":
		n.Path = "/" + plural(name)
	}
	return n, nil
}

func capital(word string) string {
	r := []rune(word)
	r[0] = unicode.ToUpper(r[0])
	return string(r)
}

// plural is good enough for a path that its owner can change.
func plural(word string) string {
	last := len(word) - 1
	switch {
	case strings.HasSuffix(word, "y") && last > 0 && !strings.ContainsRune("aeiou", rune(word[last-1])):
		return word[:last] + "ies"
	case strings.HasSuffix(word, "s"), strings.HasSuffix(word, "x"), strings.HasSuffix(word, "ch"), strings.HasSuffix(word, "sh"):
		return word + "es"
	}
	return word + "s"
}
