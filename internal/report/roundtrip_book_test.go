package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/report"
	"github.com/dropload/dropload/internal/report/columns"
	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/sheet/numfmt"
	"github.com/dropload/dropload/internal/sheet/xlsx"
)

// anyCell is a cell as a workbook's reader gives it.
func anyCell() *rapid.Generator[record.Cell] {
	codes := []string{
		"General", "0", "0000", "0.00", "#,##0", "#,##0.00", "0%", "0.0%", "0.00E+00", `"$"#,##0.00`, `000\-0000`,
		"yyyy-mm-dd", "dd.mm.yyyy", "m/d/yy", "d/m/yyyy", "d-mmm-yy", "yyyy-mm-dd hh:mm", "dd.mm.yyyy hh:mm:ss", "hh:mm", "h:mm AM/PM",
	}
	return rapid.Custom(func(t *rapid.T) record.Cell {
		switch rapid.IntRange(0, 5).Draw(t, "kind") {
		case 0:
			return record.Cell{}
		case 1:
			if rapid.Bool().Draw(t, "bool") {
				return record.Cell{Kind: record.Bool, Text: "TRUE", Number: 1}
			}
			return record.Cell{Kind: record.Bool, Text: "FALSE"}
		case 2:
			return record.Cell{Kind: record.Error, Text: rapid.SampledFrom([]string{"#N/A", "#DIV/0!", "#REF!"}).Draw(t, "error")}
		case 3:
			// From 61 on: the days before 1900-03-01 have two numbers each in Excel.
			n := rapid.OneOf(
				rapid.Map(rapid.IntRange(61, 60000), func(i int) float64 { return float64(i) }),
				rapid.Map(rapid.IntRange(61*24*60, 60000*24*60), func(i int) float64 { return float64(i) / (24 * 60) }),
				rapid.Float64Range(-1e6, 0),
				rapid.Float64Range(61, 1e6),
				rapid.Float64Range(0, 1),
			).Draw(t, "number")
			return numfmt.Parse(rapid.SampledFrom(codes).Draw(t, "format")).Cell(n, false)
		}
		s := rapid.StringN(1, 12, -1).Draw(t, "text")
		return record.Cell{Kind: record.Text, Text: s}
	})
}

// TestBookRoundTrip: whatever the cells, reading a report gives each as it was.
// A moment whose looks are not among those known is shown in full; its value
// and kind are the same.
func TestBookRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(1, 5).Draw(t, "width")
		rows := rapid.SliceOfN(rapid.SliceOfN(anyCell(), 1, width), 1, 6).Draw(t, "rows")
		var b bytes.Buffer
		w, err := report.New(&b, sheet.Layout{Format: sheet.XLSX}, report.Options{Width: width})
		if err != nil {
			t.Fatal(err)
		}
		for i, cells := range rows {
			problems := []record.Problem{problem(rapid.IntRange(-1, width).Draw(t, "column"), "f", "c")}
			if err := w.Row(&record.Row{Number: int64(i + 1), Cells: cells}, problems); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		book, err := xlsx.Open(bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		defer book.Close()
		r, err := book.Open(0)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for i, want := range rows {
			row, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if row.Number != int64(i+1) || len(row.Cells) != width+columns.Count {
				t.Fatalf("row %d has the number %d and %d cells, not %d", i, row.Number, len(row.Cells), width+columns.Count)
			}
			if at := row.Cells[width]; at.Text != fmt.Sprint(i+1) || at.Kind != record.Number {
				t.Fatalf("row %d: number cell %+v", i, at)
			}
			for len(want) < width {
				want = append(want, record.Cell{})
			}
			for j, c := range want {
				got := row.Cells[j]
				if c.Text == "" && c.Kind == record.Text {
					c = record.Cell{}
				}
				if c.Kind >= record.Date && c.Kind <= record.DateTime && math.Abs(c.Number-got.Number) < 1e-9 {
					got.Number = c.Number
				}
				if diff := cmp.Diff(c, got); diff != "" {
					t.Fatalf("row %d, cell %d (-want +got):\n%s", i, j, diff)
				}
			}
		}
		if _, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Fatalf("after the last row: %v", err)
		}
	})
}
