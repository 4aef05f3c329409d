package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// connected is how the demo's page shows that its socket is there.
const connected = "state=here "

// measureOurs makes apps with devserver new and saves files of the last one.
func measureOurs(ctx context.Context, s settings, r *report, w *window, scratch string) error {
	root, err := filepath.Abs("..")
	if err != nil {
		return err
	}
	devserver := filepath.Join(scratch, "devserver")
	// A build cache that has what installing devserver leaves in it, and nothing else.
	env := append(os.Environ(), "GOCACHE="+filepath.Join(scratch, "gocache"))
	if err := command(ctx, root, env, "go", "build", "-o", devserver, "./cmd/devserver"); err != nil {
		return err
	}

	hello := func(n int) string { return filepath.Join(scratch, "hello"+strconv.Itoa(n)) }
	start := func(n int, port string) (*program, error) {
		if err := command(ctx, scratch, env, devserver, "new", filepath.Base(hello(n))); err != nil {
			return nil, err
		}
		return launch(ctx, hello(n), env, devserver, "dev", "--port", port)
	}
	return fromNothing(s, r, w, ours, connected, start, func(n int) error { return saveOurs(s, r, w, hello(n)) })
}

// saveOurs prepares the demo so that each kind of file shows in it, and saves each.
func saveOurs(s settings, r *report, w *window, dir string) error {
	style := edit{file: filepath.Join(dir, "public", "plaza.css"), text: ":root { --saved: %d; }\n"}
	if err := style.append(0); err != nil {
		return err
	}
	if _, err := w.until("css=0 "); err != nil {
		return err
	}
	view := edit{file: filepath.Join(dir, "views", "index.handlebars"), text: "<p id=\"saved\">view-%d {{saved}}</p>\n"}
	code := edit{file: filepath.Join(dir, "main.go"), text: "\t\t\"saved\": func() string { return \"go-%d\" },\n"}
	if err := code.insert("handlebars.Helpers{\n", 0); err != nil {
		return err
	}
	if _, err := w.until(connected); err != nil {
		return err
	}
	if err := view.append(0); err != nil {
		return err
	}
	if _, err := w.until("text=view-0 go-0 ", connected); err != nil {
		return err
	}
	css, views, page, socket := r.row("save of a stylesheet", "50 ms", ours), r.row("save of a view", "100 ms", ours),
		r.row("save of a `.go` file", "700 ms", ours), r.row("the same, until its socket is back", "", ours)
	for n := 1; n <= s.saves; n++ {
		if err := style.save(w, css, n, "css="+strconv.Itoa(n)+" "); err != nil {
			return err
		}
		if err := view.save(w, views, n, fmt.Sprintf("text=view-%d ", n)); err != nil {
			return err
		}
		if err := code.save(w, page, n, fmt.Sprintf("text=view-%d go-%d ", n, n)); err != nil {
			return err
		}
		back, err := w.untilAlso(connected)
		if err != nil {
			return err
		}
		socket.add(back.Sub(code.saved))
		time.Sleep(time.Second) // what the restart leaves to do is no part of the next save
	}
	return nil
}
