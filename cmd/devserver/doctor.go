package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/zocalo-go/zocalo/internal/dev"
	"github.com/zocalo-go/zocalo/internal/doctor"
)

func doctorCommand() *cobra.Command {
	var origin string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor [URL ...]",
		Short: "Find what keeps an app from working that is not in its code",
		Long: `doctor looks at this machine and the app in this directory: Go and its known
advisories, go.mod, the port, the limits of the system, the Socket.IO clients in
views and public, and the engines that REDIS_URL, NATS_URL and DATABASE_URL name.

With the URL of a deployed app it looks at that instead, as a browser's Socket.IO
client would: whether long-polling and, through the proxies in between,
WebSockets arrive, and the other causes of Socket.IO's page on connection
issues. With the URL of an engine (redis, nats, postgres) it greets that.
Whatever is not well comes with its cure.

Exit code 1 says that something is broken; a warning is none.`,
		Example: `  devserver doctor
  devserver doctor https://example.com --origin https://shop.example.com
  devserver doctor https://example.com/my/socket.io/ --json
  devserver doctor redis://localhost:6379 nats://localhost:4222`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if origin != "" && len(args) == 0 {
				return usageError{errors.New("--origin asks about a site: give its URL, too")}
			}
			findings, err := examine(cmd.Context(), args, origin)
			if err != nil {
				return usageError{err}
			}
			broken := 0
			for _, f := range findings {
				if f.State == doctor.Bad {
					broken++
				}
			}
			if asJSON {
				if err := json.NewEncoder(cmd.OutOrStdout()).Encode(findings); err != nil {
					return err
				}
			} else {
				c := newConsole(cmd.OutOrStdout())
				for _, f := range findings {
					paint := map[doctor.State]func(string) string{doctor.Good: c.good, doctor.Poor: c.warn, doctor.Bad: c.fail}[f.State]
					c.printf("%s %s: %s\n", paint(fmt.Sprintf("%-7s", f.State)), f.Check, f.Says)
					if f.Cure != "" {
						c.printf("        %s\n", f.Cure)
					}
				}
			}
			if broken > 0 {
				return fmt.Errorf("%d of %d checks failed", broken, len(findings))
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&origin, "origin", "", "`origin` of the pages that connect, https://host")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	return cmd
}

// examine looks at what the URLs name, or at this machine when there is none.
func examine(ctx context.Context, urls []string, origin string) ([]doctor.Finding, error) {
	if len(urls) == 0 {
		app := doctor.App{Dir: ".", Port: dev.Getenv(".", "PORT")}
		for _, name := range []string{"REDIS_URL", "NATS_URL", "DATABASE_URL"} {
			if url := dev.Getenv(".", name); doctor.IsService(url) {
				app.Services = append(app.Services, url)
			}
		}
		return doctor.Machine(ctx, app), nil
	}
	var all []doctor.Finding
	for _, url := range urls {
		if doctor.IsService(url) {
			f, err := doctor.Service(ctx, url)
			if err != nil {
				return nil, err
			}
			all = append(all, f)
			continue
		}
		findings, err := doctor.Site(ctx, url, origin)
		if err != nil {
			return nil, err
		}
		all = append(all, findings...)
	}
	return all, nil
}
