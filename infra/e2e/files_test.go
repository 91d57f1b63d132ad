//go:build e2e

package e2e_test

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"

	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/mapping"
)

// people is a clean sheet of contacts, and peopleStored what is stored of it.
func people() [][]string {
	return [][]string{
		{"Code", "E-mail", "First name", "Last name", "Phone"},
		{"P-1", "anna@example.com", "Anna", "Müller", "+49 30 5550101"},
		{"P-2", "bo@example.com", "Bo", "Šimkus", "+370 612 34567"},
		{"P-3", "cy@example.com", "Çelik", "Østergård", ""},
	}
}

func peopleStored() []string {
	return []string{
		"P-1 anna@example.com Anna Müller +49305550101",
		"P-2 bo@example.com Bo Šimkus +37061234567",
		"P-3 cy@example.com Çelik Østergård ",
	}
}

func (s *trial) people(t *testing.T) []string {
	t.Helper()
	return s.list(t, "contacts", "code", "email", "first_name", "last_name", "phone")
}

// text writes rows as delimited text.
func text(t *testing.T, delimiter rune, rows [][]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Comma, w.UseCRLF = delimiter, true
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func parseText(t *testing.T, delimiter rune, b []byte) [][]string {
	t.Helper()
	r := csv.NewReader(bytes.NewReader(b))
	r.Comma = delimiter
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatalf("%v in\n%s", err, b)
	}
	return rows
}

