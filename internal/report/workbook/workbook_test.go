package workbook_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/report/workbook"
	"github.com/dropload/dropload/internal/sheet/numfmt"
)

type fataler interface {
	Helper()
	Fatal(...any)
}

// write writes the rows and opens the workbook with another library.
func write(t fataler, o workbook.Options, rows ...[]workbook.Cell) *excelize.File {
	t.Helper()
	var b bytes.Buffer
	w, err := workbook.New(&b, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if err := w.Row(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// read is a cell of the workbook as the product's own readers would see it.
func read(t fataler, f *excelize.File, name string) record.Cell {
	t.Helper()
	sheet := f.GetSheetName(0)
	raw, err := f.GetCellValue(sheet, name, excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	kind, err := f.GetCellType(sheet, name)
	if err != nil {
		t.Fatal(err)
	}
	switch kind {
	case excelize.CellTypeInlineString:
		return record.Cell{Kind: record.Text, Text: raw}
	case excelize.CellTypeError:
		return record.Cell{Kind: record.Error, Text: raw}
	case excelize.CellTypeBool:
		if raw == "1" || raw == "TRUE" {
			return record.Cell{Kind: record.Bool, Text: "TRUE", Number: 1}
		}
		return record.Cell{Kind: record.Bool, Text: "FALSE"}
	}
	if raw == "" {
		return record.Cell{}
	}
	value, err := strconv.ParseFloat(raw, 64)
	if err != nil {
		t.Fatal(err)
	}
	id, err := f.GetCellStyle(sheet, name)
	if err != nil {
		t.Fatal(err)
	}
	style, err := f.GetStyle(id)
	if err != nil {
		t.Fatal(err)
	}
	code := "General"
	if style.CustomNumFmt != nil {
		code = *style.CustomNumFmt
	}
	return numfmt.Parse(code).Cell(value, false)
}

// TestLooks: numbers and dates come back with their value and their looks,
// whatever the number format was that a person chose.
func TestLooks(t *testing.T) {
	t.Parallel()
	values := map[string][]float64{
		"General":               {0, 1, -1, 0.5, 12345678901, 370612345678, 0.1 + 0.2, 1e20, -1.5e-7, 1.0 / 3},
		"0":                     {0, 7, -7, 2.5},
		"00000":                 {12, 123456},
		"0.00":                  {1, 1.005, -3.1},
		"#,##0":                 {1, 1234, 1234567, -1234},
		"#,##0.00":              {1234.5, 0.25},
		"0%":                    {0.5, 1, -0.25},
		"0.0%":                  {0.123},
		`#,##0.00\ "€"`:         {1234.5, -8},
		`"$"#,##0.00`:           {1234.5},
		`"$"0.00;("$"0.00)`:     {-5, 5},
		`0.00E+00`:              {12345, 0.00012},
		`"+"000" "000" "00000`:  {37061234567},
		`000\-00\-0000`:         {12345678},
		`[h]:mm:ss`:             {1.5, 30.25},
		`# ?/?`:                 {0.5, 2.25},
		`yyyy\-mm\-dd`:          {46022, 61, 59, 1},
		`dd\.mm\.yyyy`:          {46022, 45000},
		`d/m/yyyy`:              {46022},
		`m/d/yyyy`:              {46022, 45000},
		`d\-mmm\-yy`:            {46022},
		`yyyy\-mm\-dd\ hh:mm`:   {46022.5, 46022.123},
		`dd\.mm\.yyyy hh:mm:ss`: {46022.75},
		`m/d/yy h:mm AM/PM`:     {46022.9},
		`dd\.mm\.yyyy "am"`:     {46022.75}, // not found again: shown in full
		`hh:mm`:                 {0.5},
		`hh:mm:ss`:              {0.123456},
		`h:mm AM/PM`:            {0.75},
	}
	for code, ns := range values {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			format := numfmt.Parse(code)
			for _, n := range ns {
				want := format.Cell(n, false)
				f := write(t, workbook.Options{}, []workbook.Cell{{Cell: want}})
				got := read(t, f, "A1")
				f.Close()
				if strings.Contains(code, `"am"`) {
					want.Text = "2025-12-31 18:00:00"
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%v (-want +got):\n%s", n, diff)
				}
			}
		})
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	cells := []record.Cell{
		{}, {Kind: record.Text, Text: "a"}, {Kind: record.Text, Text: "007"}, {Kind: record.Text, Text: "=1+1"},
		{Kind: record.Bool, Text: "TRUE", Number: 1}, {Kind: record.Bool, Text: "FALSE"},
		{Kind: record.Error, Text: "#N/A"}, {Kind: record.Error, Text: "#DIV/0!"},
		{Kind: record.Error, Text: "#OURS!"}, {Kind: record.Number, Text: "?", Number: math.NaN()}, {Kind: record.Text},
	}
	want := append([]record.Cell{}, cells...)
	want[8].Kind = record.Text
	want[9] = record.Cell{Kind: record.Text, Text: "?"}
	want[10] = record.Cell{}
	row := make([]workbook.Cell, len(cells))
	for i, c := range cells {
		row[i].Cell = c
	}
	f := write(t, workbook.Options{}, row)
	defer f.Close()
	for i := range want {
		name, err := excelize.CoordinatesToCellName(i+1, 1)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[i], read(t, f, name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if formula, err := f.GetCellFormula(f.GetSheetName(0), name); err != nil || formula != "" {
			t.Errorf("%s: formula %q, %v", name, formula, err)
		}
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	text := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.OneOf(
			rapid.SampledFrom([]string{"_x0041_", "_x", "_", "x0", "\r", "\n", "\t", " ", "<", "&", `"`, "=", "'", "\x00", "\x0b", "\uffff", "]]>"}),
			rapid.String()), 0, 6).Draw(t, "parts"), "")
	})
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(text, 1, 5).Draw(t, "texts")
		row := make([]workbook.Cell, len(texts))
		for i, s := range texts {
			row[i].Cell = record.Cell{Kind: record.Text, Text: s}
		}
		f := write(t, workbook.Options{}, row)
		defer f.Close()
		for i, want := range texts {
			name, err := excelize.CoordinatesToCellName(i+1, 1)
			if err != nil {
				t.Fatal(err)
			}
			if got := read(t, f, name).Text; got != want {
				t.Fatalf("%s = %q, want %q", name, got, want)
			}
		}
	})
}

