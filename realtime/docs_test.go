package realtime_test

import (
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/internal/marked"
	"github.com/zocalo-go/zocalo/realtime"
)

// The guides are Markdown, and what they show of Go is compiled: every line of
// it stands in a file of examples, or in the demo.

const cure = "copy it from an Example in realtime/example*_test.go, or add one that has it"

// shown returns the lines of the files that the guides quote, without their
// indentation.
func shown(t *testing.T) [][]string {
	t.Helper()
	var files [][]string
	for _, pattern := range []string{"example*_test.go", "*/example*_test.go", "*/*/example*_test.go", "../templates/chat/main.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: no files, %v", pattern, err)
		}
		for _, name := range names {
			files = append(files, linesOf(t, name))
		}
	}
	return files
}

// linesOf returns the lines of a file as the guides are compared with them.
func linesOf(t *testing.T, name string) []string {
	t.Helper()
	lines, err := marked.Lines(name)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// inALine reports whether code stands in a line of one of the files that is no
// comment.
func inALine(files [][]string, code string) bool {
	whole := regexp.MustCompile(`(^|[^\w.])` + regexp.QuoteMeta(code) + `($|\W)`)
	return slices.ContainsFunc(files, func(lines []string) bool {
		return slices.ContainsFunc(lines, func(line string) bool {
			return !strings.HasPrefix(line, "//") && whole.MatchString(line)
		})
	})
}

func TestGuidesShowWhatCompiles(t *testing.T) {
	files := shown(t)
	for _, guide := range []string{"../docs/realtime.md", "../docs/from-node.md"} {
		blocks, err := marked.Blocks(guide, "go")
		if err != nil || len(blocks) == 0 {
			t.Errorf("%s shows no Go, %v; are its blocks marked with go?", guide, err)
		}
		for _, block := range blocks {
			if !slices.ContainsFunc(files, block.In) {
				t.Errorf("%s:%d: this Go is in no example: %s\n%s", guide, block.Line, cure, strings.Join(block.Code, "\n"))
			}
		}
	}
}

// cells returns the cells of a table's line.
func cells(line string) []string {
	parts := strings.Split(strings.Trim(line, "|"), "|")
	for i, part := range parts {
		parts[i] = strings.TrimSpace(part)
	}
	return parts
}

var code = regexp.MustCompile("``(.+?)``|`([^`]+)`")

// tables calls f with the cells of each line of each table of a guide by the
// header of their column.
func tables(t *testing.T, guide string, f func(at string, row map[string]string)) {
	t.Helper()
	var header []string
	for i, line := range linesOf(t, guide) {
		switch {
		case !strings.HasPrefix(line, "|"):
			header = nil
		case header == nil:
			header = cells(line)
		case strings.HasPrefix(line, "| ---"):
		default:
			at := fmt.Sprintf("%s:%d", guide, i+1)
			row := cells(line)
			if len(row) != len(header) {
				t.Errorf("%s: %d cells under %d headers; a | in code splits a cell", at, len(row), len(header))
				continue
			}
			named := make(map[string]string)
			for i, name := range header {
				named[name] = row[i]
			}
			f(at, named)
		}
	}
}

func TestTablesShowWhatCompiles(t *testing.T) {
	files := shown(t)
	rows := 0
	tables(t, "../docs/from-node.md", func(at string, row map[string]string) {
		rows++
		goes, ok := row["Go"]
		if !ok {
			return
		}
		found := code.FindAllStringSubmatch(goes, -1)
		if len(found) == 0 && goes != "–" {
			t.Errorf("%s: the column Go has no code: write – for none, and what to do instead beside it", at)
		}
		for _, m := range found {
			if !inALine(files, m[1]+m[2]) {
				t.Errorf("%s: %s is in no example: %s", at, m[0], cure)
			}
		}
	})
	if rows < 100 {
		t.Errorf("docs/from-node.md has tables of %d rows only", rows)
	}
}

// The table of limits has every limit there is, with the default it has.
func TestTableOfLimits(t *testing.T) {
	defaults := make(map[string]string)
	add := func(v reflect.Value, prefix string) {
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			switch n := v.Field(i).Interface().(type) {
			case int:
				if strings.HasPrefix(name, "Max") || strings.HasPrefix(name, "Event") {
					defaults[prefix+name] = fmt.Sprint(n)
				}
			case time.Duration:
				defaults[prefix+name] = n.String()
			}
		}
	}
	config := realtime.NewServer(realtime.Config{Recovery: &realtime.Recovery{}}).Config()
	add(reflect.ValueOf(config), "")
	add(reflect.ValueOf(*config.Recovery), "Recovery.")

	tables(t, "../docs/realtime.md", func(at string, row map[string]string) {
		limit, ok := row["Limit"]
		if !ok {
			return
		}
		name := strings.Trim(limit, "`")
		want, known := defaults[name]
		if !known {
			t.Errorf("%s: there is no limit %s", at, name)
			return
		}
		delete(defaults, name)
		got := strings.TrimSuffix(strings.ReplaceAll(row["Default"], " ", ""), "bytes")
		var n int
		if mib, ok := strings.CutSuffix(got, "MiB"); ok && mib != "" {
			fmt.Sscan(mib, &n)
			got = fmt.Sprint(n << 20)
		} else if d, err := time.ParseDuration(strings.Replace(got, "min", "m", 1)); err == nil {
			got = d.String()
		} else if got == "none" {
			got = "0"
		}
		if got != want {
			t.Errorf("%s: the default of %s is %s, not %s", at, name, want, row["Default"])
		}
	})
	for name := range defaults {
		t.Errorf("docs/realtime.md: the table of limits lacks %s", name)
	}
}
