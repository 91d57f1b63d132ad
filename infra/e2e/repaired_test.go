//go:build e2e

package e2e_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"

	"github.com/dropload/dropload/internal/importer"
)

// mixed is a sheet with good rows and bad ones.
func mixed() [][]string {
	return [][]string{
		{"E-mail", "First name", "Last name", "Phone", "Notes"},
		{"anna@example.com", "Anna", "Müller", "+49 30 5550101", "Grüße aus Köln"},
		{"nope", "Bärbel", "Größe", "", "Straße; „Hof“"},
		{"cy@example.com", "Çelik", "Østergård", "12", "naïve café"},
		{"", "Zoë", "Citroën", "", "=1+2"},
		{"doerte@example.com", "Dörte", "Jäger", "", "zuletzt"},
	}
}

// mixedReport is the failure report on it, as a person reads it.
func mixedReport() [][]string {
	return [][]string{
		{"E-mail", "First name", "Last name", "Phone", "Notes", "Row number in file", "Field with problem", "Problem code", "Reason"},
		{
			"nope", "Bärbel", "Größe", "", "Straße; „Hof“", "3", "email", "email_invalid",
			"“nope” is not an e-mail address. Write one address, such as name@example.com.",
		},
		{
			"cy@example.com", "Çelik", "Østergård", "12", "naïve café", "4", "phone", "phone_invalid",
			"“12” is not a phone number. Write one number with its country code, such as +37061234567.",
		},
		{
			"", "Zoë", "Citroën", "", "=1+2", "5", "email", "required_any_missing",
			"At least one of these is needed: email, phone, username. Fill in one of them.",
		},
	}
}

// fix repairs the report's cells through set, which gets column and row from 0.
func fix(set func(column, row int, text string)) {
	set(0, 1, "baerbel@example.com")
	set(3, 2, "+49 30 5550102")
	set(0, 3, "zoe@example.com")
}

func mixedStored() []string {
	return []string{
		"anna@example.com Anna Müller +49305550101 Grüße aus Köln",
		"baerbel@example.com Bärbel Größe  Straße; „Hof“",
		"cy@example.com Çelik Østergård +49305550102 naïve café",
		"doerte@example.com Dörte Jäger  zuletzt",
		"zoe@example.com Zoë Citroën  =1+2",
	}
}

func (s *trial) mixed(t *testing.T) []string {
	t.Helper()
	return s.list(t, "contacts", "email", "first_name", "last_name", "phone", "notes")
}

func repairedCSV(t *testing.T, s *trial) {
	windows := charmap.Windows1252
	m := s.imported(t, "contacts", "Kunden.csv", encoded(t, windows, text(t, ';', mixed())))
	want(t, "state", m.State, importer.CompletedWithRejects)
	want(t, "rows", m.Rows, counts(5, 2, 0, 0, 3, 0))
	want(t, "encoding", m.Layout.Encoding, "windows-1252")

	report := mixedReport()
	report[3][4] = "'=1+2" // a spreadsheet program must not run it
	got := parseText(t, ';', decoded(t, windows, s.read(t, m.Reports.Failures)))
	want(t, "report", got, report)

	fix(func(column, row int, text string) { got[row][column] = text })
	m = s.imported(t, "contacts", "Kunden.rejected.csv", encoded(t, windows, text(t, ';', got)))
	want(t, "rows of the repaired", m.Rows, counts(3, 3, 0, 0, 0, 0))
	want(t, "records", s.mixed(t), mixedStored())
}

func repairedXLSX(t *testing.T, s *trial) {
	m := s.imported(t, "contacts", "Kunden.xlsx", workbook(t, mixed()))
	want(t, "state", m.State, importer.CompletedWithRejects)
	want(t, "rows", m.Rows, counts(5, 2, 0, 0, 3, 0))

	f, err := excelize.OpenReader(bytes.NewReader(s.read(t, m.Reports.Failures)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want(t, "sheets", f.GetSheetList(), []string{"Sheet1"})
	got, err := f.GetRows("Sheet1")
	if err != nil {
		t.Fatal(err)
	}
	want(t, "report", got, mixedReport())
	plain := style(t, f, 1, 1)
	notes := noted(t, f)
	for _, cell := range [][2]int{{0, 1}, {3, 2}, {0, 3}} {
		name := at(t, cell[0], cell[1])
		if style(t, f, cell[0], cell[1]) == plain || !slices.Contains(notes, name) {
			t.Errorf("the rejected cell %s is not marked", name)
		}
	}

	fix(func(column, row int, text string) {
		if err := f.SetCellStr("Sheet1", at(t, column, row), text); err != nil {
			t.Fatal(err)
		}
	})
	repaired, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	m = s.imported(t, "contacts", "Kunden.rejected.xlsx", repaired.Bytes())
	want(t, "rows of the repaired", m.Rows, counts(3, 3, 0, 0, 0, 0))
	want(t, "records", s.mixed(t), mixedStored())
}

func style(t *testing.T, f *excelize.File, column, row int) int {
	t.Helper()
	id, err := f.GetCellStyle("Sheet1", at(t, column, row))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// noted are the cells with a note.
func noted(t *testing.T, f *excelize.File) []string {
	t.Helper()
	comments, err := f.GetComments("Sheet1")
	if err != nil {
		t.Fatal(err)
	}
	var cells []string
	for _, c := range comments {
		cells = append(cells, c.Cell)
	}
	return cells
}

func everyRowBad(t *testing.T, s *trial) {
	m := s.imported(t, "contacts", "bad.csv", []byte("E-mail,First name\nnope,Bo\nneither,Cy\n"))
	failedWith(t, m, "all_rejected")
	want(t, "rows", m.Rows, counts(2, 0, 0, 0, 2, 0))
	failures := s.read(t, m.Reports.Failures)
	want(t, "rows of the report", len(parseText(t, ',', failures)), 3)

	failures = bytes.ReplaceAll(failures, []byte("nope"), []byte("bo@example.com"))
	failures = bytes.ReplaceAll(failures, []byte("neither"), []byte("cy@example.com"))
	m = s.imported(t, "contacts", "bad.rejected.csv", failures)
	want(t, "rows of the repaired", m.Rows, counts(2, 2, 0, 0, 0, 0))
	want(t, "records", s.list(t, "contacts", "email", "first_name"), []string{"bo@example.com Bo", "cy@example.com Cy"})
}
