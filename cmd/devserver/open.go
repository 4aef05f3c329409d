package main

import (
	"os"
	"os/exec"
	"runtime"
)

// openBrowser shows a URL in $BROWSER, or in what the system opens URLs with.
// It does not wait: whether a browser comes is nothing that the app depends on.
func openBrowser(url string) error {
	name, args := "xdg-open", []string{url}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", url}
	}
	if browser := os.Getenv("BROWSER"); browser != "" {
		name, args = browser, []string{url}
	}
	cmd := exec.Command(name, args...)
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Process.Release()
}
