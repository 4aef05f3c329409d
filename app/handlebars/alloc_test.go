//go:build !race

package handlebars_test

import (
	"io"
	"testing"

	"github.com/zocalo-go/zocalo/app"
	"github.com/zocalo-go/zocalo/app/handlebars"
)

// TestAllocations: a page with its layout and partials costs at most 4 allocations.
func TestAllocations(t *testing.T) {
	e := handlebars.New(handlebars.Config{})
	view := app.View{FS: pageViews, Name: "index.handlebars", Data: pageData, Cache: true}
	got := testing.AllocsPerRun(200, func() {
		if err := e.Render(io.Discard, view); err != nil {
			t.Fatal(err)
		}
	})
	if got > 4 {
		t.Errorf("%v allocations", got)
	}
}
