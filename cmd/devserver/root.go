package main

import (
	"fmt"
	"os"
	"strings"

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
		if info, err := os.Stat(args[0]); err == nil && info.IsDir() {
			return usageError{fmt.Errorf("%s is a directory; to run the app in it:\n\tdevserver dev %[1]s", args[0])}
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
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "completion":
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() } // or Args are not looked at
			fallthrough
		case "help":
			cmd.Args = known
		}
	}
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

// known has cobra's own commands refuse what they do not know, in place of showing
// the help of something else.
func known(cmd *cobra.Command, args []string) error {
	within := cmd
	if cmd.Name() == "help" {
		within = cmd.Root()
	}
	if len(args) == 0 {
		return nil
	}
	if found, _, err := within.Find(args); err == nil && found != within {
		return nil
	}
	return usageError{fmt.Errorf("%s\nsee %s --help", unknown(within, args[0], ""), within.CommandPath())}
}

// arguments makes the number of arguments a matter of usage, and shows what it is.
func arguments(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		var wrong string
		switch {
		case len(args) < least:
			wrong = strings.Fields(cmd.Use)[1+len(args)] + " is missing"
		case len(args) > most:
			wrong = fmt.Sprintf("%q is one argument too many", args[most])
		default:
			return nil
		}
		return usageError{fmt.Errorf("%s; the command is\n\t%s\nsee %s --help", wrong, cmd.UseLine(), cmd.CommandPath())}
	}
}
