package report_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/report"
	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/sniff/charset"
)

// line is one row to report.
type line struct {
	number   int64
	cells    []record.Cell
	problems []record.Problem
}

func texts(ss ...string) []record.Cell {
	cells := make([]record.Cell, len(ss))
	for i, s := range ss {
		if s != "" {
			cells[i] = record.Cell{Kind: record.Text, Text: s}
		}
	}
	return cells
}

func problem(column int, field, code string) record.Problem {
	return record.Problem{Code: code, Column: column, Field: field}
}

// write writes a report and returns its bytes.
func write(t testing.TB, l sheet.Layout, o report.Options, lines ...line) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := report.New(&b, l, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		if err := w.Row(&record.Row{Number: l.number, Cells: l.cells}, l.problems); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestText(t *testing.T) {
	t.Parallel()
	header := [][]record.Cell{texts("code", "name")}
	reason := func(p record.Problem) string { return "wrong: " + p.Code }
	tests := map[string]struct {
		layout  sheet.Layout
		options report.Options
		lines   []line
		want    string
	}{
		"one problem": {
			layout:  sheet.Layout{Delimiter: ",", Quote: `"`, Newline: "\n"},
			options: report.Options{Header: header, Text: reason},
			lines:   []line{{7, texts("a", "b"), []record.Problem{problem(1, "email", "email_invalid")}}},
			want: "code,name,Row number in file,Field with problem,Problem code,Reason\n" +
				"a,b,7,email,email_invalid,wrong: email_invalid\n",
		},
		"several problems in their order": {
			layout:  sheet.Layout{Delimiter: ";", Quote: `"`, Newline: "\r\n"},
			options: report.Options{Header: header, Text: reason, Language: "de"},
			lines: []line{{7, texts("a", "b"), []record.Problem{
				problem(0, "email", "x"), problem(-1, "", "y"), problem(1, "", "z"),
			}}},
			want: "code;name;Zeilennummer in der Datei;Feld mit Problem;Problemcode;Grund\r\n" +
				"a;b;7;\"email; ; name\";\"x; y; z\";\"wrong: x; wrong: y; wrong: z\"\r\n",
		},
		"short rows are padded, long ones have room": {
			layout:  sheet.Layout{Delimiter: ",", Quote: `"`, Newline: "\n"},
			options: report.Options{Header: header, Width: 3},
			lines:   []line{{2, texts("a"), nil}, {3, texts("a", "b", "c"), nil}, {4, texts("a", "b", "", ""), nil}},
			want: "code,name,,Row number in file,Field with problem,Problem code,Reason\n" +
				"a,,,2,,,\na,b,c,3,,,\na,b,,4,,,\n",
		},
		"no header": {
			layout:  sheet.Layout{Delimiter: "\t", Quote: `"`, Newline: "\n", Columns: []string{"A", "B"}},
			options: report.Options{Width: 2},
			lines:   []line{{1, texts("a", "b"), []record.Problem{problem(1, "", "z")}}},
			want:    "a\tb\t1\t\tz\tz\n",
		},
		"two header rows": {
			layout:  sheet.Layout{Delimiter: ",", Quote: `"`, Newline: "\n"},
			options: report.Options{Header: [][]record.Cell{texts("who"), texts("code", "name")}},
			lines:   []line{{3, texts("a", "b"), nil}},
			want: "who,,,,,\ncode,name,Row number in file,Field with problem,Problem code,Reason\n" +
				"a,b,3,,,\n",
		},
		"an earlier report's columns are replaced": {
			layout: sheet.Layout{Delimiter: ",", Quote: `"`, Newline: "\n"},
			options: report.Options{
				Header: [][]record.Cell{texts("code", "name", "Row number in file", "Problem code", "Reason", "")}, Width: 6,
			},
			lines: []line{
				{2, texts("a", "b", "9", "x", "old"), []record.Problem{problem(1, "name", "y")}},
				{3, texts("a", "b", "9", "x", "old", "a remark"), nil},
			},
			want: "code,name,,Row number in file,Field with problem,Problem code,Reason\n" +
				"a,b,,2,name,y,y\na,b,a remark,3,,,\n",
		},
		"what needs quotes": {
			layout:  sheet.Layout{Delimiter: ",", Quote: `"`, Newline: "\n"},
			options: report.Options{Header: header},
			lines:   []line{{2, texts("a,b", "5\" nail"), nil}, {3, texts(" a", "x\r\ny"), nil}},
			want: "code,name,Row number in file,Field with problem,Problem code,Reason\n" +
				"\"a,b\",\"5\"\" nail\",2,,,\n\" a\",\"x\r\ny\",3,,,\n",
		},
		"escapes": {
			layout:  sheet.Layout{Delimiter: ",", Quote: `"`, Escape: `\`, Newline: "\n"},
			options: report.Options{Width: 2},
			lines:   []line{{2, texts(`a"b`, `c\d`), nil}},
			want:    `"a\"b","c\\d",2,,,` + "\n",
		},
		"escapes without quotes": {
			layout:  sheet.Layout{Delimiter: "|", Escape: `\`, Newline: "\n"},
			options: report.Options{Width: 2},
			lines:   []line{{2, texts(`a|b`, "c\nd"), nil}},
			want:    "a\\|b|c d|2|||\n",
		},
		"one column, nothing known": {
			options: report.Options{Header: [][]record.Cell{texts("email")}},
			lines:   []line{{2, texts("a, b"), nil}},
			want:    "email,Row number in file,Field with problem,Problem code,Reason\r\n\"a, b\",2,,,\r\n",
		},
		"what could run is harmless": {
			layout:  sheet.Layout{Delimiter: ",", Quote: `"`, Newline: "\n"},
			options: report.Options{Width: 4, Text: func(record.Problem) string { return "=bad" }},
			lines: []line{
				{2, texts("=1+1", "+37061234567", "-5", "@x"), []record.Problem{problem(0, "", "c")}},
				{3, texts("''=1", "'plain", "'=1", "\tx"), nil},
			},
			want: "'=1+1,+37061234567,-5,'@x,2,,c,'=bad\n''=1,'plain,'=1,'\tx,3,,,\n",
		},
		"byte order mark": {
			layout:  sheet.Layout{Delimiter: ",", Quote: `"`, Newline: "\n", Encoding: "utf-8"},
			options: report.Options{BOM: true, Width: 1},
			lines:   []line{{1, texts("ä"), nil}},
			want:    "\ufeffä,1,,,\n",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.layout.Format = sheet.CSV
			got := string(write(t, test.layout, test.options, test.lines...))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("report (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	layout := func(encoding string) sheet.Layout {
		return sheet.Layout{Format: sheet.CSV, Encoding: encoding, Delimiter: ",", Quote: `"`, Newline: "\n"}
	}
	reason := func(record.Problem) string { return "Trūksta „ąžuolas“ – 日" }
	problems := []record.Problem{problem(0, "", "c")}
	tests := map[string]struct {
		encoding, cell, want string
		bom                  bool
	}{
		"the reason loses accents":             {"windows-1252", "Müller €", "Müller €,1,,c,Truksta „ažuolas“ – ?\n", false},
		"and marks":                            {"iso-8859-1", "Müller", "Müller,1,,c,\"Truksta \"\"azuolas\"\" - ?\"\n", false},
		"nothing is lost":                      {"windows-1257", "ąžuolas", "ąžuolas,1,,c,Trūksta „ąžuolas“ – ?\n", false},
		"Japanese":                             {"shift_jis", "日本", "日本,1,,c,\"Truksta \"\"azuolas“ - 日\"\n", false},
		"UTF-16":                               {"utf-16le", "日本", "\ufeff日本,1,,c,Trūksta „ąžuolas“ – 日\n", true},
		"bytes that said nothing":              {"windows-1252", "a\ufffdb", "a?b,1,,c,Truksta „ažuolas“ – ?\n", false},
		"no mark where there is none to write": {"windows-1252", "ä", "ä,1,,c,Truksta „ažuolas“ – ?\n", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := write(t, layout(test.encoding), report.Options{Width: 1, BOM: test.bom, Text: reason},
				line{1, texts(test.cell), problems})
			var want bytes.Buffer
			e, err := charset.NewEncoder(test.encoding, &want)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := e.Write([]byte(test.want)); err != nil {
				t.Fatal(err)
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.String(), string(got)); diff != "" {
				t.Errorf("report (-want +got):\n%s", diff)
			}
		})
	}

	t.Run("an edited cell", func(t *testing.T) {
		t.Parallel()
		row := &record.Row{Number: 1, Cells: texts("日本")}
		w, err := report.New(&bytes.Buffer{}, layout("windows-1252"), report.Options{Width: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Row(row, nil); !errors.Is(err, report.ErrEncoding) {
			t.Errorf("Row = %v, want ErrEncoding", err)
		}
		got := write(t, layout("windows-1252"), report.Options{Width: 1, Unicode: true}, line{1, row.Cells, nil})
		if want := "\ufeff日本,1,,,\n"; string(got) != want {
			t.Errorf("in Unicode: %q, want %q", got, want)
		}
	})
}

func TestTooLong(t *testing.T) {
	t.Parallel()
	for _, format := range []sheet.Format{sheet.CSV, sheet.XLSX} {
		w, err := report.New(&bytes.Buffer{}, sheet.Layout{Format: format}, report.Options{Width: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Row(&record.Row{Number: 1, Cells: texts("a", "b")}, nil); !errors.Is(err, report.ErrWidth) {
			t.Errorf("%s: Row = %v, want ErrWidth", format, err)
		}
	}
}

func TestBook(t *testing.T) {
	t.Parallel()
	layout := sheet.Layout{Format: sheet.XLS, SheetName: "Kunden [2026]"}
	options := report.Options{
		Header: [][]record.Cell{texts("code", "born", "amount")}, Width: 4,
		Text: func(p record.Problem) string { return "wrong " + p.Code },
	}
	got := write(t, layout, options,
		line{5, []record.Cell{
			{Kind: record.Text, Text: "007"},
			{Kind: record.Date, Text: "31.12.2025", Number: 46022},
			{Kind: record.Number, Text: "00012", Number: 12},
			{Kind: record.Bool, Text: "TRUE", Number: 1},
		}, []record.Problem{problem(1, "birthday", "date_future"), problem(0, "code", "odd")}},
		line{9, texts("=1+1", "'=1"), nil})

	f, err := excelize.OpenReader(bytes.NewReader(got))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	name := f.GetSheetName(0)
	if want := "Kunden 2026"; name != want {
		t.Errorf("sheet %q, want %q", name, want)
	}
	rows, err := f.GetRows(name)
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"code", "born", "amount", "", "Row number in file", "Field with problem", "Problem code", "Reason"},
		{"007", "31.12.2025", "00012", "TRUE", "5", "birthday; code", "date_future; odd", "wrong date_future; wrong odd"},
		{"=1+1", "'=1", "", "", "9"},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	for cell, want := range map[string]excelize.CellType{
		"A2": excelize.CellTypeInlineString, "B2": excelize.CellTypeUnset, "C2": excelize.CellTypeUnset, "D2": excelize.CellTypeBool,
		"A3": excelize.CellTypeInlineString, "E2": excelize.CellTypeUnset,
	} {
		if got, err := f.GetCellType(name, cell); err != nil || got != want {
			t.Errorf("type of %s = %v, %v, want %v", cell, got, err, want)
		}
	}
	if formula, err := f.GetCellFormula(name, "A3"); err != nil || formula != "" {
		t.Errorf("formula of A3 = %q, %v", formula, err)
	}
	solid := func(cell string) bool {
		id, err := f.GetCellStyle(name, cell)
		if err != nil {
			t.Fatal(err)
		}
		style, err := f.GetStyle(id)
		if err != nil {
			t.Fatal(err)
		}
		return style.Fill.Pattern == 1
	}
	if !solid("A2") || !solid("B2") || solid("C2") {
		t.Errorf("marked A2, B2, C2: %v, %v, %v; want the first two", solid("A2"), solid("B2"), solid("C2"))
	}
	notes, err := f.GetComments(name)
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for _, n := range notes {
		for _, part := range n.Paragraph {
			said[n.Cell] += part.Text
		}
	}
	if diff := cmp.Diff(map[string]string{"A2": "wrong odd", "B2": "wrong date_future"}, said); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	panes, err := f.GetPanes(name)
	if err != nil || !panes.Freeze || panes.YSplit != 1 {
		t.Errorf("panes = %+v, %v; want the header frozen", panes, err)
	}
}

// TestLastColumn: a stray cell in the last column of a sheet leaves no room for
// the added columns, but the report is written as long as the rows have none.
func TestLastColumn(t *testing.T) {
	t.Parallel()
	l, o := sheet.Layout{Format: sheet.XLSX}, report.Options{Width: 16384}
	write(t, l, o, line{1, texts("a", "b"), nil})
	w, err := report.New(&bytes.Buffer{}, l, o)
	if err != nil {
		t.Fatal(err)
	}
	wide := texts(make([]string, 16384)...)
	wide[16383] = record.Cell{Kind: record.Text, Text: "stray"}
	if err := w.Row(&record.Row{Number: 1, Cells: wide}, nil); !errors.Is(err, report.ErrWidth) {
		t.Errorf("Row = %v, want ErrWidth", err)
	}
}

// TestIgnoredBook: nothing is wrong with the cells of an ignored row.
func TestIgnoredBook(t *testing.T) {
	t.Parallel()
	got := write(t, sheet.Layout{Format: sheet.XLSX}, report.Options{Kind: report.Ignored, Width: 1},
		line{1, texts("a"), []record.Problem{problem(0, "company", "reference_ignored")}})
	f, err := excelize.OpenReader(bytes.NewReader(got))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows("Sheet1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]string{{"a", "1", "company", "reference_ignored", "reference_ignored"}}, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if notes, err := f.GetComments("Sheet1"); err != nil || len(notes) > 0 {
		t.Errorf("notes %+v, %v; want none", notes, err)
	}
}

func TestName(t *testing.T) {
	t.Parallel()
	tests := []struct {
		kind       report.Kind
		original   string
		layout     sheet.Layout
		name, kept string
	}{
		{report.Failures, "contacts.csv", sheet.Layout{Format: sheet.CSV, Encoding: "windows-1252"}, "contacts.rejected.csv", "text/csv; charset=windows-1252"},
		{report.Ignored, "inbox/t/f/contacts.TSV", sheet.Layout{Format: sheet.CSV, Delimiter: "\t"}, "contacts.ignored.TSV", "text/tab-separated-values; charset=utf-8"},
		{report.Failures, "contacts.csv.gz", sheet.Layout{Format: sheet.CSV, Compression: []string{"gzip"}}, "contacts.rejected.csv", "text/csv; charset=utf-8"},
		{report.Failures, "contacts.zip", sheet.Layout{Format: sheet.CSV, Compression: []string{"zip"}}, "contacts.rejected.csv", "text/csv; charset=utf-8"},
		{report.Failures, `C:\data\Kunden.xls`, sheet.Layout{Format: sheet.XLS}, "Kunden.rejected.xlsx", report.ContentTypeXLSX},
		{report.Failures, "export.xls", sheet.Layout{Format: sheet.CSV}, "export.rejected.csv", "text/csv; charset=utf-8"},
		{report.Failures, "List 1. May", sheet.Layout{Format: sheet.XLSX}, "List 1. May.rejected.xlsx", report.ContentTypeXLSX},
		{report.Failures, "", sheet.Layout{Format: sheet.CSV}, "import.rejected.csv", "text/csv; charset=utf-8"},
	}
	for _, test := range tests {
		name, kept := report.Name(test.kind, test.original, &test.layout)
		if name != test.name || kept != test.kept {
			t.Errorf("Name(%q) = %q, %q, want %q, %q", test.original, name, kept, test.name, test.kept)
		}
	}
}
