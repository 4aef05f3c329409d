package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/zocalo-go/zocalo/internal/dev"
	"github.com/zocalo-go/zocalo/internal/routes"
)

func routesCommand() *cobra.Command {
	var all, asJSON bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "routes [PACKAGE]",
		Short: "List what the app answers: its routes, and the events of its sockets",
		Long: `routes lists what the app in this directory answers: method, pattern, handler and
where that is written, in the order in which the app tries them; then, for each
Socket.IO namespace, the events that it handles.

It builds the app and runs it up to app.Listen, which tells the routes instead
of listening; whatever the app does before that, it does. The events of clients
are registered when a client connects: they are found in the source.`,
		Example: `  devserver routes
  devserver routes --all
  devserver routes ./cmd/web --json`,
		Args: arguments(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if timeout <= 0 {
				return usageError{fmt.Errorf("--timeout %v leaves the app no time", timeout)}
			}
			_, pkg, err := findApp(args)
			if err != nil {
				return err
			}
			dir, err := os.Getwd()
			if err != nil {
				return err
			}
			listing, unread, err := routes.List(cmd.Context(), routes.App{Dir: dir, Package: pkg, Env: dev.Dotenv(dir), Timeout: timeout})
			if err != nil {
				return err
			}
			if !all {
				listing.Routes = onlyRoutes(listing.Routes)
			}
			relative(dir, listing)
			if unread != nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "devserver: the events of clients are missing, the source cannot be read: %v\n", unread)
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(listing)
			}
			newConsole(cmd.OutOrStdout()).listing(listing)
			return nil
		},
	}
	cmd.Flags().BoolVarP(&all, "all", "a", false, "list middleware and error handlers, too")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the list as JSON")
	cmd.Flags().DurationVar(&timeout, "timeout", 10*time.Second, "how `long` the app may take to come to app.Listen")
	return cmd
}

func onlyRoutes(list []routes.Route) []routes.Route {
	short := []routes.Route{} // [] in JSON when there is none
	for _, r := range list {
		if r.Kind == "route" || r.Kind == "mount" {
			short = append(short, r)
		}
	}
	return short
}

// relative names the files below dir from there.
func relative(dir string, l *routes.Listing) {
	from := func(file *string) {
		if r, err := filepath.Rel(dir, *file); err == nil && *file != "" && filepath.IsLocal(r) {
			*file = r
		}
	}
	for i := range l.Routes {
		from(&l.Routes[i].File)
	}
	for i := range l.Namespaces {
		for j := range l.Namespaces[i].Events {
			from(&l.Namespaces[i].Events[j].File)
		}
	}
}

// listing prints the tables.
func (c *console) listing(l *routes.Listing) {
	if len(l.Routes) == 0 {
		c.printf("%s\n", c.faint("no routes"))
	}
	rows := make([][]cell, len(l.Routes))
	for i, r := range l.Routes {
		method := cell{strings.ToUpper(r.Kind), c.faint}
		switch {
		case r.Method != "":
			method = cell{r.Method, c.method(r.Method)}
		case r.Kind == "route":
			method.text = "ALL"
		}
		rows[i] = []cell{method, {r.Pattern, c.bold}, {r.Handler, nil}, {where(r.File, r.Line), c.faint}}
	}
	c.table(rows)
	for _, n := range l.Namespaces {
		title := "Socket.IO " + n.Path + ", namespace " + c.bold(n.Name)
		switch {
		case n.Of == routes.Unknown:
			title = "Sockets of namespaces that the source does not tell"
		case n.Parent && n.Name == "":
			title = "Socket.IO " + n.Path + ", namespaces that a function allows"
		case n.Parent:
			title = "Socket.IO " + n.Path + ", namespaces that match " + c.bold(n.Name)
		}
		c.printf("\n%s\n", title)
		if len(n.Events) == 0 {
			c.printf("%s\n", c.faint("no events"))
		}
		rows := make([][]cell, len(n.Events))
		for i, e := range n.Events {
			rows[i] = []cell{{e.From, c.faint}, {e.Event, c.bold}, {e.Handler, nil}, {where(e.File, e.Line), c.faint}}
		}
		c.table(rows)
	}
}

// method is the colour of a method, after what it does.
func (c *console) method(name string) func(string) string {
	switch name {
	case "GET", "HEAD", "OPTIONS":
		return c.good
	case "DELETE":
		return c.fail
	}
	return c.warn
}

func where(file string, line int) string {
	if file == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", file, line)
}

// A cell is a text, and how a terminal shows it.
type cell struct {
	text  string
	paint func(string) string // or nil
}

// table prints rows with columns below each other.
func (c *console) table(rows [][]cell) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell.text))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			text := cell.text
			if cell.paint != nil && text != "" {
				text = cell.paint(text)
			}
			line.WriteString(text)
			if i < len(row)-1 {
				line.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell.text)+2))
			}
		}
		c.printf("%s\n", strings.TrimRight(line.String(), " "))
	}
}
