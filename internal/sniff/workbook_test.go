package sniff

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/sheet"
)

// workbook has a cover, a hidden table, a table with a title above and a total
// below, and another table.
func workbook(t testing.TB) []byte {
	t.Helper()
	f := excelize.NewFile()
	set := func(name string, rows ...[]any) {
		if _, err := f.NewSheet(name); err != nil {
			t.Fatal(err)
		}
		for i, row := range rows {
			at, err := excelize.CoordinatesToCellName(1, i+1)
			if err != nil {
				t.Fatal(err)
			}
			if err := f.SetSheetRow(name, at, &row); err != nil {
				t.Fatal(err)
			}
		}
	}
	set("Sheet1", []any{"Price list"})
	set("Old", []any{"id", "n"}, []any{1, 2}, []any{3, 4})
	set("Prices", []any{"Prices of 2024"}, nil, []any{"Code", "Article", "Price"},
		[]any{"A-1", "Cup", 2.5}, []any{"A-2", "Mug", 3.5}, []any{"A-3", "Jar", 4.5}, []any{"Total", nil, 10.5})
	set("Shops", []any{"city", "since"}, []any{"Oslo", 2019}, []any{"Rome", 2020})
	if err := f.SetSheetVisible("Old", false); err != nil {
		t.Fatal(err)
	}
	b, err := f.WriteToBuffer()
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWorkbook(t *testing.T) {
	t.Parallel()
	book := workbook(t)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(book); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	prices := sheet.Layout{
		Format: sheet.XLSX, Sheet: 2, SheetName: "Prices", Preamble: 2, HeaderRows: 1, FooterRows: 1,
		Columns: []string{"Code", "Article", "Price"},
	}
	inGzip := prices
	inGzip.Compression = []string{"gzip"}
	shops := sheet.Layout{Format: sheet.XLSX, Sheet: 3, SheetName: "Shops", HeaderRows: 1, Columns: []string{"city", "since"}}
	hidden := sheet.Layout{Format: sheet.XLSX, Sheet: 1, SheetName: "Old", HeaderRows: 1, Columns: []string{"id", "n"}}
	name, one := "shops", 1
	for what, c := range map[string]struct {
		in   []byte
		over Override
		want sheet.Layout
	}{
		"the first visible table": {book, Override{}, prices},
		"wrapped":                 {packed.Bytes(), Override{}, inGzip},
		"by name":                 {book, Override{SheetName: &name}, shops},
		"by number":               {book, Override{Sheet: &one}, hidden},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			r, err := Inspect(bytes.NewReader(c.in), "a.csv", c.over)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, r.Layout); diff != "" {
				t.Error(diff)
			}
			if len(r.Sheets) != 4 || !r.Sheets[1].Hidden || r.Sheets[2].Name != "Prices" {
				t.Errorf("sheets %+v", r.Sheets)
			}
		})
	}
}

// The footer of a sheet that is longer than what the table is looked for in is
// found at its end; of a very long one it is not looked for.
func TestLongSheet(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ rows, footer int }{{100, 2}, {tableRows + 500, 2}, {60_000, 0}} {
		var b bytes.Buffer
		b.WriteString("<table><tr><td>id</td><td>name</td><td>n</td></tr>")
		for i := range c.rows {
			fmt.Fprintf(&b, "<tr><td>%d</td><td>Ann</td><td>%d</td></tr>", i, i)
		}
		b.WriteString("<tr></tr><tr><td>Source: till 3</td></tr></table>")
		r, err := Inspect(bytes.NewReader(b.Bytes()), "", Override{})
		if err != nil {
			t.Fatal(err)
		}
		if l := r.Layout; l.FooterRows != c.footer || l.HeaderRows != 1 || len(l.Columns) != 3 {
			t.Errorf("%d rows: %+v", c.rows, l)
		}
	}
}

func TestWorkbookHasNoSuchSheet(t *testing.T) {
	t.Parallel()
	name, nine := "Nowhere", 9
	for _, o := range []Override{{SheetName: &name}, {Sheet: &nine}} {
		_, err := Inspect(bytes.NewReader(workbook(t)), "", o)
		var refused *fault.Refused
		if !errors.As(err, &refused) || refused.Code != "no_such_sheet" {
			t.Errorf("got %v", err)
		}
	}
}

func TestArchives(t *testing.T) {
	t.Parallel()
	book := workbook(t)
	for _, c := range []struct {
		name string
		in   []byte
		code string
	}{
		{"cut.xlsx", book[:len(book)/2], "corrupt"},
		{"a.ods", zipped(t, "mimetype", "content.xml"), "unsupported"},
		{"a.xlsb", zipped(t, "[Content_Types].xml", "xl/workbook.bin"), "unsupported"},
		{"a.docx", zipped(t, "[Content_Types].xml", "word/document.xml"), "unknown-format"},
		{"a.xlsx", zipped(t, "readme.txt"), "corrupt"},
		{"a.zip", zipped(t, "a.csv", "b.csv"), "unsupported"},
	} {
		_, err := Inspect(bytes.NewReader(c.in), c.name, Override{})
		var bad *fault.BadFile
		if !errors.As(err, &bad) || bad.Code != c.code {
			t.Errorf("%s: got %v, want %s", c.name, err, c.code)
		}
	}
	r, err := Inspect(bytes.NewReader(zipped(t, "a.csv")), "a.zip", Override{})
	if err != nil {
		t.Fatal(err)
	}
	want := sheet.Layout{
		Format: sheet.CSV, Compression: []string{"zip"}, Encoding: "utf-8", Delimiter: ",", Quote: `"`, Newline: "\n",
		HeaderRows: 1, Columns: []string{"id", "name"},
	}
	if diff := cmp.Diff(want, r.Layout); diff != "" {
		t.Error(diff)
	}
}

// zipped is an archive of those files, each a small table.
func zipped(t testing.TB, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, "id,name\n1,Ann\n2,Bob\n"); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
