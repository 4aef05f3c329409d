package dev_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/internal/dev"
)

func TestRestartRefusesNoConnection(t *testing.T) {
	s := run(t, nil)
	if e := s.await(dev.Ready); e.Took <= 0 || len(e.Files) > 0 {
		t.Fatalf("first start: %+v", e)
	}
	s.want("/", "one")

	stop := make(chan struct{})
	bad := make(chan string, 1)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				status, body, err := s.try("/")
				if err == nil && status == 200 && (body == "one" || body == "two" || body == "three") {
					continue
				}
				select {
				case bad <- fmt.Sprintf("%d %q %v", status, body, err):
				default:
				}
				return
			}
		})
	}
	for _, edit := range [][2]string{{"one", "two"}, {"two", "three"}} {
		s.edit("main.go", `"`+edit[0]+`"`, `"`+edit[1]+`"`)
		if e := s.await(dev.Ready); len(e.Files) != 1 || e.Files[0] != "main.go" {
			t.Errorf("ready for %q, want main.go", e.Files)
		}
		s.want("/", edit[1])
	}
	close(stop)
	wg.Wait()
	select {
	case b := <-bad:
		t.Errorf("a request during the restarts failed: %s", b)
	default:
	}
}

func TestPageLearnsOfNewBuild(t *testing.T) {
	s := run(t, nil)
	s.await(dev.Ready)
	page := s.stream()
	hello := page()
	if !strings.HasPrefix(hello, "hello ") {
		t.Fatalf("first event %q", hello)
	}
	if _, script := s.get("/_dev/reload.js"); !strings.Contains(script, `"`+strings.TrimPrefix(hello, "hello ")+`"`) {
		t.Fatal("the script does not carry the state that hello names")
	}
	s.edit("main.go", `"one"`, `"two"`)
	if e := page(); !strings.HasPrefix(e, "ok ") {
		t.Fatalf("event %q, want ok", e)
	}
	if e := page(); e != "" {
		t.Fatalf("the stream through the replaced process goes on with %q", e)
	}
	s.await(dev.Ready)
	if again := s.stream()(); again == hello || !strings.HasPrefix(again, "hello ") {
		t.Fatalf("after the restart %q, before %q", again, hello)
	}
}

func TestBrokenBuildLeavesOldServing(t *testing.T) {
	s := run(t, nil)
	s.await(dev.Ready)
	page := s.stream()
	page()
	s.edit("main.go", "const greeting = ", "const greeting int = ")
	e := s.await(dev.Failed)
	if len(e.Problem.Errors) == 0 {
		t.Fatalf("no errors parsed from:\n%s", e.Problem.Output)
	}
	mistake := e.Problem.Errors[0]
	if mistake.File != "main.go" || mistake.Line != 18 || mistake.Column != 22 || len(mistake.Frame) != 7 {
		t.Errorf("mistake %+v", mistake)
	}
	if marked := mistake.Frame[3]; !marked.Marked || marked.Caret != strings.Repeat(" ", 21)+"^" {
		t.Errorf("marked line %+v", marked)
	}
	s.want("/", "one")
	if got := page(); got != "error "+e.Problem.ID {
		t.Errorf("event %q, want error %s", got, e.Problem.ID)
	}
	if late := s.stream(); !strings.HasPrefix(late(), "hello ") || late() != "error "+e.Problem.ID {
		t.Error("a page that comes later is not told of the error")
	}
	status, html := s.get("/_dev/error", "Accept", "text/html")
	if status != 200 || !strings.Contains(html, "Build failed") {
		t.Errorf("overlay: %d %.200s", status, html)
	}
	s.edit("main.go", "const greeting int = ", "const greeting = ")
	s.await(dev.Ready)
	if status, _ := s.get("/_dev/error"); status != 204 {
		t.Errorf("error page after the fix: %d, want 204", status)
	}
}

func TestFirstBuildFails(t *testing.T) {
	s := run(t, func(dir string) {
		os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n\nfunc main() {\n\tx := \"</script><script>alert(1)</script>\"\n}\n"), 0o644)
	})
	s.await(dev.Failed)
	status, html := s.get("/anything", "Accept", "text/html")
	if status != 500 {
		t.Fatalf("status %d, want 500", status)
	}
	for _, want := range []string{"declared and not used: x", "main.go:4:2", "/_dev/reload.js", "&lt;/script&gt;"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if strings.Contains(html, "<script>alert") {
		t.Error("the page does not escape the source")
	}
	if status, text := s.get("/", "Accept", "application/json"); status != 500 || !strings.Contains(text, "./main.go:4:2: declared and not used: x") {
		t.Errorf("plain text: %d %s", status, text)
	}
	page := s.stream()
	hello := page()
	fixed, err := os.ReadFile("testdata/app/main.go")
	if err != nil {
		t.Fatal(err)
	}
	s.write("main.go", string(fixed))
	for e := page(); e != ""; e = page() {
	}
	if again := s.stream()(); again == hello {
		t.Error("hello is the same after the fix")
	}
	s.await(dev.Ready)
	s.want("/", "one")
}

