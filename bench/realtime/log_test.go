package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestLogGoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "measurements.jsonl")
	l, err := openLog(path, false)
	if err != nil {
		t.Fatal(err)
	}
	for repetition := range 2 {
		if err := l.add(measurement{Scenario: "echo", Server: ours, Build: "a", Repetition: repetition}); err != nil {
			t.Fatal(err)
		}
	}
	l.Close()

	l, err = openLog(path, true)
	if err != nil {
		t.Fatal(err)
	}
	if !l.has("echo", ours, "a", 1) || l.has("echo", ours, "a", 2) || l.has("echo", node, "a", 1) || l.has("echo", ours, "b", 1) {
		t.Errorf("it does not know what was measured: %+v", l.all)
	}
	if err := l.add(measurement{Scenario: "echo", Server: ours, Build: "b"}); err != nil {
		t.Fatal(err)
	}
	if got := l.current(map[string]string{ours: "b"}); len(got) != 1 || got[0].Build != "b" {
		t.Errorf("of the new build there is %+v", got)
	}
	l.Close()
	if l, err = openLog(path, true); err != nil || len(l.all) != 3 {
		t.Errorf("the file has %+v, %v", l, err)
	}
	l.Close()

	if l, err = openLog(path, false); err != nil || len(l.all) != 0 {
		t.Errorf("a new log has %+v, %v", l, err)
	}
	l.Close()
	if err := os.WriteFile(path, []byte("{broken\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openLog(path, true); err == nil || !strings.Contains(err.Error(), "remove it") {
		t.Errorf("the error does not name the cure: %v", err)
	}
}

func TestChoose(t *testing.T) {
	for list, want := range map[string][]string{
		"ours,limit": {ours, limit},
		"p":          {plain},
		"":           {ours, node, plain, sketch, limit},
	} {
		got, err := choose(servers(), list)
		if err != nil || !reflect.DeepEqual(names(got), want) {
			t.Errorf("%q chooses %q, %v", list, names(got), err)
		}
	}
	if got, _ := choose(scenarios(false), "rooms,rooms-"); len(got) != 1+len(roomCounts()) || got[0].name != "rooms" {
		t.Errorf("rooms,rooms- chooses %q", names(got))
	}
	if _, err := choose(servers(), "ours,nobody"); err == nil || !strings.Contains(err.Error(), "sketch") {
		t.Errorf("the error does not name the choice: %v", err)
	}
}
