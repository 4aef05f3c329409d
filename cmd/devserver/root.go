package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func rootCommand() *cobra.Command {
	root := devCommand()
	root.Use = "devserver"
	root.Short = "Make, run and follow Zócalo apps"
	root.Long = `devserver builds and runs the app in this directory and follows its source: a
saved .go file restarts it, a saved view changes the page in place, a saved
style sheet or picture is swapped, a saved script reloads the page, and what is
broken is explained in the browser.`
	root.Example = `  devserver new hello && cd hello && devserver
  devserver --port 3000
  devserver dev ./cmd/web`
	root.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return usageError{fmt.Errorf("%s\nsee devserver --help", unknown(cmd, args[0], ""))}
	}
	root.Version = version()
	root.SetVersionTemplate(versionLine())
	root.SuggestionsMinimumDistance = 2
	root.SilenceErrors = true
	root.SilenceUsage = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w\nsee %s --help", err, cmd.CommandPath())}
	})
	root.AddCommand(newCommand(), devCommand(), runCommand(), buildCommand(), generateCommand(), routesCommand(), doctorCommand(), versionCommand())
	return root
}

// unknown says that a command has no such command in it, and which one it may
// have been, else which there are.
func unknown(cmd *cobra.Command, name, all string) string {
	text := fmt.Sprintf("there is no command %q", name)
	suggestions := cmd.SuggestionsFor(name)
	if len(suggestions) == 0 && all != "" {
		return text + "; there are " + all
	}
	for i, s := range suggestions {
		if i == 0 {
			text += "; did you mean:"
		}
		text += "\n\t" + cmd.CommandPath() + " " + s
	}
	return text
}

// arguments makes the number of arguments a matter of usage, and shows what it is.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{fmt.Errorf("%w; the command is\n\t%s\nsee %s --help", err, cmd.UseLine(), cmd.CommandPath())}
		}
		return nil
	}
}
