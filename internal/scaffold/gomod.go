package scaffold

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// goMod is what a new app takes over from a go.mod (go.dev/ref/mod#go-mod-file).
type goMod struct {
	module    string
	goVersion string
	require   map[string]string // version by path
}

// parseMod reads a go.mod as the go command formats it.
func parseMod(text string) goMod {
	m := goMod{require: map[string]string{}}
	block := ""
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "//")
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
			continue
		case words[0] == ")":
			block = ""
			continue
		case len(words) == 2 && words[1] == "(":
			block = words[0]
			continue
		case block != "":
			words = append([]string{block}, words...)
		}
		for i, word := range words {
			if unquoted, err := strconv.Unquote(word); err == nil {
				words[i] = unquoted
			}
		}
		switch {
		case words[0] == "module" && len(words) == 2:
			m.module = words[1]
		case words[0] == "go" && len(words) == 2:
			m.goVersion = words[1]
		case words[0] == "require" && len(words) == 3:
			m.require[words[1]] = words[2]
		}
	}
	return m
}

// language is the version of Go that the module is written in, "1.26".
func (m goMod) language() string {
	major, rest, _ := strings.Cut(m.goVersion, ".")
	minor, _, _ := strings.Cut(rest, ".")
	return major + "." + minor
}

// ModulePath is the path that the go.mod in dir declares, or empty.
func ModulePath(dir string) string {
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return ""
	}
	return parseMod(string(text)).module
}

// requireBlock formats requirements as the go command does.
func requireBlock(lines []string) string {
	switch len(lines) {
	case 0:
		return ""
	case 1:
		return "\nrequire " + lines[0] + "\n"
	}
	return "\nrequire (\n\t" + strings.Join(lines, "\n\t") + "\n)\n"
}

// quoted is a path as go.mod wants it: in quotes only when it must be.
func quoted(path string) string {
	if strings.ContainsAny(path, " \t\"'`()[]{},;") || strings.Contains(path, "//") {
		return strconv.Quote(path)
	}
	return path
}

// hashMod is the hash of a go.mod file as go.sum has it: "h1:" and the base64
// of the SHA-256 of the list of files with theirs (go.dev/ref/mod#go-sum-files).
func hashMod(text []byte) string {
	list := fmt.Sprintf("%x  go.mod\n", sha256.Sum256(text))
	sum := sha256.Sum256([]byte(list))
	return "h1:" + base64.StdEncoding.EncodeToString(sum[:])
}
