package app_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// What an application imports is linked after each save. These packages would keep the linker busy: templates call
// methods by name, so that none may be left out, and expvar and pprof bring their servers along.
func TestLeanImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "github.com/zocalo-go/zocalo/app", "github.com/zocalo-go/zocalo/app/handlebars",
		"github.com/zocalo-go/zocalo/realtime").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	imported := strings.Fields(string(out))
	for _, heavy := range []string{"text/template", "html/template", "expvar", "net/http/pprof", "runtime/pprof", "encoding/gob", "testing"} {
		if slices.Contains(imported, heavy) {
			t.Errorf("an application imports %s, and takes longer to link; go list -deps says through what", heavy)
		}
	}
}
