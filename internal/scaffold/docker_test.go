package scaffold

import (
	"bufio"
	"bytes"
	"debug/elf"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/zocalo-go/zocalo/internal/need"
)

// A step is an instruction of a Dockerfile.
type step struct{ name, rest string }

// steps reads a Dockerfile (https://docs.docker.com/reference/dockerfile/) that
// continues no line.
func steps(t *testing.T, text string) (all []step) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if strings.HasSuffix(line, `\`) {
			t.Fatalf("a continued line: %s", line)
		}
		name, rest, _ := strings.Cut(line, " ")
		all = append(all, step{name, strings.TrimSpace(rest)})
	}
	return all
}

// The image: built in one stage, shipped in another that has neither a shell
// nor root, and asks the binary itself how it is.
func TestDockerfile(t *testing.T) {
	for _, template := range Templates() {
		t.Run(template, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "hello")
			names := write(t, App{Name: "hello", Dir: dir, Template: template, Port: 3000, Framework: here(t)})
			text, err := os.ReadFile(filepath.Join(dir, "Dockerfile"))
			if err != nil {
				t.Fatal(err)
			}
			all := steps(t, string(text))
			last := len(all) - 1
			for last > 0 && all[last].name != "FROM" {
				last--
			}
			build, final := all[:last], all[last:]
			if !regexp.MustCompile(`^golang:1\.\d+ AS build$`).MatchString(build[0].rest) || build[0].name != "FROM" {
				t.Errorf("it begins with %v", build[0])
			}
			// What changes seldom comes first, so that its layer is kept.
			if !slices.Contains(build, step{"COPY", "go.mod go.sum ./"}) || slices.Index(build, step{"RUN", "go mod download"}) > slices.Index(build, step{"COPY", ". ."}) {
				t.Errorf("modules are not downloaded before the source is copied: %v", build)
			}
			if !regexp.MustCompile(`^gcr\.io/distroless/static-debian\d+:nonroot$`).MatchString(final[0].rest) {
				t.Errorf("the image is made from %s", final[0].rest)
			}
			for _, want := range []step{
				{"COPY", "--from=build /app /app"}, {"ENV", "PORT=3000"}, {"EXPOSE", "3000"}, {"ENTRYPOINT", `["/app"]`},
			} {
				if !slices.Contains(final, want) {
					t.Errorf("%v is missing in %v", want, final)
				}
			}
			for _, s := range final {
				if s.name == "RUN" || s.name == "USER" {
					t.Errorf("%v: there is no shell, and the user is set", s)
				}
				if s.name == "HEALTHCHECK" && !strings.HasSuffix(s.rest, ` CMD ["/app", "health"]`) {
					t.Errorf("%v", s)
				}
			}
			if !slices.ContainsFunc(final, func(s step) bool { return s.name == "HEALTHCHECK" }) {
				t.Error("there is no health check")
			}
			ignored, err := os.ReadFile(filepath.Join(dir, ".dockerignore"))
			if err != nil || !slices.Contains(names, ".env") || !strings.Contains(string(ignored), "\n.env\n") {
				t.Errorf("the image may get .env: %s %v", ignored, err)
			}
			if template == Templates()[0] { // one is enough: building without what is cached takes minutes
				testImage(t, dir, build[len(build)-1].rest)
			}
		})
	}
}

// testImage runs the command that builds the image's binary, and then the binary
// as the image does, away from its source.
func testImage(t *testing.T, dir, command string) {
	if runtime.GOOS != "linux" {
		need.Missing(t, "the command of the image is one for Linux")
	}
	words := strings.Fields(strings.ReplaceAll(command, `"`, ""))
	if len(words) < 4 || words[0] != "CGO_ENABLED=0" || words[1] != "go" || words[2] != "build" || !slices.Contains(words, "/app") {
		t.Fatalf("the binary is built by %q", command)
	}
	bin := filepath.Join(t.TempDir(), "app")
	args := []string{"build"}
	for i := 3; i < len(words); i++ {
		switch {
		case words[i] == "/app":
			args = append(args, bin)
		case strings.HasPrefix(words[i], "-ldflags="):
			args = append(args, words[i]+" "+words[i+1])
			i++
		default:
			args = append(args, words[i])
		}
	}
	t.Setenv("CGO_ENABLED", "0")
	run(t, dir, args...)
	file, err := elf.Open(bin)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("the binary is not static: %v", p.Type)
		}
	}
	file.Close()
	if text, err := os.ReadFile(bin); err != nil || bytes.Contains(text, []byte(dir)) {
		t.Errorf("the binary names the directory that it was built in (%v)", err)
	}

	// The port is free until the app takes it; that somebody else does is told by
	// the app, which then ends.
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	ln.Close()
	env := []string{"PORT=" + port} // as in the image: nothing else
	health := func() error {
		cmd := exec.Command(bin, "health")
		cmd.Env, cmd.Dir = env, t.TempDir()
		return cmd.Run()
	}
	if health() == nil {
		t.Error("an app that does not run is healthy")
	}
	app := exec.Command(bin)
	app.Env, app.Dir = env, t.TempDir()
	log, err := app.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(log)
	for lines.Scan() && !strings.Contains(lines.Text(), "listening") {
		t.Log(lines.Text())
	}
	if err := health(); err != nil {
		t.Errorf("an app that runs is not healthy: %v", err)
	}
	if err := app.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
		t.Log(lines.Text())
	}
	if err := app.Wait(); err != nil {
		t.Errorf("the app ended with %v", err)
	}
}
