package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/zocalo-go/zocalo/internal/generate"
)

func generateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "generate",
		Aliases: []string{"g"},
		Short:   "Add a page, an event or a resource to the app",
		Long: `generate adds a page, an event or a resource to the app in this directory: the
files with their tests, and the line in the function that makes the app. It
writes over nothing unless --force is given, and edits only what it can read as
Go before and after; otherwise it prints the line to add.`,
		Example: `  devserver generate page about
  devserver generate event "note created"
  devserver generate resource article --dry-run`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{fmt.Errorf("name what to generate: %s\nsee devserver generate --help", strings.Join(generate.Kinds(), ", "))}
			}
			return usageError{fmt.Errorf("%s\nsee devserver generate --help", unknown(cmd, args[0], strings.Join(generate.Kinds(), ", ")))}
		},
		RunE: func(cmd *cobra.Command, args []string) error { return cmd.Help() },
	}
	cmd.SuggestionsMinimumDistance = 2
	for kind, text := range map[string][3]string{
		"page": {"Add a page: view, handler, route and test",
			`page adds the page /NAME: a view in views, its handler, its route and a test. In an
app without a view engine the page is an HTML template beside the code.`,
			"  devserver generate page about\n  devserver generate page docs/start"},
		"event": {"Add an event that clients send: typed handler and test",
			`event adds a typed handler of the event NAME, which answers with an acknowledgement,
registers it for every socket that connects, and tests it by a round trip.`,
			"  devserver generate event ping\n  devserver generate event \"note created\""},
		"resource": {"Add a resource: list, create, show, update and delete as JSON, and a test",
			`resource adds one kind of thing with routes that list, create, show, update and
delete it as JSON, kept in memory, and a test of them. NAME is one of them; its
plural is in the path.`,
			"  devserver generate resource article"},
	} {
		cmd.AddCommand(kindCommand(kind, text[0], text[1], text[2]))
	}
	return cmd
}

func kindCommand(kind, short, long, example string) *cobra.Command {
	r := generate.Request{Dir: ".", Kind: kind}
	var dryRun, asJSON bool
	cmd := &cobra.Command{
		Use:     kind + " NAME",
		Short:   short,
		Long:    long,
		Example: example,
		Args:    arguments(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r.Name = args[0]
			if err := generate.CheckName(kind, r.Name); err != nil {
				return usageError{err}
			}
			plan, err := r.Plan()
			if err != nil {
				return err
			}
			if !dryRun {
				if err := plan.Apply(); err != nil {
					return err
				}
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{
					"files": plan.Files, "edited": plan.Edited, "line": plan.Line, "add": plan.Add, "dryRun": dryRun,
				})
			}
			newConsole(cmd.OutOrStdout()).generated(plan, dryRun)
			return nil
		},
	}
	cmd.Flags().BoolVar(&r.Force, "force", false, "write over files of the same name")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "tell what would be written and write nothing")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what was written as JSON")
	return cmd
}

// generated tells what a plan has done, or would do.
func (c *console) generated(plan *generate.Plan, dryRun bool) {
	made, edited := "made  ", "edited"
	if dryRun {
		made, edited = "would make", "would edit"
	}
	for _, name := range plan.Files {
		c.printf("%s %s\n", c.good(made), name)
	}
	if plan.Edited != "" {
		c.printf("%s %s\n  %s\n", c.good(edited), plan.Edited, plan.Line)
	}
	if plan.Add != "" {
		c.printf("%s\n  %s\n", c.warn("add this line yourself, "+plan.Add+":"), plan.Line)
	}
}
