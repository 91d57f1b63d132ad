package main

import (
	"github.com/spf13/cobra"
)

// newCancel is `dropload cancel`.
func newCancel(open opener) *cobra.Command {
	var flags stackFlags
	cmd := &cobra.Command{
		Use:   "cancel ID",
		Short: "Cancel an import and wait for its end",
		Long: `Cancel an import wherever it is, and show it at its end. What was written by
then stays and is counted; the report lists the rows that were not imported.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := open(cmd.Context(), &flags)
			if err != nil {
				return err
			}
			before, err := s.Show(cmd.Context(), s.Tenant, args[0])
			if err != nil {
				return err
			}
			if err := s.Cancel(cmd.Context(), s.Tenant, args[0]); err != nil {
				return err
			}
			m, err := s.follow(cmd.Context(), cmd.ErrOrStderr(), args[0], len(before.Times), ended)
			if err != nil {
				return err
			}
			return s.print(cmd.OutOrStdout(), m)
		},
	}
	flags.add(cmd)
	return cmd
}
