package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dropload/dropload/internal/importer"
)

// newTenant is `dropload tenant`.
func newTenant(open opener) *cobra.Command {
	var (
		flags    stackFlags
		settings importer.Tenant
		by       string
	)
	cmd := &cobra.Command{
		Use:   "tenant ID",
		Short: "Make a tenant with a feed for each entity, where it is not there yet",
		Long: `Make a tenant with a feed for each entity, and list the feeds with their
prefixes in the bucket. What is there already stays as it is; only --points-message
changes it.`,
		Example: "  dropload tenant acme --stack dropload-prod --profile prod",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := open(cmd.Context(), &flags)
			if err != nil {
				return err
			}
			settings.ID, settings.Country = args[0], strings.ToUpper(settings.Country)
			feeds, err := createTenant(cmd.Context(), s.Importer, settings)
			if err != nil {
				return err
			}
			if by != "" {
				if err := s.SetPointsMessage(cmd.Context(), settings.ID, by, settings.SenderAddress); err != nil {
					return err
				}
			}
			if s.JSON {
				return printJSON(cmd.OutOrStdout(), map[string]any{"tenant": settings.ID, "feeds": feeds})
			}
			t := newTable(cmd.OutOrStdout())
			for _, name := range slices.Sorted(maps.Keys(feeds)) {
				t.row(name, feeds[name])
			}
			return t.flush()
		},
	}
	flags.add(cmd)
	// The tenant is the argument here.
	if err := cmd.Flags().MarkHidden("tenant"); err != nil {
		panic(err) // the flag was added above
	}
	cmd.Flags().StringVar(&settings.Country, "country", "", "country of the tenant, such as DE")
	cmd.Flags().StringVar(&settings.Language, "language", "", "language of the tenant: en, de, es, fr or lt")
	cmd.Flags().StringVar(&by, "points-message", "", "how credited members get their message: sms or email")
	cmd.Flags().StringVar(&settings.SenderAddress, "sender-address", "", "address that e-mails come from")
	return cmd
}
