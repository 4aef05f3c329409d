// Package doctor looks for what keeps an app from working that is not in its
// code: on this machine, and between a browser and a deployed app.
//
// Start with [Machine], [Site] and [Service]. Each returns its findings in a
// fixed order, with the cure of whatever is not well. They change nothing, and
// talk to nobody but the URLs that they are given.
package doctor

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// A Finding is what one check has found.
type Finding struct {
	Check string `json:"check"`
	State State  `json:"state"`
	Says  string `json:"says"`           // what there is
	Cure  string `json:"cure,omitempty"` // what to do; empty when all is well
}

// A State is how well something is.
type State string

// What is Bad keeps the app from working; Poor is less than it should be.
const (
	Good State = "ok"
	Poor State = "warning"
	Bad  State = "error"
)

// An App is what Machine looks at.
type App struct {
	Dir      string   // of its go.mod
	Port     string   // where it wants to listen; "8080" unless given
	Services []string // URLs of the engines that it uses; see Service
}

// Machine looks at this machine and at the app.
func Machine(ctx context.Context, app App) []Finding {
	found, version, module := goCommand(ctx, app.Dir)
	findings := []Finding{found}
	if version != "" {
		findings = append(findings, advise(version))
	}
	if module {
		findings = append(findings, replaced(ctx, app.Dir))
	}
	findings = append(findings,
		port(ctx, cmp.Or(app.Port, "8080")),
		atLeast("inotify watches", "/proc/sys/fs/inotify/max_user_watches", 8192,
			"sudo sysctl fs.inotify.max_user_watches=524288, or devserver --poll"),
		atLeast("inotify instances", "/proc/sys/fs/inotify/max_user_instances", 128,
			"sudo sysctl fs.inotify.max_user_instances=1024, or devserver --poll"),
		openFiles(),
	)
	findings = append(findings, project(app.Dir)...)
	for _, service := range app.Services {
		f, err := Service(ctx, service)
		if err != nil {
			f = Finding{"engine", Bad, err.Error(), "mend the URL in the environment or in .env"}
		}
		findings = append(findings, f)
	}
	return findings
}

// goCommand checks that there is a go command that is new enough for go.mod, and
// returns its version, and whether there is a go.mod.
func goCommand(ctx context.Context, dir string) (f Finding, version string, module bool) {
	f.Check = "go"
	var env struct{ GOVERSION, GOMOD string }
	if err := goJSON(ctx, dir, &env, "env", "-json", "GOVERSION", "GOMOD"); err != nil {
		f.State, f.Says, f.Cure = Bad, err.Error(), "install Go from https://go.dev/dl, or mend go.mod"
		return f, "", true
	}
	f.State, f.Says = Good, env.GOVERSION
	module = env.GOMOD != "" && env.GOMOD != os.DevNull
	if !module {
		f.State, f.Says = Poor, env.GOVERSION+", but there is no go.mod here"
		f.Cure = "go to the directory of an app, or make one with: devserver new hello"
	}
	return f, env.GOVERSION, module
}

// replaced checks that others can build the app, too.
func replaced(ctx context.Context, dir string) Finding {
	f := Finding{Check: "go.mod", State: Good, Says: "replaces no module by a directory"}
	var mod struct {
		Replace []struct {
			Old, New struct{ Path, Version string }
		}
	}
	if err := goJSON(ctx, dir, &mod, "mod", "edit", "-json"); err != nil {
		f.State, f.Says, f.Cure = Poor, "cannot be read", "see what go mod verify says"
		return f
	}
	for _, r := range mod.Replace {
		if r.New.Version == "" {
			f.State, f.Says = Poor, fmt.Sprintf("replaces %s by %s, which no other machine has", r.Old.Path, r.New.Path)
			f.Cure = "before a release: go mod edit -dropreplace=" + r.Old.Path + " && go get " + r.Old.Path + "@latest"
		}
	}
	return f
}

// atLeast checks a number that the kernel keeps in a file.
func atLeast(check, path string, least int, cure string) Finding {
	text, err := os.ReadFile(filepath.FromSlash(path))
	if err != nil {
		return Finding{check, Good, "this system has no such limit", ""}
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || n < least {
		return Finding{check, Poor, fmt.Sprintf("%s, which is less than %d", strings.TrimSpace(string(text)), least), cure}
	}
	return Finding{check, Good, strconv.Itoa(n), ""}
}

// files judges how many files and sockets a process may have open.
func files(most uint64) Finding {
	f := Finding{Check: "open files", State: Good, Says: strconv.FormatUint(most, 10)}
	if most < 4096 {
		f.State, f.Says = Poor, fmt.Sprintf("%d, so not many more than %d sockets at once", most, most*9/10)
		f.Cure = "ulimit -n 65536, or LimitNOFILE=65536 in the systemd unit"
	}
	return f
}

// goJSON runs the go command in dir and reads its JSON. What it complains of is
// the error.
func goJSON(ctx context.Context, dir string, v any, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		return errors.New(strings.TrimSpace(string(exit.Stderr)))
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(out, v)
}
