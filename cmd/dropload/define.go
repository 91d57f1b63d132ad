package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

// newDefine is `dropload define`.
func newDefine(open opener) *cobra.Command {
	var flags stackFlags
	cmd := &cobra.Command{
		Use:   "define FILE...",
		Short: "Add fields or entities of a tenant's own",
		Long: `Add what definition files describe: an entity of the tenant's own, which gets a
feed of its name, or fields of an entity that is there. A file of the same name
is replaced. What is wrong with a file is said, and nothing of it is stored.`,
		Example: "  dropload define vehicles.json contact-fields.json --tenant acme",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := open(cmd.Context(), &flags)
			if err != nil {
				return err
			}
			for _, name := range args {
				file, err := os.ReadFile(name)
				if err != nil {
					return err
				}
				d, err := s.Define(cmd.Context(), s.Tenant, file)
				if err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
				if s.JSON {
					err = encode(cmd.OutOrStdout(), map[string]any{"file": name, "name": d.Name, "extends": orNull(d.Extends)})
				} else {
					_, err = fmt.Fprintln(cmd.OutOrStdout(), d.Name)
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	flags.add(cmd)
	return cmd
}
