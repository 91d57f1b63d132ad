package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dropload/dropload/infra/local"
)

// newDown is `dropload down`.
func newDown() *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "Stop the local engine; its data stays",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			stopped, err := local.Down(cmd.Context(), local.Options{Progress: cmd.ErrOrStderr()})
			if err != nil {
				return err
			}
			word := "stopped"
			if !stopped {
				word = "nothing was running"
			}
			fmt.Fprintln(cmd.OutOrStdout(), word)
			return nil
		},
	}
}
