package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dropload/dropload/infra/local"
)

// newUp is `dropload up`. prepare makes the tenant and its feeds in the
// deployed stack and says so in it; it is repeated by every up.
func newUp(prepare func(context.Context, *local.Stack) error) *cobra.Command {
	var (
		asJSON, onlyTools bool
		opts              = local.Options{Prepare: prepare}
	)
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start the local engine, build and deploy",
		Long: `Start the local engine, build and deploy. What runs and is unchanged stays as it
is, and so does the data of the time before. Nothing reaches a real AWS account.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := local.Isolate(); err != nil {
				return err
			}
			opts.Progress = cmd.ErrOrStderr()
			if onlyTools {
				dir, err := local.SetUpTools(cmd.Context(), opts)
				if err == nil {
					fmt.Fprintln(cmd.OutOrStdout(), dir)
				}
				return err
			}
			stack, err := local.Up(cmd.Context(), opts)
			if err != nil {
				return err
			}
			if asJSON {
				out := json.NewEncoder(cmd.OutOrStdout())
				out.SetIndent("", "  ")
				return out.Encode(stack)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "up at %s\nbucket  %s\nrecords %s\ncontrol %s\n",
				stack.Endpoint, stack.Bucket, stack.Tables.Records, stack.Tables.Control)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print where everything is as JSON")
	cmd.Flags().BoolVar(&onlyTools, "only-tools", false, "set up the engine and the SAM CLI, print their folder, and stop there")
	cmd.Flags().IntVar(&opts.Port, "port", 0, "the engine's port (default 4566, or the next that is free)")
	return cmd
}
