package dev

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A place is where an editor opens a file.
type place struct {
	File   string `json:"file"` // relative to the app's directory, or absolute inside it
	Line   int    `json:"line"` // from 1; 0 is unknown
	Column int    `json:"column"`
}

// openPlace answers POST /_dev/open: it opens a file of the app in the editor.
func openPlace(dir string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var p place
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 16<<10))
		if err == nil {
			err = json.Unmarshal(body, &p)
		}
		if err != nil {
			http.Error(w, `send {"file": …, "line": …, "column": …}`, http.StatusBadRequest)
			return
		}
		if p.File, err = inside(dir, p.File); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		command, err := editor(os.Getenv, exec.LookPath, p)
		if err == nil {
			err = launch(dir, command)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

// inside returns the absolute path of a file that is there and in dir, wherever
// links lead.
func inside(dir, file string) (string, error) {
	outside := fmt.Errorf("%s is no file of the app in %s", file, dir)
	path := filepath.FromSlash(file)
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", outside
	}
	rel, err := filepath.Rel(dir, path)
	if err != nil || !filepath.IsLocal(rel) {
		return "", outside
	}
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return "", outside
	}
	return path, nil
}

// Editors by the name of their command, and how they are told a line.
var (
	gotoEditors = []string{"code", "code-insiders", "codium", "vscodium", "cursor", "windsurf"}
	jetbrains   = []string{"idea", "idea64", "goland", "goland64", "webstorm", "webstorm64", "pycharm", "phpstorm", "rubymine", "clion", "fleet"}
	colonPlaces = []string{"zed", "zeditor", "zedit", "subl", "sublime_text", "atom", "lapce", "gnome-text-editor"}
	plusLines   = []string{"emacs", "emacsclient", "gvim", "mvim", "gedit", "geany"}
	inTerminal  = []string{"vi", "vim", "nvim", "nano", "pico", "micro", "hx", "helix", "kak", "joe", "ed", "ne", "mg", "vis"}

	// guesses are tried when the environment names none, in this order.
	guesses = []string{"code", "cursor", "zed", "goland", "idea", "subl"}
)

// editor returns the command that opens a file at a line: by $ZOCALO_EDITOR, else
// $VISUAL, else $EDITOR, else the first known one there is.
func editor(getenv func(string) string, look func(string) (string, error), p place) ([]string, error) {
	value := cmp.Or(getenv("ZOCALO_EDITOR"), getenv("VISUAL"), getenv("EDITOR"))
	words := strings.Fields(value)
	if len(words) == 0 {
		for _, name := range guesses {
			if path, err := look(name); err == nil {
				words = []string{path}
				break
			}
		}
	}
	if len(words) == 0 {
		return nil, errors.New("no editor is known; set ZOCALO_EDITOR to one with a window, such as code, and start devserver again")
	}
	if _, err := os.Stat(value); err == nil {
		words = []string{value} // with spaces in its path
	}
	path, err := look(words[0])
	if err != nil {
		return nil, fmt.Errorf("the editor %s is not there: %w", words[0], err)
	}
	name := strings.ToLower(filepath.Base(words[0]))
	name = strings.TrimSuffix(strings.TrimSuffix(name, ".exe"), ".cmd")
	if slices.Contains(inTerminal, name) || strings.HasPrefix(name, "emacs") && slices.ContainsFunc(words[1:], func(w string) bool { return w == "-nw" || w == "-t" || w == "--tty" }) {
		return nil, fmt.Errorf("%s runs in a terminal, where a page cannot start it; set ZOCALO_EDITOR to an editor with a window, such as code", name)
	}
	line, column := strconv.Itoa(max(p.Line, 1)), strconv.Itoa(max(p.Column, 1))
	colons := p.File + ":" + line + ":" + column
	command := append([]string{path}, words[1:]...)
	switch {
	case slices.Contains(gotoEditors, name):
		return append(command, "--goto", colons), nil
	case slices.Contains(colonPlaces, name):
		return append(command, colons), nil
	case slices.Contains(jetbrains, name):
		return append(command, "--line", line, "--column", column, p.File), nil
	case name == "emacs" || name == "emacsclient":
		return append(command, "+"+line+":"+column, p.File), nil
	case slices.Contains(plusLines, name):
		return append(command, "+"+line, p.File), nil
	case name == "kate":
		return append(command, "--line", line, "--column", column, p.File), nil
	case name == "mate" || name == "bbedit" || name == "txmt":
		return append(command, "+"+line, p.File), nil
	case name == "notepad++":
		return append(command, "-n"+line, "-c"+column, p.File), nil
	}
	return append(command, p.File), nil
}