// A browser connects ahead of need: the connection that the error page's server
// accepted must not answer for the app that serves by now.
func TestEarlyConnectionIsSentToTheApp(t *testing.T) {
	s := run(t, func(dir string) {
		os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n"), 0o644)
	})
	s.await(dev.Failed)
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s.get("/") // accepted after conn, so conn has been accepted
	fixed, _ := os.ReadFile("testdata/app/main.go")
	s.write("main.go", string(fixed))
	s.await(dev.Ready)
	fmt.Fprint(conn, "POST /form?x=1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 307 || res.Header.Get("Location") != "/form?x=1" || !res.Close {
		t.Errorf("%s to %q, close %t", res.Status, res.Header.Get("Location"), res.Close)
	}
}

// An app that listens by itself is told whose listener to take: at the port that
// devserver has, and at any other, where it is never heard.
func TestAppListensByItself(t *testing.T) {
	source := "package main\n\nimport (\n\t\"log\"\n\t\"net\"\n\t\"os\"\n)\n\nfunc main() {\n\t_, err := net.Listen(\"tcp\", ADDR)\n" +
		"\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n\t_ = os.Args\n\tselect {}\n}\n"
	write := func(addr string) func(dir string) {
		return func(dir string) {
			os.WriteFile(filepath.Join(dir, "main.go"), []byte(strings.Replace(source, "ADDR", addr, 1)), 0o644)
		}
	}
	s := run(t, write(`"127.0.0.1:"+os.Getenv("PORT")`))
	if e := s.await(dev.Failed); !strings.Contains(e.Problem.Detail, "The port is devserver's; the app has to serve on devserver's listener") {
		t.Errorf("%+v", e.Problem)
	}
	s = runWith(t, write(`"127.0.0.1:0"`), func(c *dev.Config) { c.Patience = time.Millisecond })
	if e := s.await(dev.Warned); !strings.Contains(e.Err.Error(), "has not answered for 1ms; it has to serve on devserver's listener") {
		t.Error(e.Err)
	}
}

func TestAppDies(t *testing.T) {
	t.Run("at start", func(t *testing.T) {
		s := run(t, func(dir string) {
			os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n\nfunc main() {\n\tvar m map[string]int\n\tm[\"x\"] = 1\n}\n"), 0o644)
		})
		e := s.await(dev.Failed)
		if e.Problem.Title != "The app panicked" || len(e.Problem.Errors) != 1 {
			t.Fatalf("%s\n%+v", e.Problem.Title, e.Problem.Errors)
		}
		if at := e.Problem.Errors[0]; at.File != "main.go" || at.Line != 5 || at.Message != "panic: assignment to entry in nil map" {
			t.Errorf("%+v", at)
		}
		if status, text := s.get("/"); status != 500 || !strings.Contains(text, "nil map") {
			t.Errorf("%d %s", status, text)
		}
	})
	t.Run("while serving", func(t *testing.T) {
		s := run(t, nil)
		s.await(dev.Ready)
		if _, _, err := s.try("/crash"); err == nil {
			t.Error("the crash was answered")
		}
		e := s.await(dev.Failed)
		if e.Problem.Title != "The app stopped" || !strings.Contains(e.Problem.Detail, "exit status 3") || !strings.Contains(e.Problem.Output, "last words") {
			t.Errorf("%+v", e.Problem)
		}
		if status, text := s.get("/"); status != 500 || !strings.Contains(text, "last words") {
			t.Errorf("%d %s", status, text)
		}
		s.edit("main.go", `"one"`, `"two"`)
		s.await(dev.Ready)
		s.want("/", "two")
	})
}

