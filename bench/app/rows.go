package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A row is one kind of request.
type row struct {
	name, title        string
	method, path, body string
	want               string // what the body of the answer is, or starts with
}

// echoBody is an object of 1 KB.
var echoBody = `{"name":"` + strings.Repeat("n", 480) + `","tags":["a","b"],"size":7,"text":"` + strings.Repeat("t", 460) + `"}`

func rows() []row {
	return []row{
		{"text", "hello text", "GET", "/hello", "", "Hello, World!"},
		{"json", "JSON with a parameter", "GET", "/users/42", "", `{"id":"42","name":"Ana"}`},
		{"routes50", "one of 50 routes", "GET", "/things20/42", "", "42"},
		{"middleware5", "five middlewares", "GET", "/five", "", "five"},
		{"echo1k", "JSON echo of 1 KB", "POST", "/echo", echoBody, `{"name":"nnn`},
		{"static1k", "static 1 KB", "GET", "/static/1k.txt", "", "xxx"},
		{"static100k", "static 100 KB", "GET", "/static/100k.txt", "", "xxx"},
	}
}

type user struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type document struct {
	Name string   `json:"name"`
	Tags []string `json:"tags"`
	Size int      `json:"size"`
	Text string   `json:"text"`
}

// files writes the static files into a new directory.
func files() (string, error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return "", err
	}
	for name, size := range map[string]int{"1k.txt": 1 << 10, "100k.txt": 100 << 10} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Repeat("x", size)), 0o644); err != nil {
			return "", err
		}
	}
	return dir, nil
}

func thing(i int) string { return fmt.Sprintf("/things%d", i) }
