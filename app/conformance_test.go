package app

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/internal/need"
)

// The behaviour of Express 5, recorded: see the README beside the cases.
const conformanceDir = "../../shared/conformance/express"

// conformancePath is the directory of the cases: another corpus of the same kind may be named.
func conformancePath() string {
	if dir := os.Getenv("ZOCALO_EXPRESS_CASES"); dir != "" {
		return dir
	}
	return conformanceDir
}

// differences are the answers that are not Express's on purpose, by group, method and URL; "" is any.
var differences = []struct{ group, name, url, reason string }{
	{"", "", "%zz", "net/http answers a malformed escape with 400 itself"},
	{"path", "/café", "/caf%C3%A9", "a path is written as people read it and matches what clients send"},
	{"path-case", "/café", "/caf%C3%A9", "a path is written as people read it and matches what clients send"},
	{"path", "/café", "/café", "net/http takes raw UTF-8 in a request line, Node answers 400"},
	{"path-case", "/café", "/café", "net/http takes raw UTF-8 in a request line, Node answers 400"},
	{"error", "status 499", "", "a status without a text is shown as its number, not as undefined"},
	{"error", "status 599", "", "a status without a text is shown as its number, not as undefined"},
	{"cookie", `["name","v",{"expires":"x"}]`, "", "Expires is a time.Time: it cannot be wrong"},
}

type conformanceCase struct {
	Group, Name string
	Settings    map[string]any
	App         []entry
	BuildError  string
	Requests    []struct {
		URL, Method string
		Headers     map[string]string
		Body        json.RawMessage
		Expect      struct {
			Status  int
			Headers [][2]string
			Body    json.RawMessage
		}
	}
}

type entry struct {
	Route, Param, MW string
	Path, Do, Use    json.RawMessage
	Mount, MountApp  json.RawMessage
	Chain, Static    *string
	Methods          []json.RawMessage
	Error            []operation
	Opts             json.RawMessage
	Router, App      []entry
	Settings         map[string]any
	Locals           Map
}

type operation struct {
	name  string
	value json.RawMessage
}

func (o *operation) UnmarshalJSON(b []byte) error {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	for o.name, o.value = range m {
	}
	return nil
}

func (o operation) args() []json.RawMessage { return decode[[]json.RawMessage](o.value) }

func decode[T any](b json.RawMessage) T {
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		panic(fmt.Sprintf("%s into %T: %v", b, v, err))
	}
	return v
}

// chains are the handlers of an entry: lists of operations.
func (e entry) chains() [][]operation {
	if len(e.Do) == 0 {
		return nil
	}
	if e.Route != "" {
		return decode[[][]operation](e.Do)
	}
	return [][]operation{decode[[]operation](e.Do)}
}

func TestConformance(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(conformancePath(), "cases.json"))
	if err != nil {
		need.Missing(t, "the recorded behaviour of Express is not here: %v", err)
	}
	t.Setenv("ZOCALO_ENV", "production")
	previous := slog.Default()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	t.Cleanup(func() { slog.SetDefault(previous) })
	fixtures := copyFixtures(t)

	var cases []conformanceCase
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	ran, exchanges, different := 0, 0, 0
	for i, c := range cases {
		ran++
		t.Run(fmt.Sprintf("%s/%d", c.Group, i), func(t *testing.T) {
			server, failure := buildCase(c, fixtures)
			if c.BuildError != "" {
				if failure == "" {
					t.Errorf("%q was taken; Express: %s", c.Name, c.BuildError)
				}
				return
			}
			if failure != "" {
				t.Fatalf("%q: %s", c.Name, failure)
			}
			l := httptest.NewServer(server)
			defer l.Close()
			for _, r := range c.Requests {
				reason := ""
				for _, d := range differences {
					if (d.group == "" || d.group == c.Group) && (d.name == "" || strings.Contains(c.Name, d.name)) && strings.Contains(r.URL, d.url) {
						reason = d.reason
					}
				}
				if reason != "" {
					different++
					continue
				}
				exchanges++
				got := exchangeRaw(t, l.Listener.Addr().String(), r.Method, r.URL, r.Headers, bodyBytes(r.Body))
				want := wanted(r.Expect.Status, r.Expect.Headers, bodyBytes(r.Expect.Body), l.Listener.Addr().String())
				if got != want {
					t.Errorf("%s: %s %s %v\n--- got\n%s\n--- Express\n%s", c.Name, r.Method, r.URL, r.Headers, got, want)
				}
			}
		})
	}
	t.Logf("%d applications and %d exchanges like Express, %d exchanges different on purpose", ran, exchanges, different)
}

func copyFixtures(t *testing.T) string {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(conformancePath(), "fixtures"))); err != nil {
		t.Fatal(err)
	}
	when := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		return errors.Join(err, os.Chtimes(path, when, when))
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func bodyBytes(raw json.RawMessage) []byte {
	if len(raw) == 0 {
		return nil
	}
	v := decode[any](raw)
	if m, ok := v.(map[string]any); ok {
		b, _ := base64.StdEncoding.DecodeString(m["base64"].(string))
		return b
	}
	return []byte(v.(string))
}

func wanted(status int, headers [][2]string, body []byte, addr string) string {
	var lines []string
	for _, h := range headers {
		if h[0] != "x-powered-by" {
			lines = append(lines, h[0]+": "+h[1])
		}
	}
	slices.Sort(lines)
	return strings.ReplaceAll(fmt.Sprintf("%d\n%s\n\n%s", status, strings.Join(lines, "\n"), body), "127.0.0.1:<port>", addr)
}

func exchangeRaw(t *testing.T, addr, method, url string, headers map[string]string, body []byte) string {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if method == "" {
		method = "GET"
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", method, url)
	if _, ok := headers["Host"]; !ok {
		b.WriteString("Host: example.com\r\n")
	}
	for k, v := range headers {
		fmt.Fprintf(&b, "%s: %s\r\n", k, v)
	}
	if body != nil {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("Connection: close\r\n\r\n")
	b.Write(body)
	if _, err := conn.Write(b.Bytes()); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return "no answer: " + err.Error()
	}
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return "half an answer: " + err.Error()
	}
	if res.ContentLength >= 0 && res.Header.Get("Content-Length") == "" && res.StatusCode != 204 && res.StatusCode != 304 {
		res.Header.Set("Content-Length", strconv.FormatInt(res.ContentLength, 10))
	}
	var lines []string
	for name, values := range res.Header {
		if name == "Date" || name == "Connection" {
			continue
		}
		for _, v := range values {
			lines = append(lines, strings.ToLower(name)+": "+v)
		}
	}
	slices.Sort(lines)
	return fmt.Sprintf("%d\n%s\n\n%s", res.StatusCode, strings.Join(lines, "\n"), answer)
}