func encoded(t *testing.T, e encoding.Encoding, b []byte) []byte {
	t.Helper()
	out, err := e.NewEncoder().Bytes(b)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func decoded(t *testing.T, e encoding.Encoding, b []byte) []byte {
	t.Helper()
	out, err := e.NewDecoder().Bytes(b)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// workbook writes rows as the first sheet of an xlsx file, as Excel would
// write them.
func workbook(t *testing.T, rows [][]string) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for r, cells := range rows {
		for c, cell := range cells {
			if cell == "" {
				continue
			}
			if err := f.SetCellStr("Sheet1", at(t, c, r), cell); err != nil {
				t.Fatal(err)
			}
		}
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// at names a cell by its column and row, counted from 0.
func at(t *testing.T, column, row int) string {
	t.Helper()
	name, err := excelize.CoordinatesToCellName(column+1, row+1)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func cleanCSV(t *testing.T, s *trial) {
	file := text(t, ',', people())
	m := s.imported(t, "contacts", "people.csv", file)
	want(t, "state", m.State, importer.Completed)
	want(t, "rows", m.Rows, counts(3, 3, 0, 0, 0, 0))
	want(t, "a failure report", m.Reports.Failures, "")
	want(t, "records", s.people(t), peopleStored())

	m = s.imported(t, "contacts", "people again.csv", file)
	want(t, "rows of the same content again", m.Rows, counts(3, 0, 0, 3, 0, 0))
	want(t, "nothing written", m.NothingWritten, true)
	want(t, "records", s.people(t), peopleStored())
}

func cleanXLSX(t *testing.T, s *trial) {
	m := s.imported(t, "contacts", "people.xlsx", workbook(t, people()))
	want(t, "state", m.State, importer.Completed)
	want(t, "rows", m.Rows, counts(3, 3, 0, 0, 0, 0))
	want(t, "records", s.people(t), peopleStored())

	// The same rows in another format are the same records.
	m = s.imported(t, "contacts", "people.csv", text(t, ';', people()))
	want(t, "rows as csv", m.Rows, counts(3, 0, 0, 3, 0, 0))
}

func utf16CSV(t *testing.T, s *trial) {
	utf16 := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	rows := append(people(), []string{"P-4", "nope", "Dörte", "Jäger", ""})
	m := s.imported(t, "contacts", "people.txt", encoded(t, utf16, text(t, '\t', rows)))
	want(t, "state", m.State, importer.CompletedWithRejects)
	want(t, "rows", m.Rows, counts(4, 3, 0, 0, 1, 0))
	want(t, "records", s.people(t), peopleStored())

	failures := s.read(t, m.Reports.Failures)
	if !bytes.HasPrefix(failures, []byte("\xff\xfe")) {
		t.Errorf("the report does not begin with the byte order mark of the upload: % x", failures[:min(8, len(failures))])
	}
	got := parseText(t, '\t', decoded(t, utf16, failures))
	if len(got) != 2 {
		t.Fatalf("the report has %d rows, want 2: %q", len(got), got)
	}
	want(t, "reported cells", got[1][:5], rows[4])
}

func gzipCSV(t *testing.T, s *trial) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(text(t, ',', people())); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	m := s.imported(t, "contacts", "people.csv.gz", b.Bytes())
	want(t, "state", m.State, importer.Completed)
	want(t, "rows", m.Rows, counts(3, 3, 0, 0, 0, 0))
	want(t, "records", s.people(t), peopleStored())
}

func unusualName(t *testing.T, s *trial) {
	const name = "Müller & Söhne – März 2026 (1) 100% +x.csv"
	m := s.imported(t, "companies", name, []byte("code;name\nA1;Ašara\nB2;\n"))
	want(t, "name", m.File.Name, name)
	want(t, "state", m.State, importer.CompletedWithRejects)
	want(t, "rows", m.Rows, counts(2, 1, 0, 0, 1, 0))
	want(t, "records", s.list(t, "companies", "code", "name"), []string{"A1 Ašara"})
	wantName := strings.TrimSuffix(name, ".csv") + ".rejected.csv"
	if plain, err := url.PathUnescape(m.Reports.Failures); !strings.HasSuffix(m.Reports.Failures, "/"+wantName) {
		t.Errorf("the report is %s (%s, %v), want …/%s", m.Reports.Failures, plain, err, wantName)
	}

	// Dropped back under its own name, too.
	m = s.imported(t, "companies", wantName, bytes.Replace(s.read(t, m.Reports.Failures), []byte("B2;"), []byte("B2;Böhm"), 1))
	want(t, "rows", m.Rows, counts(1, 1, 0, 0, 0, 0))
}

func noSheets(t *testing.T, s *trial) {
	rows := people()
	for n := range 500 { // so that it breaks off in the middle of the rows
		rows = append(rows, []string{fmt.Sprint("X-", n), fmt.Sprintf("x%d@example.com", n), "X", "Y"})
	}
	whole := workbook(t, rows)
	broken := map[string]struct {
		content []byte
		code    string
	}{
		"empty.csv":      {nil, "empty"},
		"picture.csv":    {[]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"), "unknown-format"},
		"truncated.xlsx": {whole[:len(whole)/2], "corrupt"},
	}
	keys := map[string]string{"header.csv": s.Drop(t, "contacts", "header.csv", text(t, ',', people()[:1]))}
	for name, f := range broken {
		keys[name] = s.Drop(t, "contacts", name, f.content)
	}
	for name, f := range broken {
		failedWith(t, s.ended(t, keys[name]), f.code)
	}
	m := s.ended(t, keys["header.csv"])
	want(t, "state", m.State, importer.Completed)
	want(t, "nothing written", m.NothingWritten, true)
	want(t, "rows", m.Rows, counts(0, 0, 0, 0, 0, 0))
	want(t, "records", s.people(t), []string(nil))
}

func dryRun(t *testing.T, s *trial) {
	file := text(t, ',', append(people(), []string{"P-4", "nope"}))
	m := s.ended(t, s.dropWith(t, "contacts", "people.csv", file, mapping.Options{DryRun: true}))
	want(t, "rows", m.Rows, counts(4, 3, 0, 0, 1, 0))
	want(t, "nothing written", m.NothingWritten, true)
	want(t, "records", s.people(t), []string(nil))

	preview := m.Rows
	m = s.imported(t, "contacts", "people.csv", file)
	want(t, "rows as the dry run said", m.Rows, preview)
	want(t, "records", s.people(t), peopleStored())
}

func unknownFeed(t *testing.T, s *trial) {
	m := s.imported(t, "nowhere", "people.csv", text(t, ',', people()))
	failedWith(t, m, "feed_unknown")
	want(t, "records", s.people(t), []string(nil))
}

func severalBatches(t *testing.T, s *trial) {
	const n, repeated = 20_500, 10 // 20,000 rows make a batch
	rows := [][]string{{"Code", "E-mail", "First name"}}
	for i := range n {
		rows = append(rows, []string{fmt.Sprintf("P-%05d", i), fmt.Sprintf("ada%d@example.com", i%(n-repeated)), "Ada"})
	}
	m := s.ended(t, s.dropWith(t, "contacts", "people.csv", text(t, ',', rows), mapping.Options{DryRun: true}))
	want(t, "rows", m.Rows, counts(n, n-repeated, 0, 0, repeated, 0))
	want(t, "codes", m.Codes, map[string]int64{"not_unique_in_file email": repeated})
	want(t, "batches", m.Input.Batches, 2)
	if got := s.passes(t, m); got < 2 {
		t.Errorf("the losers of values were planned %d times, want twice", got)
	}
}

// passes is how often the batches of an import were planned.
func (s *trial) passes(t *testing.T, m *importer.Import) (n int) {
	t.Helper()
	for _, state := range s.History(t, m.Execution) {
		if state == "Settle" {
			n++
		}
	}
	return n
}
