package doctor

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// framework is the module whose adapters are known.
const framework = "github.com/zocalo-go/zocalo"

// A joint is what joins processes, with the variable that says where it is in
// apps that devserver new has written, and what may start one.
type joint struct {
	adapter, name, variable, example string
	starts                           []string
}

var joints = []joint{
	{"nats", "NATS", "NATS_URL", "nats://localhost:4222", []string{"docker compose up -d nats", "nats-server"}},
	{"redis", "Redis", "REDIS_URL", "redis://localhost:6379", []string{"docker compose up -d redis", "redis-server"}},
	{"postgres", "PostgreSQL", "DATABASE_URL", "postgres://postgres@localhost:5432/postgres", []string{"docker compose up -d postgres"}},
}

// start is a command that starts an engine, of those whose program is installed.
func (j joint) start() string {
	for _, command := range j.starts {
		program, _, _ := strings.Cut(command, " ")
		if _, err := exec.LookPath(program); err == nil {
			return command
		}
	}
	return j.starts[0]
}

// greeting is how long an engine may take to answer when an app is started.
const greeting = time.Second

// Engines greets the engines to which the command pkg in dir will connect, as far
// as its source and its variables tell, and returns what is not well with them. An
// app that is not built yet cannot say it, and says it in its engine's words.
func Engines(ctx context.Context, dir, pkg string, getenv func(string) string) []Finding {
	ctx, cancel := context.WithTimeout(ctx, greeting)
	defer cancel()
	var findings []Finding
	for _, j := range joints {
		url := getenv(j.variable)
		if !IsService(url) || !mentions(filepath.Join(dir, pkg), `"`+j.variable+`"`) {
			continue
		}
		f, absent, err := greet(ctx, url)
		if err != nil || f.State == Good {
			continue
		}
		f.Check = j.variable
		if absent {
			f.Cure = "start " + j.name + ", for example with: " + j.start()
			if j.adapter == "nats" {
				f.Cure += "; or leave it unset, and devserver --nodes has a NATS server of its own"
			}
		}
		findings = append(findings, f)
	}
	return findings
}

// Nodes says why several processes of the command pkg in dir would not be one
// cluster, and what to do, as far as its source and its variables tell. An app
// without sockets has nothing to join. One that lacks but the URL of a NATS server
// needs nothing that has to be installed, unless it is for JetStream: unset is the
// variable for it then.
func Nodes(ctx context.Context, dir, pkg string, getenv func(string) string) (unset string, err error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-e", "-deps", "-f", "{{.ImportPath}}", pkg)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return "", nil // the build says it better
	}
	imports := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		imports[strings.TrimSpace(line)] = true
	}
	if !imports[framework+"/realtime"] {
		return "", nil
	}
	found := false
	for _, e := range joints {
		if !imports[framework+"/realtime/adapter/"+e.adapter] {
			continue
		}
		found = true
		if getenv(e.variable) != "" || !mentions(filepath.Join(dir, pkg), `"`+e.variable+`"`) {
			continue
		}
		if e.adapter == "nats" && !mentions(filepath.Join(dir, pkg), ".JetStream(") {
			unset = e.variable
			continue
		}
		start := e.start()
		if e.adapter == "nats" {
			start = "nats-server -js"
		}
		return "", fmt.Errorf("%s is not set, so the nodes would not find each other: start %s, for example with\n\t%s\n"+
			"and write this into .env:\n\t%s=%s", e.variable, e.name, start, e.variable, e.example)
	}
	if !found {
		return "", fmt.Errorf("the app has no adapter, so its nodes would know nothing of each other's sockets; make an app that has one, "+
			"for which nothing has to be installed, with\n\tdevserver new hello --adapter nats\nor see docs/scaling.md of %s for how to add one", framework)
	}
	return unset, nil
}

// mentions reports whether a Go file in a directory has a text in it.
func mentions(dir, text string) bool {
	names, _ := filepath.Glob(filepath.Join(dir, "*.go"))
	for _, name := range names {
		if source, err := os.ReadFile(name); err == nil && strings.Contains(string(source), text) {
			return true
		}
	}
	return false
}
