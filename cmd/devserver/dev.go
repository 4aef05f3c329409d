package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/zocalo-go/zocalo/internal/dev"
	"github.com/zocalo-go/zocalo/internal/doctor"
	"github.com/zocalo-go/zocalo/internal/natsd"
	"github.com/zocalo-go/zocalo/internal/scaffold"
)

// framework is the module in whose root devserver runs the demo.
const (
	framework = "github.com/zocalo-go/zocalo"
	demo      = "./templates/chat"
	maxNodes  = 16
)

func devCommand() *cobra.Command {
	var at address
	var poll, open, tools bool
	var nodes int
	cmd := &cobra.Command{
		Use:   "dev [PACKAGE]",
		Short: "Build and run the app in this directory and follow its source",
		Long: `dev builds and runs the app in this directory and follows its source. PACKAGE is
the command to build, "." unless named. It is what devserver does on its own.

The app gets the variables of a file .env, too. A port that is in use makes way
for the next free one.

With --nodes it runs several processes of the app on the one port: each
connection goes to the next, with no sticky sessions, and the app's adapter
joins them. For that of NATS nothing has to be installed: without NATS_URL the
nodes use a NATS server in devserver.

In a terminal, the key h lists the others. /_dev/ under the app's address shows
its sockets, requests, routes and log, live.`,
		Example: `  devserver dev
  devserver dev ./cmd/web --port 3000
  devserver dev --nodes 3`,
		Args: arguments(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if nodes < 1 || nodes > maxNodes {
				return usageError{fmt.Errorf("%d nodes cannot be: there are 1 to %d", nodes, maxNodes)}
			}
			cfg, c, err := prepare(cmd, args, at)
			if err != nil {
				return err
			}
			getenv := func(name string) string { return dev.Getenv(".", name) }
			if nodes > 1 {
				unset, err := doctor.Nodes(cmd.Context(), ".", cfg.Package, getenv)
				if err != nil {
					cfg.Listener.Close()
					return err
				}
				if unset != "" {
					engine, err := natsd.Start()
					if err != nil {
						cfg.Listener.Close()
						return err
					}
					defer engine.Close()
					cfg.Env = append(cfg.Env, unset+"="+engine.URL())
					c.printf("%s\n", c.faint(unset+" is not set: the nodes are joined by a NATS server in devserver"))
				}
				c.nodes, cfg.Nodes = nodes, nodes
			}
			for _, f := range doctor.Engines(cmd.Context(), ".", cfg.Package, getenv) {
				c.printf("%s\n", c.warn("warning: "+f.Check+": "+f.Says+"; "+f.Cure))
			}
			cfg.Report, cfg.Poll, cfg.Tools, c.open = c.report, poll, tools, open
			return c.follow(cmd.Context(), cmd.InOrStdin(), cfg)
		},
	}
	at.flags(cmd)
	cmd.Flags().BoolVar(&poll, "poll", false, "look for changes twice a second, where the system reports none (network and container mounts)")
	cmd.Flags().BoolVar(&open, "open", false, "open the app in the browser ($BROWSER) when it is ready")
	cmd.Flags().IntVar(&nodes, "nodes", 1, "run this `many` processes of the app, joined by its adapter")
	cmd.Flags().BoolVar(&tools, "dev-tools", false, "with --host: show the tools at /_dev/ to other machines, too")
	return cmd
}

// prepare finds the app, opens the listener, and makes the console that tells
// of both.
func prepare(cmd *cobra.Command, args []string, at address) (dev.Config, *console, error) {
	name, pkg, err := findApp(args)
	if err != nil {
		return dev.Config{}, nil, err
	}
	ln, moved, err := at.listen(cmd.Context(), dev.Getenv(".", "PORT"))
	if err != nil {
		return dev.Config{}, nil, err
	}
	c := newConsole(cmd.OutOrStdout())
	c.name, c.url, c.network = name, at.url(ln.Addr()), at.network(ln.Addr())
	if moved != "" {
		c.printf("%s\n", c.warn(moved))
	}
	return dev.Config{
		Package:  pkg,
		Listener: ln,
		Host:     at.host,
		Stdout:   cmd.OutOrStdout(),
		Stderr:   cmd.ErrOrStderr(),
		Colour:   c.colour,
	}, c, nil
}

// findApp says what to build in the working directory and how to call it.
func findApp(args []string) (name, pkg string, err error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", "", err
	}
	module, root := "", dir
	for {
		if module = scaffold.ModulePath(root); module != "" {
			break
		}
		parent := filepath.Dir(root)
		if parent == root {
			return "", "", fmt.Errorf("there is no go.mod in %s or above it: go to the directory of an app, or make one with:\n\tdevserver new hello", dir)
		}
		root = parent
	}
	switch {
	case len(args) > 0:
		pkg = args[0]
		// The go command takes "cmd/web" for an import path of its own.
		if info, err := os.Stat(pkg); err == nil && info.IsDir() && !filepath.IsAbs(pkg) && !strings.HasPrefix(pkg, ".") {
			pkg = "./" + filepath.ToSlash(pkg)
		}
	case module == framework && root == dir:
		pkg = demo
	default:
		return path.Base(module), ".", nil
	}
	return path.Base(path.Join(filepath.ToSlash(dir), filepath.ToSlash(pkg))), pkg, nil
}
