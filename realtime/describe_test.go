package realtime

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

type square struct{}

func (*square) connected(*Socket) {}

func TestNamespaces(t *testing.T) {
	s := NewServer(Config{})
	defer s.Close()
	s.On("connection", new(square).connected)
	s.Of("admin").On("reload", func(string) {})
	s.Of("admin").On("connection", func(*Socket) {})
	s.OfPattern(regexp.MustCompile(`^/room-\d+$`)).On("connect", func(*Socket) {})
	s.OfFunc(func(string, *Handshake) bool { return false })

	var got []string
	for _, n := range s.Namespaces() {
		line := fmt.Sprintf("%s %v", n.Name, n.Parent)
		for _, l := range n.Listeners {
			line += fmt.Sprintf(" %s=%s@%s", l.Event, l.Handler[strings.LastIndex(l.Handler, "/")+1:], filepath.Base(l.File))
			if (l.File == "") != (l.Line == 0) {
				t.Errorf("%+v", l)
			}
		}
		got = append(got, line)
	}
	want := `^/room-\d+$ true connection=realtime.TestNamespaces.func3@describe_test.go
 true
/ false connection=realtime.(*square).connected@.
/admin false connection=realtime.TestNamespaces.func2@describe_test.go reload=realtime.TestNamespaces.func1@describe_test.go`
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("described as\n%s\nwant\n%s", text, want)
	}

	text, err := json.Marshal(s.Describe())
	if err != nil || !strings.HasPrefix(string(text), `{"kind":"socket.io","namespaces":[{"name":"^/room-\\d+$","parent":true,"listeners":[{"event":"connection"`) {
		t.Errorf("%s, %v", text, err)
	}
}
