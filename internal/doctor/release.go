package doctor

import (
	"fmt"
	"strconv"
	"strings"
)

// A line of Go's releases with what its latest known patch release mends. The
// facts are those of https://go.dev/doc/devel/release in November 2026 and of
// https://pkg.go.dev/vuln, as far as they concern a server; they are only right
// to warn of an old Go, never to praise a new one.
type releaseLine struct {
	minor, patch int
	mends        string
}

// releases are the supported lines, oldest first.
var releases = [...]releaseLine{
	{26, 9, "net/http (GO-2026-6612, GO-2026-6613, GO-2026-6617)"},
	{27, 2, "net/http and crypto/tls (GO-2026-6611, GO-2026-6613, GO-2026-6617)"},
}

const vulnerabilities = "for the app's modules, too: go run golang.org/x/vuln/cmd/govulncheck@latest ./..."

// advise judges a version of Go, "go1.26.8", offline.
func advise(version string) Finding {
	f := Finding{Check: "Go advisories", State: Good, Says: version + " has none that are known here"}
	number, _, _ := strings.Cut(strings.TrimPrefix(version, "go"), " ")
	parts := strings.Split(number, ".")
	minor, patch, ok := 0, 0, len(parts) > 1 && parts[0] == "1"
	if ok {
		var err error
		minor, err = strconv.Atoi(parts[1])
		ok = err == nil
	}
	if ok && len(parts) > 2 {
		patch, _ = strconv.Atoi(parts[2]) // "8-custom" counts as .0, to be on the safe side
	}
	switch {
	case !ok:
		f.Says = version + " is no release that is known here"
		return f
	case minor < releases[0].minor:
		f.State, f.Says = Poor, fmt.Sprintf("%s gets no security fixes any more", version)
		f.Cure = fmt.Sprintf("install Go 1.%d or later from https://go.dev/dl; %s", releases[len(releases)-1].minor, vulnerabilities)
		return f
	}
	for _, line := range releases {
		if line.minor == minor && patch < line.patch {
			f.State, f.Says = Poor, fmt.Sprintf("%s lacks security fixes of go1.%d.%d: %s", version, minor, line.patch, line.mends)
			f.Cure = fmt.Sprintf("go get toolchain@go1.%d.%d, or https://go.dev/dl, and build again; %s", minor, line.patch, vulnerabilities)
		}
	}
	return f
}
