package dev

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// dotenv reads KEY=value lines from the file .env in dir. Blank lines and
// lines that start with # are skipped, "export " and matching quotes around a
// value are dropped, nothing is expanded. A variable that the environment
// already has wins over the file, as everywhere.
func dotenv(dir string) (env []string) {
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
		if _, set := os.LookupEnv(key); !set {
			env = append(env, key+"="+value)
		}
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
