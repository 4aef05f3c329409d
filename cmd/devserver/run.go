package main

import (
	"github.com/spf13/cobra"

	"github.com/zocalo-go/zocalo/internal/dev"
)

func runCommand() *cobra.Command {
	var at address
	cmd := &cobra.Command{
		Use:   "run [PACKAGE]",
		Short: "Build and run the app the way production does",
		Long: `run builds the app and runs it once with ZOCALO_ENV=production: embedded views
and files, no error details, nothing followed. It ends with the app's own exit
code.`,
		Example: `  devserver run
  devserver run --host 0.0.0.0 --port 80`,
		Args: arguments(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, c, err := prepare(cmd, args, at)
			if err != nil {
				return err
			}
			cfg.Report = c.report
			return dev.Serve(cmd.Context(), cfg)
		},
	}
	at.flags(cmd)
	return cmd
}
