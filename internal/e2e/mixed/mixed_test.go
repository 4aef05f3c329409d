package mixed

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
)

// place is what the script is told.
type place struct {
	Kind   string `json:"kind"`   // of Node's adapter
	Engine string `json:"engine"` // its address
	Go     string `json:"go"`     // address of Go's server
}

// runNode runs all scenarios, and makes a subtest of each.
func runNode(t *testing.T, p place) {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "node", "mixed.mjs")
	cmd.Dir = "node"
	cmd.Env = append(os.Environ(), "PLACE="+string(text))
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	count := 0
	for lines := bufio.NewScanner(stdout); lines.Scan(); count++ {
		var got struct{ Name, Error string }
		if err := json.Unmarshal(lines.Bytes(), &got); err != nil {
			t.Errorf("from node: %s", lines.Bytes())
			continue
		}
		t.Run(got.Name, func(t *testing.T) {
			if got.Error != "" {
				t.Error(got.Error)
			}
		})
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("node: %v\n%s", err, stderr.Bytes())
	}
	if count == 0 {
		t.Error("no scenario was run")
	}
}
