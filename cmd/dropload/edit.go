package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dropload/dropload/internal/importer"
)

// newEdit is `dropload edit`.
func newEdit(open opener) *cobra.Command {
	var (
		flags     stackFlags
		f         editFlags
		withWatch bool
	)
	cmd := &cobra.Command{
		Use:   "edit ID",
		Short: "Change cells, or take rows out, of an import that waits",
		Long: `Change cells of an import that waits for its decisions or its start, take rows
out, or take rows in that a filter or a decision left out. Rows have the numbers
that a spreadsheet program shows. The file stays as it is; the import is planned
anew. What is given replaces the edits given before.`,
		Example: `  dropload edit ID --cell "12:E-Mail=anna@example.com" --leave-out 17 --watch`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(f.cells)+len(f.out)+len(f.in) == 0 {
				return usageError{"say what to change: --cell ROW:HEADER=VALUE, --leave-out ROW or --take-in ROW"}
			}
			s, err := open(cmd.Context(), &flags)
			if err != nil {
				return err
			}
			m, err := s.Show(cmd.Context(), s.Tenant, args[0])
			if err != nil {
				return err
			}
			overlay, err := f.overlay(m)
			if err != nil {
				return err
			}
			return s.answer(cmd, m.ID, withWatch, func() error { return s.Edit(cmd.Context(), s.Tenant, m.ID, overlay) })
		},
	}
	flags.add(cmd)
	cmd.Flags().StringArrayVar(&f.cells, "cell", nil, "ROW:HEADER=VALUE; may be repeated")
	cmd.Flags().Int64SliceVar(&f.out, "leave-out", nil, "rows not to import")
	cmd.Flags().Int64SliceVar(&f.in, "take-in", nil, "rows to import that a filter or a decision left out")
	cmd.Flags().BoolVar(&withWatch, "watch", false, "wait for the end and show it")
	return cmd
}

// editFlags are a person's edits on the command line.
type editFlags struct {
	cells   []string
	out, in []int64
}

func (f *editFlags) overlay(m *importer.Import) (importer.Overlay, error) {
	o := importer.Overlay{Out: f.out, In: f.in, Edits: map[int64]map[int]string{}}
	first := m.Layout.DataFrom()
	for _, row := range append(append([]int64{}, f.out...), f.in...) {
		if row < first {
			return o, usageError{fmt.Sprintf("row %d is above the data, which begin in row %d", row, first)}
		}
	}
	for _, cell := range f.cells {
		number, rest, ok := strings.Cut(cell, ":")
		row, err := strconv.ParseInt(number, 10, 64)
		if !ok || err != nil || !strings.Contains(rest, "=") {
			return o, usageError{fmt.Sprintf("--cell is %q; write it as ROW:HEADER=VALUE", cell)}
		}
		if row < first {
			return o, usageError{fmt.Sprintf("row %d is above the data, which begin in row %d", row, first)}
		}
		column, value := splitCell(m.Layout.Columns, rest)
		if column < 0 {
			return o, usageError{fmt.Sprintf("the file has no column %q; it has %s", rest, strings.Join(quoted(m.Layout.Columns), ", "))}
		}
		if o.Edits[row] == nil {
			o.Edits[row] = map[int]string{}
		}
		o.Edits[row][column] = value
	}
	return o, nil
}

// splitCell splits HEADER=VALUE at the first equals sign that has a header
// before it; -1 is no column.
func splitCell(headers []string, text string) (column int, value string) {
	for at, c := range text {
		if c != '=' {
			continue
		}
		if n := findHeader(headers, text[:at]); n >= 0 {
			return n, text[at+1:]
		}
	}
	return -1, ""
}
