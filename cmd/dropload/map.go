package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/mapping"
)

// newMap is `dropload map`.
func newMap(open opener) *cobra.Command {
	var (
		flags     stackFlags
		f         mapFlags
		withWatch bool
	)
	cmd := &cobra.Command{
		Use:   "map ID",
		Short: "Say which column feeds which field",
		Long: `Say which column of an import's file feeds which field. Without a mapping the
columns are listed with what is proposed for them and why. A mapping is given by
columns, taken from the proposals that are sure enough (--auto), or both: single
columns then come before the proposals.`,
		Example: `  dropload map ID
  dropload map ID --auto --column "Tel. privat=phone" --watch
  dropload map ID --column "Name=full_name" --column "Mail=email" --constant language=de --save crm-export`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			s, err := open(cmd.Context(), &flags)
			if err != nil {
				return err
			}
			m, err := s.Show(cmd.Context(), s.Tenant, args[0])
			if err != nil {
				return err
			}
			found, err := s.Inspection(cmd.Context(), s.Tenant, m.ID)
			if err != nil {
				return err
			}
			if f.none() {
				return s.columns(cmd, m, found)
			}
			def, err := s.entity(cmd.Context(), m.Entity)
			if err != nil {
				return err
			}
			t, err := f.template(def, m, found)
			if err != nil {
				return err
			}
			return s.answer(cmd, m.ID, withWatch, func() error {
				if err := s.Map(cmd.Context(), s.Tenant, m.ID, importer.Mapping{Template: t}); err != nil || f.save == "" {
					return err
				}
				t, err := s.SaveTemplate(cmd.Context(), s.Tenant, t)
				if err == nil && !s.JSON {
					fmt.Fprintf(cmd.ErrOrStderr(), "saved as the template %s, version %d\n", t.ID, t.Version)
				}
				return err
			})
		},
	}
	flags.add(cmd)
	cmd.Flags().StringArrayVar(&f.columns, "column", nil, "HEADER=FIELD, or HEADER= to leave the column out; may be repeated")
	cmd.Flags().StringArrayVar(&f.constants, "constant", nil, "FIELD=VALUE for every row; may be repeated")
	cmd.Flags().BoolVar(&f.auto, "auto", false, "take what is proposed and sure enough")
	cmd.Flags().StringVar(&f.file, "file", "", "a template as JSON: its columns and options")
	cmd.Flags().StringVar(&f.save, "save", "", "save the mapping as a template of this NAME")
	cmd.Flags().BoolVar(&withWatch, "watch", false, "wait for the end and show it")
	return cmd
}

// mapFlags are a mapping on the command line.
type mapFlags struct {
	columns, constants []string
	auto               bool
	file, save         string
}

func (f *mapFlags) none() bool {
	return len(f.columns)+len(f.constants) == 0 && !f.auto && f.file == ""
}

func (f *mapFlags) check() error {
	for _, c := range f.columns {
		if !strings.Contains(c, "=") {
			return usageError{fmt.Sprintf("--column is %q; write it as HEADER=FIELD", c)}
		}
	}
	for _, c := range f.constants {
		if field, value, ok := strings.Cut(c, "="); !ok || field == "" || value == "" {
			return usageError{fmt.Sprintf("--constant is %q; write it as FIELD=VALUE", c)}
		}
	}
	switch {
	case f.file != "" && (f.auto || len(f.columns)+len(f.constants) > 0):
		return usageError{"--file is a whole mapping; it goes without --auto, --column and --constant"}
	case f.save != "" && f.none():
		return usageError{"--save saves a mapping: say which, with --column, --auto or --file"}
	case f.save != "" && slug(f.save) == "":
		return usageError{fmt.Sprintf("--save is %q; a name has letters or digits", f.save)}
	}
	return nil
}

// template is the mapping that the flags mean for a file.
func (f *mapFlags) template(def *entity.Definition, m *importer.Import, found *importer.Inspection) (mapping.Template, error) {
	t := mapping.Template{Entity: m.Entity, Options: m.Options}
	if f.file != "" {
		data, err := os.ReadFile(f.file)
		if err != nil {
			return t, err
		}
		if err := json.Unmarshal(data, &t); err != nil {
			return t, fmt.Errorf("%s is not a template as JSON: %w", f.file, err)
		}
	} else {
		columns, err := f.columnsOf(def, found)
		if err != nil {
			return t, err
		}
		t.Columns = columns
		t.Fingerprint = mapping.Fingerprint(found.Layout.Columns)
	}
	t.ID, t.Name = "", ""
	if f.save != "" {
		t.ID, t.Name = slug(f.save), f.save
	}
	return t, nil
}

