package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/zocalo-go/zocalo/bench/realtime/internal/outcome"
)

// A measurement is the result of one step.
type measurement struct {
	Scenario   string          `json:"scenario"`
	Server     string          `json:"server"`
	Build      string          `json:"build"` // the server's fingerprint
	Repetition int             `json:"repetition"`
	Attempts   int             `json:"attempts"`
	Outcome    outcome.Outcome `json:"outcome"`
}

// A log keeps measurements in a file, one in a line, so that an interrupted run loses none.
type log struct {
	file *os.File
	all  []measurement
}

// openLog begins a log, or goes on with the one that is there.
func openLog(path string, resume bool) (*log, error) {
	l := &log{}
	flags := os.O_RDWR | os.O_CREATE
	if !resume {
		flags |= os.O_TRUNC
	}
	file, err := os.OpenFile(path, flags, 0o644)
	if err != nil {
		return nil, err
	}
	l.file = file
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var m measurement
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w; remove it to begin anew", path, err), file.Close())
		}
		l.all = append(l.all, m)
	}
	if err := lines.Err(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return l, nil
}

// has reports whether a step was made with this build of the server.
func (l *log) has(scenario, server, build string, repetition int) bool {
	for _, m := range l.all {
		if m.Scenario == scenario && m.Server == server && m.Build == build && m.Repetition == repetition {
			return true
		}
	}
	return false
}

func (l *log) add(m measurement) error {
	l.all = append(l.all, m)
	return json.NewEncoder(l.file).Encode(m)
}

// current returns the measurements of the builds given.
func (l *log) current(builds map[string]string) []measurement {
	var current []measurement
	for _, m := range l.all {
		if builds[m.Server] == m.Build {
			current = append(current, m)
		}
	}
	return current
}

// Close closes the file.
func (l *log) Close() error { return l.file.Close() }
