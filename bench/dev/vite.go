package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// createVite is the version of the generator; it chooses that of Vite.
const createVite = "create-vite@9.3.0"

// measureVite makes apps with create-vite and saves files of the last one.
func measureVite(ctx context.Context, s settings, r *report, w *window, scratch string) error {
	env := append(os.Environ(), "npm_config_fund=false", "npm_config_audit=false", "npm_config_update_notifier=false", "CI=1")
	env = append(env, "npm_config_cache="+filepath.Join(scratch, "npm"))
	app := func(n int) string { return filepath.Join(scratch, "vite"+strconv.Itoa(n)) }
	start := func(n int, port string) (*program, error) {
		if err := command(ctx, scratch, env, "npx", "--yes", createVite, filepath.Base(app(n)), "--template", "vanilla", "--no-interactive"); err != nil {
			return nil, err
		}
		if err := command(ctx, app(n), env, "npm", "install", "--prefer-offline"); err != nil {
			return nil, err
		}
		return launch(ctx, app(n), env, "npx", "vite", "--port", port, "--strictPort", "--host", "localhost")
	}
	// Its page has nothing of the stopwatch's in it yet: that it shows at all is enough.
	return fromNothing(s, r, w, vite, "css= text= state= ", start, func(n int) error {
		r.vite = viteVersion(app(n))
		return saveVite(s, r, w, app(n))
	})
}

// saveVite saves a stylesheet, which Vite swaps, and the page's HTML, on which it loads the page again.
func saveVite(s settings, r *report, w *window, dir string) error {
	style := edit{file: filepath.Join(dir, "src", "style.css"), text: ":root { --saved: %d; }\n"}
	if err := style.append(0); err != nil {
		return err
	}
	if _, err := w.until("css=0 "); err != nil {
		return err
	}
	page := edit{file: filepath.Join(dir, "index.html"), text: "    <p id=\"saved\">view-%d</p>\n"}
	if err := page.insert("<body>\n", 0); err != nil {
		return err
	}
	if _, err := w.until("text=view-0 "); err != nil {
		return err
	}
	css, reload := r.row("save of a stylesheet", "50 ms", vite), r.row("save of a view", "100 ms", vite)
	for n := 1; n <= s.saves; n++ {
		if err := style.save(w, css, n, "css="+strconv.Itoa(n)+" "); err != nil {
			return err
		}
		if err := page.save(w, reload, n, fmt.Sprintf("css=%d text=view-%d ", n, n)); err != nil {
			return err
		}
	}
	return nil
}

func viteVersion(dir string) string {
	text, err := os.ReadFile(filepath.Join(dir, "node_modules", "vite", "package.json"))
	if err != nil {
		return ""
	}
	var pkg struct{ Version string }
	if json.Unmarshal(text, &pkg) != nil {
		return ""
	}
	return pkg.Version
}
