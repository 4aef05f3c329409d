package dev

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Getenv is the value that an app in dir finds in a variable: that of the
// environment, or else of the file .env.
func Getenv(dir, name string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	for _, entry := range readEnv(dir) {
		if key, value, _ := strings.Cut(entry, "="); key == name {
			return value
		}
	}
	return ""
}

// Dotenv is what the file .env in dir adds to the environment: a variable that
// is there already wins over the file, as everywhere.
func Dotenv(dir string) []string {
	return slices.DeleteFunc(readEnv(dir), func(entry string) bool {
		key, _, _ := strings.Cut(entry, "=")
		_, set := os.LookupEnv(key)
		return set
	})
}

// environ is the environment of an app: ours, what .env adds, and what it lacks then
// of Config.Env.
func environ(cfg Config) []string {
	env := append(os.Environ(), Dotenv(cfg.Dir)...)
	for _, entry := range cfg.Env {
		if name, _, _ := strings.Cut(entry, "="); Getenv(cfg.Dir, name) == "" {
			env = append(env, entry)
		}
	}
	return env
}

// readEnv reads KEY=value lines from the file .env in dir. Blank lines and
// lines that start with # are skipped, "export " and matching quotes around a
// value are dropped, nothing is expanded.
func readEnv(dir string) (env []string) {
	text, err := os.ReadFile(filepath.Join(dir, ".env"))
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "export ")
		key, value, ok := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if !ok || key == "" || strings.HasPrefix(key, "#") {
			continue
		}
		if n := len(value); n > 1 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
			value = value[1 : n-1]
		}
		env = append(env, key+"="+value)
	}
	return env
}

// without returns env less the named variables.
func without(env []string, names ...string) []string {
	return slices.DeleteFunc(env, func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains(names, name)
	})
}
