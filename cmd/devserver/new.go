package main

import (
	"fmt"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/zocalo-go/zocalo/internal/scaffold"
)

func newCommand() *cobra.Command {
	var app scaffold.App
	var dryRun, noGit bool
	var frameworkDir string
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Write a new app",
		Long: `new writes an app into the directory NAME, which must not exist or be empty. It
asks nothing and needs no network. NAME may be a path; its last element names
the app and, unless --module says otherwise, its module.

Templates:
  chat      a town square: pages, rooms, presence, pictures (the default)
  minimal   a page, a button and an event
  api       JSON over HTTP, and events for whoever listens; no pages`,
		Example: `  devserver new hello
  devserver new hello --template minimal --port 3000
  devserver new hello --adapter nats
  devserver new hello --module example.com/towns/hello --dry-run`,
		Args: arguments(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			app.Dir, app.Name, app.Git = filepath.Clean(args[0]), filepath.Base(args[0]), !noGit
			if err := scaffold.CheckName(app.Name); err != nil {
				return usageError{err}
			}
			named := cmd.Flags().Changed("module")
			if !named {
				app.Module = app.Name
			}
			if err := scaffold.CheckModule(app.Module); err != nil {
				if !named {
					err = fmt.Errorf("%w, with --module", err)
				}
				return usageError{err}
			}
			if err := scaffold.CheckTemplate(app.Template); err != nil {
				return usageError{err}
			}
			if err := scaffold.CheckAdapter(app.Adapter); err != nil {
				return usageError{err}
			}
			if cmd.Flags().Changed("port") && (app.Port < 1 || app.Port > 65535) {
				return usageError{fmt.Errorf("%d is not a port for an app: those are 1 to 65535", app.Port)}
			}
			var err error
			if app.Framework, err = findFramework(frameworkDir); err != nil {
				return err
			}
			c := newConsole(cmd.OutOrStdout())
			if dryRun {
				files, err := app.Plan()
				if err != nil {
					return err
				}
				c.printf("would make %s: %d files\n", app.Dir, len(files))
				for _, name := range files {
					c.printf("  %s\n", name)
				}
				return nil
			}
			files, err := app.Write(cmd.Context())
			if err != nil {
				return err
			}
			c.printf("%s %s: %d files\n", c.bold("made"), app.Dir, len(files))
			if app.Framework.Version == "" {
				c.printf("%s\n", c.faint("go.mod replaces the framework by the checkout "+app.Framework.Dir+"."))
			}
			dir := app.Dir
			if strings.ContainsAny(dir, " '\"$&;()") {
				dir = "'" + strings.ReplaceAll(dir, "'", `'\''`) + "'"
			}
			command := "devserver"
			if app.Adapter == "nats" {
				command += " --nodes 3" // for which there is all it needs
			}
			c.printf("\n  cd %s && %s\n\n", dir, command)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVarP(&app.Template, "template", "t", scaffold.Templates()[0], "`name` of what to start from: "+strings.Join(scaffold.Templates(), ", "))
	f.StringVar(&app.Adapter, "adapter", scaffold.Adapters()[0], "`name` of what joins several processes into one: "+strings.Join(scaffold.Adapters(), ", "))
	f.StringVar(&app.Module, "module", "", "module `path` of the app (default NAME)")
	f.IntVar(&app.Port, "port", 0, "`port` of the app, which goes into .env and the Dockerfile (default 8080)")
	f.BoolVar(&app.Force, "force", false, "write into a directory with files in it, over those of the same name")
	f.BoolVar(&dryRun, "dry-run", false, "name the files and write none")
	f.BoolVar(&noGit, "no-git", false, "make no Git repository")
	f.StringVar(&frameworkDir, "framework-dir", "", "`directory` of a checkout of the framework to use")
	for flag, names := range map[string][]string{"template": scaffold.Templates(), "adapter": scaffold.Adapters()} {
		if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp)); err != nil {
			panic(err) // the flags are those above
		}
	}
	return cmd
}

// findFramework is the framework in dir, or the one that this devserver is of.
func findFramework(dir string) (scaffold.Framework, error) {
	if dir == "" {
		info, _ := debug.ReadBuildInfo()
		return scaffold.Find(info)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return scaffold.Framework{}, err
	}
	if scaffold.ModulePath(dir) != framework {
		return scaffold.Framework{}, usageError{fmt.Errorf("%s is no checkout of %s", dir, framework)}
	}
	return scaffold.Framework{Dir: dir}, nil
}