// columnsOf are the columns that the flags and the proposals map.
func (f *mapFlags) columnsOf(def *entity.Definition, found *importer.Inspection) ([]mapping.Column, error) {
	headers := found.Layout.Columns
	fields := make([][]string, len(headers)) // by column
	said := map[string]bool{}                // the fields that a person named
	mentioned := make([]bool, len(headers))
	for _, c := range f.columns {
		at := strings.LastIndex(c, "=")
		header, field := strings.TrimSpace(c[:at]), strings.TrimSpace(c[at+1:])
		n := findHeader(headers, header)
		if n < 0 {
			return nil, usageError{fmt.Sprintf("the file has no column %q; it has %s", header, strings.Join(quoted(headers), ", "))}
		}
		if err := knownField(def, field); err != nil {
			return nil, err
		}
		mentioned[n] = true
		if field != "" {
			fields[n], said[field] = append(fields[n], field), true
		}
	}
	if f.auto {
		for _, p := range found.Proposals {
			if p.Field != "" && p.Confidence >= mapping.Automatic && !mentioned[p.Column] && !said[p.Field] {
				fields[p.Column] = []string{p.Field}
			}
		}
	}
	var columns []mapping.Column
	for n, header := range headers {
		if len(fields[n]) == 0 {
			columns = append(columns, mapping.Column{Header: header, Index: n})
		}
		for _, field := range fields[n] {
			columns = append(columns, mapping.Column{Header: header, Index: n, Field: field})
		}
	}
	for _, c := range f.constants {
		field, value, _ := strings.Cut(c, "=")
		if err := knownField(def, field); err != nil {
			return nil, err
		}
		columns = append(columns, mapping.Column{Field: field, Constant: value})
	}
	return columns, nil
}

// findHeader is the column of a name: as it is written, else whatever its
// letter case, accents and spaces; -1 where there is none.
func findHeader(headers []string, name string) int {
	for i, h := range headers {
		if strings.TrimSpace(h) == name {
			return i
		}
	}
	for i, h := range headers {
		if entity.FoldName(h) == entity.FoldName(name) {
			return i
		}
	}
	return -1
}

// knownField refuses what is no field, split or part of an address of an
// entity; "" is none on purpose.
func knownField(def *entity.Definition, path string) error {
	name, part, dotted := strings.Cut(path, ".")
	_, field := def.Field(name)
	if _, split := def.Split(path); path == "" || split || field != nil && !dotted {
		return nil
	}
	if field != nil && field.Type == entity.Address && part != "" {
		return nil // the mapping says which parts there are
	}
	var names []string
	for i := range def.Fields {
		names = append(names, def.Fields[i].Name)
	}
	for _, s := range def.Splits {
		names = append(names, s.Name)
	}
	return usageError{fmt.Sprintf("%s have no field %q; they have %s", def.Name, path, strings.Join(names, ", "))}
}

func quoted(names []string) []string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = fmt.Sprintf("%q", n)
	}
	return q
}

// slug is a name as the id of a template: a-z, 0-9 and single hyphens.
func slug(name string) string {
	words := strings.FieldsFunc(entity.FoldName(name), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	id := strings.Join(words, "-")
	return strings.Trim(id[:min(len(id), 60)], "-")
}

// columnJSON is a column as `map --json` prints it.
type columnJSON struct {
	Column     int     `json:"column"` // from 0
	Name       string  `json:"name"`
	Field      *string `json:"field"`
	Confidence float64 `json:"confidence"`
	Reason     string  `json:"reason"`
	Example    string  `json:"example"`
}

// columns lists the columns of an import's file with what is proposed.
func (s *session) columns(cmd *cobra.Command, m *importer.Import, found *importer.Inspection) error {
	list := make([]columnJSON, 0, len(found.Layout.Columns))
	for n, name := range found.Layout.Columns {
		c := columnJSON{Column: n, Name: name}
		for _, p := range found.Proposals {
			if p.Column == n {
				c.Field, c.Confidence, c.Reason = orNull(p.Field), p.Confidence, p.Reason
			}
		}
		for _, row := range found.Sample {
			if n < len(row) && strings.TrimSpace(row[n]) != "" {
				c.Example = row[n]
				break
			}
		}
		list = append(list, c)
	}
	out := cmd.OutOrStdout()
	if s.JSON {
		return printJSON(out, map[string]any{"id": m.ID, "entity": m.Entity, "automatic": mapping.Automatic, "columns": list})
	}
	t := newTable(out)
	t.row("column", "field", "sure", "example", "why")
	for _, c := range list {
		field, sure := "-", ""
		if c.Field != nil {
			field, sure = *c.Field, fmt.Sprintf("%.0f %%", 100*c.Confidence)
		}
		t.row(c.Name, field, sure, short(strings.Join(strings.Fields(c.Example), " ")), c.Reason)
	}
	if err := t.flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\nTake what is at least %.0f %% sure: dropload map %s --auto; change single columns: --column 'HEADER=FIELD'\n",
		100*mapping.Automatic, m.ID)
	return err
}
