package report_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/report"
	"github.com/dropload/dropload/internal/sheet"
)

// BenchmarkReport writes rejected contacts of 12 columns with one problem each.
// A row is an operation.
func BenchmarkReport(b *testing.B) {
	for _, bench := range []struct {
		name   string
		layout sheet.Layout
	}{
		{"csv", sheet.Layout{Format: sheet.CSV, Encoding: "utf-8", Delimiter: ",", Quote: `"`, Newline: "\n"}},
		{"windows-1252", sheet.Layout{Format: sheet.CSV, Encoding: "windows-1252", Delimiter: ";", Quote: `"`, Newline: "\r\n"}},
		{"xlsx", sheet.Layout{Format: sheet.XLSX}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			header := texts("code", "username", "email", "phone", "first_name", "last_name", "job_title", "company", "classification", "user_group", "language", "since")
			o := report.Options{
				Header: [][]record.Cell{header}, Width: len(header),
				Text: func(p record.Problem) string {
					return "The e-mail address is not valid. Correct it, or leave the cell empty."
				},
			}
			w, err := report.New(io.Discard, bench.layout, o)
			if err != nil {
				b.Fatal(err)
			}
			cells := texts("C-000000", "user.name", "someone@nowhere", "+37061234567", "Zoë", "Müller", "Buyer, senior", "Nord GmbH", "A", "VIP", "de", "2025-03-01")
			if bench.layout.Format == sheet.XLSX {
				cells[11] = record.Cell{Kind: record.Date, Text: "2025-03-01", Number: 45717}
			}
			problems := []record.Problem{problem(2, "email", "email_invalid")}
			row := &record.Row{Cells: cells}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				row.Number = int64(i + 2)
				if i%100 == 0 {
					cells[0].Text = fmt.Sprintf("C-%06d", i)
				}
				if err := w.Row(row, problems); err != nil {
					b.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
