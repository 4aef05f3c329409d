package app_test

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zocalo-go/zocalo/app"
)

// certificate writes the one of httptest into files and returns a client that trusts it.
func certificate(t *testing.T) (dir string, client *http.Client) {
	t.Helper()
	issuer := httptest.NewUnstartedServer(nil)
	issuer.EnableHTTP2 = true
	issuer.StartTLS()
	t.Cleanup(issuer.Close)
	pair := issuer.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for name, block := range map[string]pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: pair.Certificate[0]},
		"key.pem":  {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, issuer.Client()
}

// TestListenTLS runs ListenTLS in a process of its own, until SIGINT.
func TestListenTLS(t *testing.T) {
	if dir := os.Getenv("APP_TEST_TLS"); dir != "" {
		slog.SetDefault(slog.New(slog.NewTextHandler(os.Stdout, nil)))
		server := app.New()
		server.Set("env", os.Getenv("APP_TEST_ENV"))
		server.Get("/", func(req *app.Request, res *app.Response) error {
			return res.Send(req.Proto + " " + req.Protocol())
		})
		if err := server.ListenTLS("127.0.0.1:0", filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")); err != nil {
			os.Stdout.WriteString(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	dir, client := certificate(t)
	for env, want := range map[string]string{"production": "HTTP/2.0 https", "development": "HTTP/1.1 http"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestListenTLS$")
		cmd.Env = append(os.Environ(), "APP_TEST_TLS="+dir, "APP_TEST_ENV="+env)
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, _ := bufio.NewReader(stdout).ReadString('\n')
		_, printed, ok := strings.Cut(line, "url=")
		if !ok {
			t.Fatalf("it printed %q %s", line, &stderr)
		}
		r, err := client.Get(strings.Fields(printed)[0])
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(r.Body)
		r.Body.Close()
		client.CloseIdleConnections()
		if string(b) != want {
			t.Errorf("%s: got %q, want %q", env, b, want)
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: it ended with %v", env, err)
		}
	}
}

func TestListenTLSNamesTheFileThatIsMissing(t *testing.T) {
	err := app.New().ListenTLS("127.0.0.1:0", "no.pem", "no-key.pem")
	if err == nil || !strings.HasPrefix(err.Error(), "app: listen: the certificate: ") || !strings.Contains(err.Error(), "no.pem") {
		t.Errorf("got %v", err)
	}
}
