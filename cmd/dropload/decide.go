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
		remember        bool
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
				if err := s.Decide(cmd.Context(), s.Tenant, args[0], importer.Action(d.all), named); err != nil || !remember {
					return err
				}
				m, err := s.Show(cmd.Context(), s.Tenant, args[0])
				if err != nil {
					return err
				}
				return s.Remember(cmd.Context(), s.Tenant, m.Feed, named)
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
	cmd.Flags().BoolVar(&remember, "remember", false, "decide the same of these names in the feed's next imports")
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
	Field string                `json:"field"`
	Name  string                `json:"name"`
	Row   int64                 `json:"row"`
	Rows  int64                 `json:"rows"`
	Keys  []string              `json:"keys"`
	Near  []importer.Suggestion `json:"near"`
}

const (
	// nearFor is for how many names near ones are looked up.
	nearFor = 50
	// nearEach is how many near names are shown of each.
	nearEach = 3
)

// unmatched lists the names that were not found, the first ones with stored
// records of a near name.
func (s *session) unmatched(cmd *cobra.Command, id string) error {
	ctx, out := cmd.Context(), cmd.OutOrStdout()
	m, err := s.Show(ctx, s.Tenant, id)
	if err != nil {
		return err
	}
	def, err := s.entity(ctx, m.Entity)
	if err != nil {
		return err
	}
	t := newTable(out)
	if !s.JSON {
		t.row("field", "name", "rows", "first row", "")
	}
	bar := s.counter(cmd.ErrOrStderr(), "names")
	defer bar.end()
	n := 0
	err = s.UnmatchedOf(ctx, s.Tenant, id, func(u importer.Unmatched) error {
		bar.add(1)
		j := unmatchedJSON{u.Field, u.Written, u.Row, u.Rows, append([]string{}, u.Many...), []importer.Suggestion{}}
		if n++; n <= nearFor && len(u.Many) == 0 {
			if j.Near, err = s.near(ctx, def, u); err != nil {
				return err
			}
		}
		if s.JSON {
			return encode(out, j)
		}
		t.row(j.Field, j.Name, j.Rows, j.Row, j.note())
		return nil
	})
	if err != nil || s.JSON {
		return err
	}
	return t.flush()
}

// near are stored records of a name near one that was not found.
func (s *session) near(ctx context.Context, def *entity.Definition, u importer.Unmatched) ([]importer.Suggestion, error) {
	near := []importer.Suggestion{}
	_, f := def.Field(u.Field)
	if f == nil || f.Ref == nil {
		return near, nil
	}
	for _, to := range f.Ref.To {
		found, err := s.Suggest(ctx, s.Tenant, to, u.Written, nearEach)
		if err != nil {
			return nil, err
		}
		near = append(near, found...)
	}
	return near, nil
}

// note says what a person may want to know of a name.
func (j *unmatchedJSON) note() string {
	if len(j.Keys) > 0 {
		return "several records: " + strings.Join(j.Keys, ", ")
	}
	parts := make([]string, 0, len(j.Near))
	for _, near := range j.Near {
		parts = append(parts, fmt.Sprintf("%s (%s)", near.Name, near.Key))
	}
	if len(parts) == 0 {
		return ""
	}
	return "near: " + strings.Join(parts, ", ")
}
