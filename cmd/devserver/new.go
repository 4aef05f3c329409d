package main

import (
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/zocalo-go/zocalo/internal/scaffold"
)

func newCommand() *cobra.Command {
	var module string
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Write a new app",
		Long: `new writes an app into the directory NAME, which must not exist or be empty. It
asks nothing and needs no network. NAME may be a path; its last element names
the app and, unless --module says otherwise, its module.`,
		Example: `  devserver new hello
  devserver new hello --module example.com/towns/hello`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			app := scaffold.App{Dir: filepath.Clean(args[0]), Name: filepath.Base(args[0]), Module: module}
			if err := scaffold.CheckName(app.Name); err != nil {
				return usageError{err}
			}
			if cmd.Flags().Changed("module") {
				if err := scaffold.CheckModule(module); err != nil {
					return usageError{err}
				}
			}
			info, _ := debug.ReadBuildInfo()
			var err error
			if app.Framework, err = scaffold.Find(info); err != nil {
				return err
			}
			files, err := app.Write(cmd.Context())
			if err != nil {
				return err
			}
			c := newConsole(cmd.OutOrStdout())
			c.printf("%s %s: %d files\n", c.bold("made"), app.Dir, len(files))
			if app.Framework.Version == "" {
				c.printf("%s\n", c.faint("This devserver was built from a checkout, so go.mod replaces the framework by "+app.Framework.Dir+"."))
			}
			dir := app.Dir
			if strings.ContainsAny(dir, " '\"$&;()") {
				dir = "'" + strings.ReplaceAll(dir, "'", `'\''`) + "'"
			}
			c.printf("\n  cd %s && devserver\n\n", dir)
			return nil
		},
	}
	cmd.Flags().StringVar(&module, "module", "", "module `path` of the app (default NAME)")
	return cmd
}
