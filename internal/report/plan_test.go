package report_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/report"
	"github.com/dropload/dropload/internal/sheet"
)

func plan(t *testing.T, format sheet.Format, lang string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := report.NewPlan(&b, format, lang)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []report.Change{
		{Key: "P-1", Outcome: record.Created, Row: 2, Field: "phone", After: record.Value{Text: "+37061234567"}},
		{
			Key: "007", Outcome: record.Updated, Row: 3, Field: "cards",
			Before: record.Value{List: []string{"1"}}, After: record.Value{List: []string{"1", "=2"}},
		},
		{Key: "=1", Outcome: record.Updated, Row: 4, Field: "notes", Before: record.Value{Text: "a,b"}, After: record.Value{Clear: true}},
	} {
		if err := w.Write(&c); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPlanText(t *testing.T) {
	t.Parallel()
	want := "\ufeffDatensatz,Ergebnis,Zeile,Feld,Vorher,Nachher\r\n" +
		"P-1,created,2,phone,,+37061234567\r\n" +
		"007,updated,3,cards,1,1; =2\r\n" +
		"'=1,updated,4,notes,\"a,b\",\r\n"
	if diff := cmp.Diff(want, string(plan(t, sheet.CSV, "de"))); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
}

func TestPlanBook(t *testing.T) {
	t.Parallel()
	f, err := excelize.OpenReader(bytes.NewReader(plan(t, sheet.XLSX, "")))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows(f.GetSheetName(0))
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"Record", "Outcome", "Row", "Field", "Before", "After"},
		{"P-1", "created", "2", "phone", "", "+37061234567"},
		{"007", "updated", "3", "cards", "1", "1; =2"},
		{"=1", "updated", "4", "notes", "a,b"},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
}
