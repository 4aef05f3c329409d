package doctor

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// maxFiles is how many files of an app are looked at for its clients.
const maxFiles = 2000

// A clientUse is a Socket.IO client that the app names somewhere.
type clientUse struct{ file, version string }

var (
	// A CDN's path: /socket.io-client@4.7.5/…, cdn.socket.io/4.8.1/socket.io.min.js,
	// …/socket.io/4.7.2/socket.io.js.
	cdnClient = regexp.MustCompile(`(?:socket\.io-client@|cdn\.socket\.io/(?:socket\.io-)?|/libs/socket\.io/)(\d+(?:\.\d+)*)`)
	banner    = regexp.MustCompile(`Socket\.IO v(\d+\.\d+\.\d+)`)
	// A handler that is registered in the one of "connect" is registered anew at
	// each reconnection.
	nested = regexp.MustCompile(`\.on\(\s*["']connect["']\s*,\s*(?:async\s*)?(?:function\s*\w*\s*\([^)]*\)|\([^)]*\)\s*=>|\w+\s*=>)\s*\{[^}]*?\b\w+\.on\(`)
	// serverless are the files of platforms that keep no process.
	serverless = map[string]string{"vercel.json": "Vercel", "netlify.toml": "Netlify", "serverless.yml": "a serverless platform"}
)

// project looks at the files of the app in dir.
func project(dir string) []Finding {
	clients, twice := look(dir)
	findings := []Finding{clientVersions(clients)}
	f := Finding{Check: "handlers", State: Good, Says: "none is registered anew at each connection"}
	if len(twice) > 0 {
		f.State, f.Says = Poor, "registered anew at each connection, so events come twice after a reconnection: "+strings.Join(twice, ", ")
		f.Cure = `register handlers once, beside socket.on("connect") and not in it`
	}
	findings = append(findings, f)
	f = Finding{Check: "platform", State: Good, Says: "keeps processes, as far as the files here tell"}
	for name, platform := range serverless {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			f.State, f.Says = Poor, fmt.Sprintf("%s is that of %s, which keeps no process to hold sockets", name, platform)
			f.Cure = "run the binary on a machine or in a container"
		}
	}
	return append(findings, f)
}

// errEnough ends a walk.
var errEnough = errors.New("enough files")

// look reads package.json, views and public for clients and their handlers.
func look(dir string) (clients []clientUse, twice []string) {
	var pkg struct {
		Dependencies, DevDependencies map[string]string
	}
	if text, err := os.ReadFile(filepath.Join(dir, "package.json")); err == nil && json.Unmarshal(text, &pkg) == nil {
		for _, list := range []map[string]string{pkg.Dependencies, pkg.DevDependencies} {
			if v, ok := list["socket.io-client"]; ok {
				clients = append(clients, clientUse{"package.json", strings.TrimLeft(v, "^~>=v ")})
			}
		}
	}
	count := 0
	for _, sub := range []string{"views", "public"} {
		filepath.WalkDir(filepath.Join(dir, sub), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return nil // symbolic links are not followed: they may go in circles
			}
			switch filepath.Ext(path) {
			case ".html", ".htm", ".js", ".mjs", ".handlebars", ".hbs":
			default:
				return nil
			}
			if count++; count > maxFiles {
				return errEnough
			}
			if info, err := d.Info(); err != nil || info.Size() > 1<<20 {
				return nil
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return nil
			}
			name, err := filepath.Rel(dir, path)
			if err != nil {
				return nil
			}
			for _, pattern := range []*regexp.Regexp{cdnClient, banner} {
				if m := pattern.FindSubmatch(text); m != nil {
					clients = append(clients, clientUse{filepath.ToSlash(name), string(m[1])})
				}
			}
			if nested.Match(text) && !banner.Match(text) {
				twice = append(twice, filepath.ToSlash(name))
			}
			return nil
		})
	}
	return clients, twice
}

// clientVersions judges the clients that the app brings along itself.
func clientVersions(clients []clientUse) Finding {
	f := Finding{Check: "client", State: Good, Says: "the server's own, /socket.io/socket.io.js"}
	for i, c := range clients {
		state, says, cure := judgeClient(c.version)
		if i == 0 || state != Good && f.State == Good || state == Bad {
			f.State, f.Says, f.Cure = state, c.file+" has "+says, cure
		}
	}
	return f
}

// judgeClient says how well a version of the browser client goes with a server
// of version 4 (https://socket.io/docs/v4/client-installation/#version-compatibility).
func judgeClient(version string) (State, string, string) {
	parts := append(strings.Split(version, "."), "0", "0", "0")
	major, err := strconv.Atoi(parts[0])
	minor, _ := strconv.Atoi(parts[1])
	patch, _ := strconv.Atoi(parts[2])
	name := "the client " + version
	switch {
	case err != nil:
		return Good, name, ""
	case major < 2:
		return Bad, name + ", which no server of version 4 understands", "use /socket.io/socket.io.js of the server, or socket.io-client 4"
	case major == 2:
		return Poor, name + ", which speaks the protocol of 2017", "use /socket.io/socket.io.js of the server, or socket.io-client 4; until then set realtime.Config.AllowEIO3"
	case major == 3 || major == 4 && (minor < 1 || minor == 1 && patch < 3):
		return Poor, name + ", which a throttled tab can disconnect", "update to socket.io-client 4.1.3 or later"
	}
	return Good, name, ""
}
