// Command dropload reads spreadsheets and imports them as records. Each
// subcommand has its own file; this one only wires them.
//
// Results go to standard output and everything else to standard error. The JSON
// that --json prints and the exit status are contracts: see docs/cli.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	status := run(ctx, newRoot(openStack, upAndOpen), os.Stderr)
	stop()
	os.Exit(status)
}

// newRoot makes all commands: open connects to a stack, up brings the local one
// up before.
func newRoot(open, up opener) *cobra.Command {
	root := &cobra.Command{
		Use:           "dropload",
		Short:         "Import any spreadsheet as records, safely",
		SilenceUsage:  true,
		SilenceErrors: true,
		// How many letters may be wrong in the name of a command that is meant.
		SuggestionsMinimumDistance: 2,
		Args:                       noSuchCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddCommand(
		newUp(prepareTenant(demoTenant)), newDown(), newDemo(up), newTenant(open), newDefine(open),
		newImport(open), newImports(open), newShow(open), newWatch(open), newMap(open), newDecide(open), newEdit(open),
		newStart(open), newCancel(open), newReport(open), newRecords(open), newMessages(open),
		newInspect(), newRows(), newPropose(), newTemplate(),
	)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Sprintf("%v; see: %s --help", err, cmd.CommandPath())}
	})
	for _, cmd := range root.Commands() {
		cmd.Args = usageArgs(cmd.Args)
	}
	return root
}

// usageArgs makes what a command says of its arguments a mistake in the command
// line.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if check == nil {
			return nil
		}
		if err := check(cmd, args); err != nil {
			return usageError{fmt.Sprintf("%v; usage: %s", err, cmd.UseLine())}
		}
		return nil
	}
}

func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := fmt.Sprintf("there is no command %q", args[0])
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		text += "; do you mean " + strings.Join(near, " or ") + "?"
	}
	return usageError{text + "; see: dropload --help"}
}

// run runs a command and returns the status to exit with. What went wrong is
// said in one line, but for the last lines of a tool that failed.
func run(ctx context.Context, cmd *cobra.Command, stderr io.Writer) int {
	err := cmd.ExecuteContext(ctx)
	var (
		status statusError
		usage  usageError
	)
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	}
	fmt.Fprintln(stderr, "dropload:", strings.TrimSpace(err.Error()))
	if errors.As(err, &usage) {
		return statusUsage
	}
	return statusFailed
}

// statusError ends the program with a status of its own. What there was to say
// has been said.
type statusError int

func (s statusError) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// usageError is a mistake in the command line.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }
