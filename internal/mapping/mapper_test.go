package mapping_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/mapping"
	"github.com/dropload/dropload/internal/record"
)

func define(tb testing.TB, name string) *entity.Definition {
	tb.Helper()
	c, err := entity.Standard()
	if err != nil {
		tb.Fatal(err)
	}
	def, ok := c.Entity(name)
	if !ok {
		tb.Fatalf("no entity %q", name)
	}
	return def
}

func cells(texts ...string) []record.Cell {
	row := make([]record.Cell, len(texts))
	for i, s := range texts {
		if s != "" {
			row[i] = record.Cell{Kind: record.Text, Text: s}
		}
	}
	return row
}

// byName is a prepared row with names in the place of positions.
func byName(def *entity.Definition, p *mapping.Prepared) map[string]string {
	got := map[string]string{}
	for _, fv := range p.Fields {
		text := fv.Value.Text
		for i, item := range fv.Value.List {
			if i > 0 {
				text += " | "
			}
			text += item
		}
		if fv.Value.Clear {
			text = "(clear)"
		}
		got[def.Fields[fv.Index].Name] = text
	}
	for _, r := range p.Refs {
		got["->"+def.Fields[r.Index].Name] = r.Text
	}
	for _, q := range p.Problems {
		got["!"+q.Field] = q.Code
	}
	return got
}

func TestStandardNames(t *testing.T) {
	t.Parallel()
	def := define(t, "contacts")
	headers := []string{"Vorname", "last_name", "E-MAIL", "Company", "city", "Street (shipping)", "Password", "Shoe size",
		"Row number in file", "Problem code"}
	bound, drift := mapping.Bind(def, mapping.StandardTemplate(def), headers)
	if len(drift) != 1 || drift[0].Kind != mapping.New || drift[0].Header != "Shoe size" {
		t.Errorf("drift %+v, want only the new column", drift)
	}
	if diff := cmp.Diff([]int{8, 9}, bound.Added); diff != "" {
		t.Errorf("added columns: %s", diff)
	}
	if diff := cmp.Diff([]int{6}, bound.Secret); diff != "" {
		t.Errorf("secret columns: %s", diff)
	}
	if bound.MatchOn != "email" {
		t.Errorf("matched on %q, want the first unique field with a column", bound.MatchOn)
	}
	m, err := mapping.NewMapper(def, bound, mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out mapping.Prepared
	m.Map(&record.Row{Number: 2, Cells: cells("Anna", " Berg ", "anna@nord.example", "Nord GmbH", "Berlin", "'=Hauptstr. 5", "secret", "38")}, &out)
	want := map[string]string{
		"first_name": "Anna", "last_name": "Berg", "email": "anna@nord.example", "->company": "Nord GmbH",
		"addresses": `{"kind":"billing","city":"Berlin"} | {"kind":"shipping","street":"=Hauptstr. 5"}`,
	}
	if diff := cmp.Diff(want, byName(def, &out)); diff != "" {
		t.Error(diff)
	}
}
