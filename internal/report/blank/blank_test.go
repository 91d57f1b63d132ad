package blank_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/mapping"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/report/blank"
	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/sheet/csv"
	"github.com/dropload/dropload/internal/sheet/xlsx"
)

var update = flag.Bool("update", false, "write the golden files")

func catalog(t *testing.T) *entity.Catalog {
	t.Helper()
	c, err := entity.Standard()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// each runs a test for every entity, language and format.
func each(t *testing.T, f func(t *testing.T, c *entity.Catalog, def *entity.Definition, lang string, l sheet.Layout)) {
	t.Helper()
	c := catalog(t)
	for _, def := range c.Entities() {
		for _, lang := range append(entity.Languages(), "ja") {
			for _, l := range []sheet.Layout{
				{Format: sheet.CSV, Encoding: "utf-8", Delimiter: map[bool]string{true: ",", false: ";"}[lang == "en"], Quote: `"`, HeaderRows: 1},
				{Format: sheet.XLSX, HeaderRows: 1},
			} {
				t.Run(def.Name+" "+lang+" "+string(l.Format), func(t *testing.T) {
					t.Parallel()
					f(t, c, def, lang, l)
				})
			}
		}
	}
}

func reader(t *testing.T, data []byte, l sheet.Layout) sheet.Reader {
	t.Helper()
	if l.Format == sheet.CSV {
		return csv.NewReader(bytes.NewReader(data), l, 1)
	}
	book, err := xlsx.Open(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { book.Close() })
	r, err := book.Open(0)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// rows reads a file as the importer does.
func rows(t *testing.T, data []byte, l sheet.Layout) []record.Row {
	t.Helper()
	r := reader(t, data, l)
	defer r.Close()
	var all []record.Row
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		kept := record.Row{Number: row.Number, Problems: row.Problems}
		for _, c := range row.Cells {
			c.Text = strings.Clone(c.Text)
			kept.Cells = append(kept.Cells, c)
		}
		all = append(all, kept)
	}
}

func write(t *testing.T, c *entity.Catalog, def *entity.Definition, lang string, format sheet.Format) []byte {
	t.Helper()
	var b bytes.Buffer
	err := blank.Text(&b, c, def, lang)
	if format == sheet.XLSX {
		b.Reset()
		err = blank.Workbook(&b, c, def, lang)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestExamplesImport: the template of an entity is taken by its standard feed as
// it is: every column finds its field, and the example row makes a new record.
func TestExamplesImport(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *entity.Catalog, def *entity.Definition, lang string, l sheet.Layout) {
		all := rows(t, write(t, c, def, lang, l.Format), l)
		if len(all) != 2 {
			t.Fatalf("%d rows, want a header and an example", len(all))
		}
		var headers []string
		for _, cell := range all[0].Cells {
			headers = append(headers, cell.Text)
		}
		bound, drift := mapping.Bind(def, mapping.StandardTemplate(def), headers)
		if len(drift) > 0 || len(bound.Unmapped) > 0 {
			t.Errorf("drift %+v, unmapped %v of %q", drift, bound.Unmapped, headers)
		}
		m, err := mapping.NewMapper(def, bound, mapping.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var row mapping.Prepared
		m.Map(&all[1], &row)
		if row.Ignored || len(row.Problems) > 0 || len(all[1].Problems) > 0 {
			t.Errorf("the example: ignored %v, problems %+v %+v", row.Ignored, row.Problems, all[1].Problems)
		}
		options, err := def.MergeOptions(nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		merged := def.Merge(nil, false, row.Fields, options)
		if len(merged.Problems) > 0 {
			t.Errorf("as a new record: %+v", merged.Problems)
		}
		want := map[string]bool{}
		for _, col := range mapping.StandardColumns(def, lang) {
			if field, _, _ := strings.Cut(col.Field, "."); col.Example != "" {
				want[field] = true
			}
		}
		got := map[string]bool{}
		for _, f := range row.Fields {
			got[def.Fields[f.Index].Name] = true
		}
		for _, r := range row.Refs {
			got[def.Fields[r.Index].Name] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("fields of the example (-want +got):\n%s", diff)
		}
	})
}

// TestWorkbook looks at what a person sees in the workbook.
func TestWorkbook(t *testing.T) {
	t.Parallel()
	c := catalog(t)
	def, _ := c.Entity("members")
	f, err := excelize.OpenReader(bytes.NewReader(write(t, c, def, "de", sheet.XLSX)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	name := f.GetSheetName(0)
	if name != "Mitglieder" {
		t.Errorf("sheet %q, want Mitglieder", name)
	}
	header, err := f.GetRows(name)
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]string{}
	for i, title := range header[0] {
		if at[title], err = excelize.ColumnNumberToName(i + 1); err != nil {
			t.Fatal(err)
		}
	}
	style := func(cell string) *excelize.Style {
		id, err := f.GetCellStyle(name, cell)
		if err != nil {
			t.Fatal(err)
		}
		s, err := f.GetStyle(id)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for title, want := range map[string]string{
		"Telefon": "FFC7CE", "E-Mail": "FFC7CE", "Einwilligung": "C6EFCE", "Punkte": "BDD7EE", "Plastikkarten": "BDD7EE",
	} {
		if got := style(at[title] + "1").Fill.Color; len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q, want %s", title, got, want)
		}
	}
	// 49 is the format of text, by its number.
	for _, title := range []string{"Telefon", "Plastikkarten", "Punktekonto"} {
		for _, row := range []string{"2", "500"} {
			if s := style(at[title] + row); s.NumFmt != 49 && (s.CustomNumFmt == nil || *s.CustomNumFmt != "@") {
				t.Errorf("%s%s (%s) is not kept as text: %+v", at[title], row, title, s)
			}
		}
	}
	if kind, err := f.GetCellType(name, at["Geburtstag"]+"2"); err != nil || kind == excelize.CellTypeSharedString {
		t.Errorf("the example birthday is %v, %v; want a date", kind, err)
	}
	lists, err := f.GetDataValidations(name)
	if err != nil {
		t.Fatal(err)
	}
	if len(lists) != 1 || lists[0].Formula1 != `"Männlich,Weiblich,Divers"` || !strings.HasPrefix(lists[0].Sqref, at["Geschlecht"]+"2:") {
		t.Errorf("lists %+v, want one of the genders", lists)
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
	want := "Mit Landesvorwahl, etwa +370 612 34567. Die Spalte als Text belassen.\nBestimmt den Datensatz.\nPflicht in jeder Zeile."
	if diff := cmp.Diff(want, said[at["Telefon"]+"1"]); diff != "" {
		t.Errorf("note on the phone (-want +got):\n%s", diff)
	}
	if len(notes) != len(header[0]) {
		t.Errorf("%d notes on %d columns", len(notes), len(header[0]))
	}
}

// TestNotes: every language says something of every column, and no place is
// left open.
func TestNotes(t *testing.T) {
	t.Parallel()
	c := catalog(t)
	for _, def := range c.Entities() {
		for _, lang := range entity.Languages() {
			fields, err := blank.Fields(c, def, lang)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range fields {
				if f.Note == "" || strings.Contains(f.Note, "%!") || strings.Contains(f.Note, "%s") {
					t.Errorf("%s %s.%s: note %q", lang, def.Name, f.Name, f.Note)
				}
			}
		}
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	c := catalog(t)
	def, _ := c.Entity("contacts")
	fields, err := blank.Fields(c, def, "en")
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.MarshalIndent(fields, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join("testdata", "contacts.json"), append(data, '\n'))
	var page bytes.Buffer
	if err := blank.Page(&page, c, "en"); err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join("..", "..", "..", "docs", "fields.md"), page.Bytes())
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got), -update writes it:\n%s", path, diff)
	}
}
