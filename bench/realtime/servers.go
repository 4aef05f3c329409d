package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A server is what is measured.
type server struct {
	name  string
	title string
	about string

	// program returns what to start for a scenario, and settings for its environment.
	program func(bin string, sc scenario) (command, environment []string)
}

func (s server) key() string { return s.name }

// The names of the servers.
const (
	ours   = "ours"
	node   = "node"
	plain  = "plain"
	sketch = "sketch"
	limit  = "limit"
)

func servers() []server {
	bare := func(name string) func(string, scenario) ([]string, []string) {
		return func(bin string, _ scenario) ([]string, []string) {
			return []string{filepath.Join(bin, "limit"), name}, nil
		}
	}
	return []server{
		{ours, "Zócalo", "package realtime with everything on, as in `internal/conformance/bench.go`",
			func(bin string, _ scenario) ([]string, []string) {
				return []string{filepath.Join(bin, "server")}, []string{"CONTRACT=bench"}
			}},
		{node, "Node", "the official server, npm's socket.io with its default `ws`",
			func(string, scenario) ([]string, []string) {
				return []string{"node", "--expose-gc", "realtime/node/server.js"}, nil
			}},
		{plain, "plain library", "coder/websocket used as its documentation shows, with no more of Socket.IO than the load needs",
			bare("plain")},
		{sketch, "sketch", "the same with frames of its own: pooled buffers, one write for all that waits", bare("sketch")},
		{limit, "limit", "a loop over epoll without goroutines; where net/http takes the requests, hand-made frames behind it",
			func(bin string, sc scenario) ([]string, []string) {
				if sc.http {
					return bare("raw")(bin, sc)
				}
				return bare("epoll")(bin, sc)
			}},
	}
}

// build makes the programs of some servers, installs what Node needs, and returns a fingerprint of each server that can
// be run. What cannot be had is told.
func build(ctx context.Context, bin string, wanted []server, tell func(format string, args ...any)) (map[string]string, error) {
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return nil, err
	}
	bin, err := filepath.Abs(bin)
	if err != nil {
		return nil, err
	}
	programs := []struct{ directory, source, name string }{
		{".", "./realtime/load", "load"},
		{".", "./realtime/limit", "limit"},
		{"..", "./internal/conformance/server", "server"},
	}
	prints := map[string]string{}
	for _, p := range programs {
		tell("building %s", p.name)
		cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", filepath.Join(bin, p.name), p.source)
		cmd.Dir = p.directory
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("go build %s, in the directory bench: %w\n%s", p.source, err, out)
		}
		program, err := os.ReadFile(filepath.Join(bin, p.name))
		if err != nil {
			return nil, err
		}
		prints[p.name] = fmt.Sprintf("%x", sha256.Sum256(program))[:16]
	}
	ready := map[string]string{}
	for _, s := range wanted {
		switch s.name {
		case ours:
			ready[s.name] = prints["server"]
		case node:
			version, err := installNode(ctx, tell)
			if err != nil {
				tell("WITHOUT Node: %v", err)
				continue
			}
			ready[s.name] = version
		default:
			ready[s.name] = prints["limit"]
		}
	}
	return ready, nil
}

// installNode returns the versions of Node and socket.io.
func installNode(ctx context.Context, tell func(format string, args ...any)) (string, error) {
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "", fmt.Errorf("%s is missing", tool)
		}
	}
	version, err := exec.CommandContext(ctx, "node", "--version").Output()
	if err != nil {
		return "", fmt.Errorf("node --version: %w", err)
	}
	const directory = "realtime/node"
	// The last thing that npm writes is a lock file of its own.
	if _, err := os.Stat(directory + "/node_modules/.package-lock.json"); errors.Is(err, os.ErrNotExist) {
		tell("npm ci in %s", directory)
		cmd := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund")
		cmd.Dir = directory
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("npm ci in bench/%s: %w\n%s", directory, err, out)
		}
	}
	cmd := exec.CommandContext(ctx, "node", "-p", `require("socket.io/package.json").version`)
	cmd.Dir = directory
	socketIO, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("no socket.io in bench/%s, remove its node_modules: %w", directory, err)
	}
	return fmt.Sprintf("Node %s, socket.io %s", strings.TrimSpace(string(version)), strings.TrimSpace(string(socketIO))), nil
}
