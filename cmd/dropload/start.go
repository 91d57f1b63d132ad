package main

import "github.com/spf13/cobra"

// newStart is `dropload start`.
func newStart(open opener) *cobra.Command {
	var (
		flags     stackFlags
		withWatch bool
	)
	cmd := &cobra.Command{
		Use:   "start ID",
		Short: "Say the word for an import that waits for it",
		Long: `Say the word for an import that is ready and waits for it, or for its time.
Until then nothing was written.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := open(cmd.Context(), &flags)
			if err != nil {
				return err
			}
			return s.answer(cmd, args[0], withWatch, func() error { return s.Start(cmd.Context(), s.Tenant, args[0]) })
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&withWatch, "watch", false, "wait for the end and show it")
	return cmd
}
