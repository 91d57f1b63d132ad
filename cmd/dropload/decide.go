package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/importer"
)

// newDecide is `dropload decide`.
func newDecide(open opener) *cobra.Command {
	var (
		flags           stackFlags
		list, withWatch bool
		d               decisions
	)
	cmd := &cobra.Command{
		Use:   "decide ID",
		Short: "Say what becomes of references to records that are not there",
		Long: `Say what becomes of references to records that are not there: of each name, or
of all that no single word was said about. Where some stay open, the import asks
again. Without a decision the names are listed.`,
		Example: `  dropload decide ID --list
  dropload decide ID --create "Phönix Trading Ltd." --use "Nordlicht=C-1001" --all reject --watch`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := d.check(); err != nil {
				return err
			}
			s, err := open(cmd.Context(), &flags)
			if err != nil {
				return err
			}
			if list || d.none() {
				return s.unmatched(cmd, args[0])
			}
			named, err := d.named(cmd.Context(), s, args[0])
			if err != nil {
				return err
			}
			return s.answer(cmd, args[0], withWatch, func() error {
				return s.Decide(cmd.Context(), s.Tenant, args[0], importer.Action(d.all), named)
			})
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&list, "list", false, "list the names that were not found")
	cmd.Flags().StringVar(&d.all, "all", "", "for all names: create, ignore or reject")
	cmd.Flags().StringArrayVar(&d.create, "create", nil, "create a record of this NAME; may be repeated")
	cmd.Flags().StringArrayVar(&d.use, "use", nil, "NAME=KEY: the name means the record with this key; may be repeated")
	cmd.Flags().StringArrayVar(&d.ignore, "ignore", nil, "do not import the rows that name NAME; may be repeated")
	cmd.Flags().StringArrayVar(&d.reject, "reject", nil, "reject the rows that name NAME; may be repeated")
	cmd.Flags().BoolVar(&withWatch, "watch", false, "wait for the end and show it")
	return cmd
}

// decisions are a person's words on names, as the flags give them.
type decisions struct {
	all                         string
	create, use, ignore, reject []string
}

func (d *decisions) none() bool {
	return d.all == "" && len(d.create)+len(d.use)+len(d.ignore)+len(d.reject) == 0
}

func (d *decisions) check() error {
	if d.all != "" && !slices.Contains([]string{"create", "ignore", "reject"}, d.all) {
		return usageError{fmt.Sprintf("--all is %q; it takes create, ignore or reject", d.all)}
	}
	for _, use := range d.use {
		if at := strings.LastIndex(use, "="); at < 1 || at == len(use)-1 {
			return usageError{fmt.Sprintf("--use is %q; write it as NAME=KEY", use)}
		}
	}
	return nil
}

// named finds the names among those that the import did not find: as they are
// written in the file, whatever their letter case, accents and spaces.
func (d *decisions) named(ctx context.Context, s *session, id string) ([]importer.Named, error) {
	want := map[string]importer.Named{}
	written := map[string]string{}
	say := func(name string, action importer.Action, key string) {
		fold := entity.FoldName(name)
		want[fold], written[fold] = importer.Named{Action: action, Key: key}, name
	}
	for _, name := range d.create {
		say(name, importer.CreateRecord, "")
	}
	for _, name := range d.ignore {
		say(name, importer.IgnoreRows, "")
	}
	for _, name := range d.reject {
		say(name, importer.RejectRows, "")
	}
	for _, use := range d.use {
		at := strings.LastIndex(use, "=")
		say(use[:at], importer.UseRecord, use[at+1:])
	}
	if len(want) == 0 {
		return nil, nil
	}
	var named []importer.Named
	err := s.UnmatchedOf(ctx, s.Tenant, id, func(u importer.Unmatched) error {
		fold := entity.FoldName(u.Written)
		if n, ok := want[fold]; ok {
			n.Field, n.Name = u.Field, u.Name
			named = append(named, n)
			delete(written, fold)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, name := range written {
		return nil, fmt.Errorf("the import does not ask about %q; it asks about: dropload decide %s --list", name, id)
	}
	return named, nil
}

// unmatchedJSON is a name as `decide --list --json` prints it, one a line.
type unmatchedJSON struct {
	Field string   `json:"field"`
	Name  string   `json:"name"`
	Row   int64    `json:"row"`
	Rows  int64    `json:"rows"`
	Keys  []string `json:"keys"`
}

// unmatched lists the names that were not found.
func (s *session) unmatched(cmd *cobra.Command, id string) error {
	out := cmd.OutOrStdout()
	t := newTable(out)
	if !s.JSON {
		t.row("field", "name", "rows", "first row", "")
	}
	err := s.UnmatchedOf(cmd.Context(), s.Tenant, id, func(u importer.Unmatched) error {
		if s.JSON {
			return encode(out, unmatchedJSON{u.Field, u.Written, u.Row, u.Rows, append([]string{}, u.Many...)})
		}
		note := ""
		if len(u.Many) > 0 {
			note = "several records: " + strings.Join(u.Many, ", ")
		}
		t.row(u.Field, u.Written, u.Rows, u.Row, note)
		return nil
	})
	if err != nil || s.JSON {
		return err
	}
	return t.flush()
}
