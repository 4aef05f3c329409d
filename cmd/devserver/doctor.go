package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/zocalo-go/zocalo/internal/doctor"
)

func doctorCommand() *cobra.Command {
	var origin string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor [URL]",
		Short: "Find what keeps an app from working that is not in its code",
		Long: `doctor looks at this machine and the app in this directory: Go, go.mod, the
limits of the system. With the URL of a deployed app it looks at that instead,
as a browser's Socket.IO client would: whether long-polling and, through the
proxies in between, WebSockets arrive. Whatever is not well comes with its cure.

Exit code 1 says that something is broken; a warning is none.`,
		Example: `  devserver doctor
  devserver doctor https://example.com --origin https://shop.example.com
  devserver doctor https://example.com/my/socket.io/ --json`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if origin != "" && len(args) == 0 {
				return usageError{errors.New("--origin asks about a site: give its URL, too")}
			}
			var findings []doctor.Finding
			if len(args) == 0 {
				findings = doctor.Machine(cmd.Context(), ".")
			} else {
				var err error
				if findings, err = doctor.Site(cmd.Context(), args[0], origin); err != nil {
					return usageError{err}
				}
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
