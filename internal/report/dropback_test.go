package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	problems "github.com/dropload/dropload/internal/problem"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/report"
	"github.com/dropload/dropload/internal/report/columns"
	"github.com/dropload/dropload/internal/report/formula"
	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/sheet/open"
	"github.com/dropload/dropload/internal/sniff"
)

// TestDroppedBack: a report says nothing of itself but what is in it, and is
// found out as any file is: however few rows it has, the header is the header,
// the added columns are recognised, and the cells are those of the upload.
func TestDroppedBack(t *testing.T) {
	t.Parallel()
	people := [][]string{
		{"007", "zoe", "zoe@nord", "+37061234567", "Zoë", "Müller", "Nord, Süd & Co", "2025-03-01"},
		{"008", "", "x", "=1+1", "Jörg", `5" nail`, "", "31.12.1980"},
		{"", "anna.berg", "anna.berg@", "0049 30 555", "Anna", "Berg", "Nord GmbH", ""},
		{"P-12", "li", "li.wang@home.example", "", "Li", "Wang", "-", "1990-02-29"},
	}
	header := texts("code", "user name", "e-mail", "phone", "first name", "last name", "company", "born")
	codes := []string{"email_invalid", "phone_invalid", "date_invalid"}
	for _, l := range []sheet.Layout{
		{Format: sheet.CSV, Encoding: "utf-8", Delimiter: ",", Quote: `"`, Newline: "\n"},
		{Format: sheet.CSV, Encoding: "utf-8", Delimiter: ";", Quote: `"`, Newline: "\r\n"},
		{Format: sheet.CSV, Encoding: "windows-1252", Delimiter: ";", Quote: `"`, Newline: "\r\n"},
		{Format: sheet.CSV, Encoding: "utf-16le", Delimiter: "\t", Quote: `"`, Newline: "\r\n"},
		{Format: sheet.CSV, Encoding: "utf-8", Delimiter: "|", Newline: "\n"},
		{Format: sheet.XLSX},
	} {
		for _, lang := range columns.Languages() {
			for _, n := range []int{1, 4} {
				t.Run(fmt.Sprint(l.Format, l.Encoding, l.Delimiter, " ", lang, " ", n), func(t *testing.T) {
					t.Parallel()
					var lines []line
					want := [][]string{}
					for i := range n {
						person := people[i%len(people)]
						lines = append(lines, line{int64(i + 2), texts(person...), []record.Problem{
							{Code: codes[i%3], Column: 2, Field: "email", Args: []string{"x"}},
							{Code: codes[(i+1)%3], Column: 3, Field: "phone", Args: []string{"y"}},
						}[:1+i%2]})
						want = append(want, person)
					}
					data := write(t, l, report.Options{
						Language: lang, Header: [][]record.Cell{header}, Width: len(header), BOM: l.Encoding == "utf-16le",
						Text: func(p record.Problem) string {
							message, fix := problems.Text(lang, p)
							return message + " " + fix
						},
					}, lines...)
					found, err := sniff.Inspect(bytes.NewReader(data), "contacts.rejected", sniff.Override{})
					if err != nil {
						t.Fatal(err)
					}
					f := found.Layout
					if f.Format != l.Format || f.Preamble != 0 || f.HeaderRows != 1 || f.FooterRows != 0 || f.Delimiter != l.Delimiter {
						t.Errorf("found %+v", f)
					}
					if got := columns.Recognise(f.Columns); got != columns.Count {
						t.Errorf("%d columns recognised of %q", got, f.Columns)
					}
					r, err := open.Open(bytes.NewReader(data), f)
					if err != nil {
						t.Fatal(err)
					}
					defer r.Close()
					var got [][]string
					for {
						row, err := r.Next()
						if errors.Is(err, io.EOF) {
							break
						}
						if err != nil {
							t.Fatal(err)
						}
						if row.Number < f.DataFrom() {
							continue
						}
						cells := make([]string, len(header))
						for i := range cells {
							cells[i] = strings.Clone(formula.Unguard(row.Cells[i].Text))
						}
						got = append(got, cells)
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("rows (-want +got):\n%s", diff)
					}
				})
			}
		}
	}
}
