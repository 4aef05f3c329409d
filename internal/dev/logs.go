package dev

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A logLine is a line that the app printed.
type logLine struct {
	Seq    uint64 `json:"seq"`             // 1, 2, …
	At     int64  `json:"at"`              // milliseconds since 1970
	Level  string `json:"level,omitempty"` // as slog writes it: DEBUG, INFO, WARN, ERROR; of other lines ""
	Text   string `json:"text"`            // without colours
	Stderr bool   `json:"stderr,omitempty"`
	Node   int    `json:"node,omitempty"` // of several
}

const (
	logLines    = 500
	logLineSize = 4 << 10 // bytes
	logPace     = 50 * time.Millisecond
)

// logs remember the last lines of an app. Safe for concurrent use.
type logs struct {
	mu    sync.Mutex
	ring  []logLine // guarded by mu; up to twice logLines, the newest last
	last  uint64
	grown chan struct{}
}

func newLogs() *logs { return &logs{grown: make(chan struct{})} }

func (l *logs) add(text string, stderr bool, node int) {
	text = escapes.ReplaceAllString(strings.TrimRight(text, "\r\n"), "")
	level := ""
	if at := levelOf(text); at != nil {
		level = text[at[0]:at[1]]
		level = level[:len(strings.TrimRight(level, "+-0123456789"))]
	}
	if len(text) > logLineSize {
		text = text[:logLineSize] + fmt.Sprintf("… (%d bytes)", len(text))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	if len(l.ring) == 2*logLines {
		l.ring = append(l.ring[:0], l.ring[logLines+1:]...)
	}
	l.ring = append(l.ring, logLine{l.last, time.Now().UnixMilli(), level, strings.ToValidUTF8(text, "\uFFFD"), stderr, node})
	close(l.grown)
	l.grown = make(chan struct{})
}

// since returns the lines after that number, as far as they are remembered, and
// what is closed when there are more.
func (l *logs) since(number uint64) ([]logLine, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fresh := min(int(l.last-min(number, l.last)), len(l.ring), logLines)
	return append([]logLine(nil), l.ring[len(l.ring)-fresh:]...), l.grown
}

// stream sends the lines to one page: those after the number that it asks for
// with "after", all that are remembered without it, only new ones after "now".
func (l *logs) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	after := r.URL.Query().Get("after")
	last, err := strconv.ParseUint(after, 10, 64)
	l.mu.Lock()
	if after == "now" || err == nil && last > l.last { // the page knows another session's
		last = l.last
	}
	l.mu.Unlock()
	for {
		lines, grown := l.since(last)
		if len(lines) > 0 {
			last = lines[len(lines)-1].Seq
			if text, err := json.Marshal(lines); err == nil {
				fmt.Fprintf(w, "event: logs\ndata: %s\n\n", text)
			}
		}
		if out.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-grown:
		}
		pause := time.NewTimer(logPace)
		select {
		case <-pause.C:
		case <-r.Context().Done():
			pause.Stop()
			return
		}
	}
}

// levels are how package slog and its handlers write the level of a line: by
// default after the time, as text, as JSON.
var levels = []*regexp.Regexp{
	regexp.MustCompile(`^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d+)? ((?:DEBUG|INFO|WARN|ERROR)(?:[+-]\d+)?) `),
	regexp.MustCompile(`(?:^| )level=((?:DEBUG|INFO|WARN|ERROR)(?:[+-]\d+)?)(?: |$)`),
	regexp.MustCompile(`^\{(?:.*,)?"level":"((?:DEBUG|INFO|WARN|ERROR)(?:[+-]\d+)?)"`),
}

// levelOf finds the level in a line, as an interval, or nil.
func levelOf(line string) []int {
	line = line[:min(len(line), 256)]
	for _, re := range levels {
		if m := re.FindStringSubmatchIndex(line); m != nil {
			return m[2:4]
		}
	}
	return nil
}

// colours are those of the levels, as a terminal's escape sequences have them.
var colours = map[byte]string{'D': "2", 'I': "32", 'W': "1;33", 'E': "1;31"}

// A logWriter passes on what an app prints, at once, and remembers its lines.
// Safe for concurrent use, as one app replaces another.
type logWriter struct {
	out    io.Writer
	paint  bool  // colour the levels
	logs   *logs // or nil
	stderr bool
	node   int // of several, whose lines begin with it; or 0

	mu   sync.Mutex
	rest []byte // of a line that has not ended; guarded by mu
	open bool   // a line has not ended; guarded by mu
}

// Write implements io.Writer.
func (w *logWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	painted := p
	if w.paint && len(w.rest) == 0 {
		painted = paintLevels(p)
	}
	if w.node > 0 {
		painted = w.mark(painted)
	}
	if w.logs != nil || w.paint {
		w.remember(p)
	}
	if _, err := w.out.Write(painted); err != nil {
		return 0, err
	}
	return len(p), nil
}

// remember takes the whole lines out of what was printed. mu is held.
func (w *logWriter) remember(p []byte) {
	for line := range strings.Lines(string(p)) {
		if !strings.HasSuffix(line, "\n") {
			w.rest = append(w.rest, line[:min(len(line), max(0, 2*logLineSize-len(w.rest)))]...)
			return
		}
		if w.logs != nil {
			w.logs.add(string(w.rest)+line, w.stderr, w.node)
		}
		w.rest = w.rest[:0]
	}
}

// mark puts the node's number before each line. mu is held.
func (w *logWriter) mark(p []byte) []byte {
	var out []byte
	for line := range strings.Lines(string(p)) {
		if !w.open {
			mark := fmt.Sprintf("%d | ", w.node)
			if w.paint {
				mark = fmt.Sprintf("\x1b[3%dm%d\x1b[0m | ", 2+(w.node-1)%5, w.node)
			}
			out = append(out, mark...)
		}
		out = append(out, line...)
		w.open = !strings.HasSuffix(line, "\n")
	}
	return out
}

// paintLevels colours the level of each line.
func paintLevels(p []byte) []byte {
	var out []byte
	for line := range strings.Lines(string(p)) {
		if at := levelOf(line); at != nil {
			level := line[at[0]:at[1]]
			line = line[:at[0]] + "\x1b[" + colours[level[0]] + "m" + level + "\x1b[0m" + line[at[1]:]
		}
		out = append(out, line...)
	}
	return out
}
