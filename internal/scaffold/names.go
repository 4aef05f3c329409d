package scaffold

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	namePattern    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._-]*$`)
	elementPattern = regexp.MustCompile(`^[A-Za-z0-9_~-][A-Za-z0-9._~-]*$`)
	// devicePattern is what Windows, and so the go command, takes for no file.
	devicePattern = regexp.MustCompile(`(?i)^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)`)
)

// keptNames are what a module path may not begin with: words of the go command,
// and the standard library, whose packages and those of the module would be one.
var keptNames = strings.Fields(`all cmd main std testdata tool work
	archive bufio builtin bytes cmp compress container context crypto database debug embed encoding errors expvar flag fmt go
	hash html image index internal io iter log maps math mime net os path plugin reflect regexp runtime slices sort strconv
	strings structs sync syscall testing text time unicode unique unsafe vendor weak`)

// CheckName refuses names that are not a letter followed by letters, digits,
// '-', '_' and '.'.
func CheckName(name string) error {
	if !namePattern.MatchString(name) || strings.HasSuffix(name, ".") {
		return fmt.Errorf("%q cannot be the name of an app: a name is a letter, then letters, digits, '-', '_' or '.'", name)
	}
	return nil
}

// CheckModule refuses what cannot be the module path of an app.
func CheckModule(module string) error {
	for element := range strings.SplitSeq(module, "/") {
		if !elementPattern.MatchString(element) || strings.HasSuffix(element, ".") || devicePattern.MatchString(element) {
			return fmt.Errorf("%q cannot be a module path: it is names of letters, digits and -._~, joined by slashes, like example.com/plaza", module)
		}
	}
	first, _, _ := strings.Cut(module, "/")
	if slices.Contains(keptNames, first) {
		return fmt.Errorf("%q cannot be a module path: %q means something else to the go command; take another, like example.com/%[2]s", module, first)
	}
	if !namePattern.MatchString(first) {
		return fmt.Errorf("%q cannot be a module path: it begins with a letter", module)
	}
	return nil
}
