package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/zocalo-go/zocalo/internal/dev"
)

func buildCommand() *cobra.Command {
	var r dev.Release
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "build [PACKAGE]",
		Short: "Build one static binary with views and public in it",
		Long: `build makes one static binary of the app: without cgo, so that it runs on a
system that has nothing else, and without the paths of this machine. Views and
public files are in it as far as the app embeds them; build says when it does
not. GOOS and GOARCH choose another system.

With --release it refuses a go.mod that replaces a module by a directory of
this machine, and leaves a go.work out.`,
		Example: `  devserver build
  devserver build ./cmd/web --output dist/web
  GOOS=linux GOARCH=arm64 devserver build --release`,
		Args: arguments(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, pkg, err := findApp(args)
			if err != nil {
				return err
			}
			r.Package = pkg
			if r.Output == "" {
				r.Output = filepath.Join("bin", name)
			}
			bin, err := r.Build(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{
					"path": bin.Path, "bytes": bin.Size, "goos": bin.GOOS, "goarch": bin.GOARCH, "ms": bin.Took.Milliseconds(),
					"embedded": nonNil(bin.Embedded), "missing": nonNil(bin.Missing),
				})
			}
			c := newConsole(cmd.OutOrStdout())
			c.printf("%s %s %s in %s\n", c.bold("built"), bin.Path,
				c.faint(fmt.Sprintf("%.1f MB, %s/%s, static", float64(bin.Size)/1e6, bin.GOOS, bin.GOARCH)), milliseconds(bin.Took))
			if len(bin.Embedded) > 0 {
				c.printf("embedded: %s\n", list(bin.Embedded))
			}
			for _, dir := range bin.Missing {
				c.printf("%s\n", c.warn("warning: "+dir+" is not in it; embed it (//go:embed) or install it beside the binary"))
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&r.Output, "output", "o", "", "`file` to write (default bin/NAME)")
	cmd.Flags().BoolVar(&r.Strict, "release", false, "refuse what only this machine has")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON")
	return cmd
}

// nonNil is a list that JSON shows as [] when it is empty.
func nonNil(list []string) []string { return append([]string{}, list...) }