func TestPageReloads(t *testing.T) {
	s := run(t, nil)
	s.await(dev.Ready)
	page := s.stream()
	page()

	s.edit("views/index.html", "view", "vista")
	if e := s.await(dev.Rerendered); len(e.Files) != 1 || e.Files[0] != "views/index.html" {
		t.Errorf("%+v", e)
	}
	if e := page(); !strings.HasPrefix(e, "view ") {
		t.Errorf("event %q, want view", e)
	}
	s.write("public/dot.svg", "<svg/>")
	if e := s.await(dev.Swapped); len(e.Files) != 1 || e.Files[0] != "public/dot.svg" {
		t.Errorf("%+v", e)
	}
	if e := page(); !strings.HasPrefix(e, "image ") || !strings.Contains(e, `"file":"public/dot.svg"`) {
		t.Errorf("event %q, want image", e)
	}
	s.edit("public/style.css", "red", "blue")
	if e := s.await(dev.Swapped); len(e.Files) != 1 || e.Files[0] != "public/style.css" {
		t.Errorf("%+v", e)
	}
	if e := page(); !strings.HasPrefix(e, "css ") || !strings.Contains(e, `"file":"public/style.css"`) {
		t.Errorf("event %q, want css", e)
	}

	// None of these is a change, so the next event is that of the new file.
	same, err := os.ReadFile(filepath.Join(s.dir, "views", "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	s.write("views/index.html", string(same))
	s.write("notes.txt", "x")
	s.write("app.log", "x")
	s.write("main_test.go", "package main\n")
	if err := os.MkdirAll(filepath.Join(s.dir, "node_modules", "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.write("node_modules/x/x.js", "x")
	if err := os.MkdirAll(filepath.Join(s.dir, "public", "deep", "er"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.write("public/deep/er/new.txt", "x")
	if e := s.await(dev.Reloaded); len(e.Files) != 1 || e.Files[0] != "public/deep/er/new.txt" {
		t.Errorf("%+v", e)
	}
	if e := page(); !strings.HasPrefix(e, "reload ") {
		t.Errorf("event %q, want reload", e)
	}
	if err := os.RemoveAll(filepath.Join(s.dir, "public", "deep")); err != nil {
		t.Fatal(err)
	}
	if e := s.await(dev.Reloaded); len(e.Files) != 1 || e.Files[0] != "public/deep/er/new.txt" {
		t.Errorf("%+v", e)
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("TAKEN", "outer")
	t.Setenv("LISTEN_PID", "1")
	s := run(t, func(dir string) {
		os.WriteFile(filepath.Join(dir, ".env"), []byte("# comment\nexport COLOUR=\"dark red\"\nTAKEN=inner\nbroken\n"), 0o644)
	})
	s.await(dev.Ready)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(s.url, "http://"))
	for name, want := range map[string]string{
		"ZOCALO_ENV": "development", "PORT": port, "LISTEN_FDS": "1", "LISTEN_PID": "", "COLOUR": "dark red", "TAKEN": "outer",
	} {
		s.want("/env/"+name, want)
	}
	s.edit(".env", "dark red", "green")
	s.await(dev.Ready)
	s.want("/env/COLOUR", "green")
}

func TestNothingToRun(t *testing.T) {
	s := run(t, func(dir string) {
		os.WriteFile(filepath.Join(dir, "main.go"), []byte("package app\n"), 0o644)
	})
	if e := s.await(dev.Failed); e.Problem.Title != "Nothing to run" {
		t.Errorf("%+v", e.Problem)
	}
}

func TestStopLeavesNoProcess(t *testing.T) {
	s := run(t, func(dir string) {
		text, _ := os.ReadFile(filepath.Join(dir, "main.go"))
		// A stubborn app with a child in its group.
		stubborn := strings.Replace(string(text), "func main() {", "func main() {\n\tchild := exec.Command(\"sleep\", \"600\")\n\tchild.Start()\n\tfmt.Println(\"child\", child.Process.Pid)\n\tsignal.Ignore(syscall.SIGTERM)", 1)
		stubborn = strings.Replace(stubborn, "signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)", "context.WithCancel(context.Background())", 1)
		stubborn = strings.Replace(stubborn, `"os/signal"`, "\"os/exec\"\n\t\"os/signal\"", 1)
		os.WriteFile(filepath.Join(dir, "main.go"), []byte(stubborn), 0o644)
	})
	s.await(dev.Ready)
	s.stop()
	pids := regexp.MustCompile(`(?m)^(?:pid|child) (\d+)$`).FindAllStringSubmatch(s.output.String(), -1)
	if len(pids) != 2 {
		t.Fatalf("output %q", s.output)
	}
	for _, m := range pids {
		if running(m[1]) {
			t.Errorf("process %s is still there", m[0])
		}
	}
}

func TestForeignPagesAreRefused(t *testing.T) {
	s := run(t, func(dir string) {
		os.WriteFile(filepath.Join(dir, "broken.go"), []byte("package"), 0o644)
	})
	s.await(dev.Failed)
	for name, test := range map[string]struct {
		header []string
		want   int
	}{
		"address":          {nil, 500},
		"localhost":        {[]string{"Host", "localhost:8080"}, 500},
		"sub-domain":       {[]string{"Host", "app.localhost:8080"}, 500},
		"IPv6":             {[]string{"Host", "[::1]:8080"}, 500},
		"--host":           {[]string{"Host", "plaza.example"}, 500},
		"rebound name":     {[]string{"Host", "evil.example:8080"}, 403},
		"behind a proxy":   {[]string{"X-Forwarded-Host", "evil.example"}, 403},
		"own origin":       {[]string{"Host", "localhost:8080", "Origin", "http://localhost:8080"}, 500},
		"foreign origin":   {[]string{"Origin", "https://evil.example"}, 403},
		"foreign address":  {[]string{"Origin", "http://203.0.113.9"}, 403},
		"opaque origin":    {[]string{"Origin", "null"}, 403},
		"foreign script":   {[]string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}, 403},
		"link from abroad": {[]string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, 500},
	} {
		t.Run(name, func(t *testing.T) {
			if status, _ := s.get("/", test.header...); status != test.want {
				t.Errorf("status %d, want %d", status, test.want)
			}
			if test.want == 403 {
				for _, path := range []string{"/_dev/reload.js", "/_dev/morph.js", "/_dev/error", "/_dev/events"} {
					if status, _ := s.get(path, test.header...); status != 403 {
						t.Errorf("%s: status %d, want 403", path, status)
					}
				}
			}
		})
	}
}
