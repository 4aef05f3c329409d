package dev_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/zocalo-go/zocalo/internal/dev"
)

// Several nodes have one address, take turns, are replaced together and end
// together; the address answers all the time.
func TestNodes(t *testing.T) {
	s := runWith(t, nil, func(c *dev.Config) { c.Nodes = 3 })
	s.await(dev.Ready)
	pids := func() map[string]bool {
		seen := map[string]bool{}
		for range 6 {
			_, pid := s.get("/env/pid")
			seen[pid] = true
		}
		return seen
	}
	before := pids()
	if len(before) != 3 {
		t.Fatalf("the processes are %v", before)
	}
	page := s.stream()
	hello := page()
	s.edit("main.go", `"one"`, `"two"`)
	for e := page(); e != ""; e = page() {
	}
	s.await(dev.Ready)
	if again := s.stream()(); again == hello {
		t.Error("hello is the same in the new build")
	}
	for range 3 {
		s.want("/", "two")
	}
	for pid := range pids() {
		if before[pid] || !running(pid) {
			t.Errorf("process %s of %v", pid, before)
		}
	}

	// One node ends: its place in the round tells, the others serve.
	if _, _, err := s.try("/crash"); err == nil {
		t.Error("the crash was answered")
	}
	if e := s.await(dev.Failed); !strings.HasPrefix(e.Problem.Detail, "Node ") {
		t.Errorf("%+v", e.Problem)
	}
	got := map[int]int{}
	for range 3 {
		status, _ := s.get("/")
		got[status]++
	}
	if got[200] != 2 || got[500] != 1 {
		t.Errorf("the nodes answer %v", got)
	}
	s.edit("main.go", `"two"`, `"three"`)
	s.await(dev.Ready)
	for range 3 {
		s.want("/", "three")
	}
	s.stop()
	for _, m := range regexp.MustCompile(`(?m)^(\d) \| pid (\d+)$`).FindAllStringSubmatch(s.output.String(), -1) {
		if running(m[2]) {
			t.Errorf("process %s is still there", m[0])
		}
		delete(got, 200)
	}
	if len(got) != 1 {
		t.Errorf("no process said which node it is:\n%s", s.output)
	}
}

// A node that is not there, or no number, is not asked; nor does a single process
// have a number.
func TestNodeTools(t *testing.T) {
	s := runWith(t, nil, func(c *dev.Config) { c.Nodes = 2 })
	s.await(dev.Ready)
	for path, want := range map[string]int{"0": 404, "3": 404, "x": 404, "-1": 404, "1": 200, "2": 200} {
		if status, body := s.get(fmt.Sprintf("/_dev/node/%s/app/what", path)); status != want {
			t.Errorf("node %s: %d %s", path, status, body)
		}
	}
	if status, _ := s.get("/_dev/node/1/app/what", "Origin", "https://evil.example"); status != 403 {
		t.Errorf("a foreign page gets %d", status)
	}
}
