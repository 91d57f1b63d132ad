package xls_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/dropload/dropload/internal/sheet/xls"
	"github.com/dropload/dropload/internal/sheet/xls/xlstest"
)

// contacts is a sheet of twelve columns as people import them.
func contacts(rows int) xlstest.Workbook {
	s := xlstest.Sheet{Name: "Contacts"}
	head := []any{"Code", "First name", "Last name", "E-mail", "Phone", "Company", "City", "Country", "Born", "Limit", "Points", "Active"}
	s.Rows = append(s.Rows, head)
	for i := 1; i < rows; i++ {
		s.Rows = append(s.Rows, []any{
			fmt.Sprintf("C%06d", i), fmt.Sprintf("First%d", i%5000), fmt.Sprintf("Łast%d", i%7000),
			fmt.Sprintf("person%d@example.com", i), float64(37060000000 + i), fmt.Sprintf("Company %d", i%3000),
			fmt.Sprintf("City %d", i%400), "Lithuania",
			xlstest.Styled{Value: float64(20000 + i%15000), Format: "yyyy\\-mm\\-dd"},
			xlstest.Styled{Value: float64(i) / 4, Format: "#,##0.00"}, i % 900, i%2 == 0,
		})
	}
	return xlstest.Workbook{Sheets: []xlstest.Sheet{s}}
}

func BenchmarkRead(b *testing.B) {
	const rows = 60_000
	file := contacts(rows).File()
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		w, err := xls.Open(bytes.NewReader(file))
		if err != nil {
			b.Fatal(err)
		}
		r, err := w.Open(0)
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for ; ; n++ {
			if _, err = r.Next(); err != nil {
				break
			}
		}
		if err != io.EOF || n != rows {
			b.Fatalf("read %d rows of %d, then %v", n, rows, err)
		}
	}
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
}