func TestLimits(t *testing.T) {
	t.Parallel()
	f := write(t, workbook.Options{}, []workbook.Cell{
		{Cell: record.Cell{Kind: record.Text, Text: strings.Repeat("😀", workbook.MaxText)}},
		{Cell: record.Cell{Kind: record.Text, Text: strings.Repeat("é", workbook.MaxText)}},
	})
	defer f.Close()
	for name, want := range map[string]int{"A1": workbook.MaxText / 2, "B1": workbook.MaxText} {
		if got := utf8.RuneCountInString(read(t, f, name).Text); got != want {
			t.Errorf("%s has %d characters, want %d", name, got, want)
		}
	}
	w, err := workbook.New(&bytes.Buffer{}, workbook.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Row(make([]workbook.Cell, workbook.MaxColumns+1)); !errors.Is(err, workbook.ErrFull) {
		t.Errorf("a row too wide: %v, want ErrFull", err)
	}
	for range workbook.MaxRows {
		if err := w.Row(nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Row(nil); !errors.Is(err, workbook.ErrFull) {
		t.Errorf("a row too many: %v, want ErrFull", err)
	}
}

func TestNotesAreBounded(t *testing.T) {
	t.Parallel()
	rows := make([][]workbook.Cell, workbook.MaxNotes+5)
	for i := range rows {
		rows[i] = []workbook.Cell{{Cell: record.Cell{Kind: record.Text, Text: "x"}, Look: workbook.Marked, Note: fmt.Sprint("note ", i)}}
	}
	f := write(t, workbook.Options{}, rows...)
	defer f.Close()
	notes, err := f.GetComments(f.GetSheetName(0))
	if err != nil {
		t.Fatal(err)
	}
	if len(notes) != workbook.MaxNotes {
		t.Errorf("%d notes, want %d", len(notes), workbook.MaxNotes)
	}
}

func TestSheetNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"":                      "Sheet1",
		"Kunden":                "Kunden",
		"a/b[1]:*?\\":           "ab1",
		"'quoted'":              "quoted",
		"<&>":                   "<&>",
		strings.Repeat("x", 40): strings.Repeat("x", 31),
		strings.Repeat("😀", 20): strings.Repeat("😀", 15),
	} {
		f := write(t, workbook.Options{Name: name})
		if got := f.GetSheetName(0); got != want {
			t.Errorf("sheet %q is called %q, want %q", name, got, want)
		}
		f.Close()
	}
}
