// Command dropload reads spreadsheets and imports them as records. Each
// subcommand has its own file; this one only wires them.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := newRoot().ExecuteContext(ctx)
	stop()
	os.Exit(exitStatus(err))
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "dropload",
		Short:         "Import any spreadsheet as records, safely",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newInspect())
	root.AddCommand(newRows())
	root.AddCommand(newPropose())
	root.AddCommand(newTemplate())
	root.AddCommand(newUp(prepareTenant(demoTenant)))
	root.AddCommand(newDown())
	root.AddCommand(newImport(openStack))
	root.AddCommand(newShow(openStack))
	root.AddCommand(newWatch(openStack))
	root.AddCommand(newReport(openStack))
	root.AddCommand(newRecords(openStack))
	root.AddCommand(newDemo(upAndOpen))
	return root
}

// statusError ends the program with a status of its own. What there was to say
// has been said.
type statusError int

func (s statusError) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// exitStatus is what the program ends with; it prints what has not been said.
func exitStatus(err error) int {
	var status statusError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	}
	fmt.Fprintln(os.Stderr, "dropload:", err)
	var usage usageError
	if errors.As(err, &usage) {
		return statusUsage
	}
	return statusFailed
}
