package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

// newImports is `dropload imports`.
func newImports(open opener) *cobra.Command {
	var (
		flags stackFlags
		limit int
		feed  string
	)
	cmd := &cobra.Command{
		Use:   "imports",
		Short: "List the imports, the newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 {
				return usageError{"--limit takes a number from 1"}
			}
			s, err := open(cmd.Context(), &flags)
			if err != nil {
				return err
			}
			return s.list(cmd, feed, limit)
		},
	}
	flags.add(cmd)
	cmd.Flags().IntVar(&limit, "limit", 20, "list at most so many")
	cmd.Flags().StringVar(&feed, "feed", "", "only those of this feed")
	return cmd
}

// listPage is how many imports are asked for at once.
const listPage = 100

// list prints imports, the newest first: with --json one object a line.
func (s *session) list(cmd *cobra.Command, feed string, limit int) error {
	out := cmd.OutOrStdout()
	t := newTable(out)
	if !s.JSON {
		t.row("id", "received", "feed", "file", "state", "read", "created", "updated", "unchanged", "rejected", "ignored")
	}
	for cursor, n := "", 0; n < limit; {
		page, next, err := s.Imports(cmd.Context(), s.Tenant, cursor, min(limit, listPage))
		if err != nil {
			return err
		}
		for _, m := range page {
			if feed != "" && m.Feed != feed || n == limit {
				continue
			}
			n++
			j := importJSONOf(m)
			if s.JSON {
				if err := encode(out, j); err != nil {
					return err
				}
				continue
			}
			r := j.Rows
			t.row(j.ID, j.Received.Local().Format(time.DateTime), j.Feed, j.File, describe(m),
				r.Read, r.Created, r.Updated, r.Unchanged, r.Rejected, r.Ignored)
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	if s.JSON {
		return nil
	}
	return t.flush()
}

// answer gives an import an answer that lets it go on; then it follows the
// import, or prints where it is.
func (s *session) answer(cmd *cobra.Command, id string, withWatch bool, give func() error) error {
	before, err := s.Show(cmd.Context(), s.Tenant, id)
	if err != nil {
		return err
	}
	if err := give(); err != nil {
		return err
	}
	if withWatch {
		return s.watch(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), id, len(before.Times))
	}
	m, err := s.Show(cmd.Context(), s.Tenant, id)
	if err != nil {
		return err
	}
	if s.JSON {
		return printJSON(cmd.OutOrStdout(), importJSONOf(m))
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s  %s\n", m.ID, describe(m))
	return err
}
