package report_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/report"
	"github.com/dropload/dropload/internal/report/columns"
	"github.com/dropload/dropload/internal/report/formula"
	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/sheet/csv"
	"github.com/dropload/dropload/internal/sniff/charset"
)

// readText reads a report as the importer does.
func readText(t *rapid.T, data []byte, l sheet.Layout) [][]string {
	d, err := charset.NewDecoder(l.Encoding, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if l.Delimiter == "" {
		l.Delimiter = ","
	}
	if l.Quote == "" && l.Escape == "" {
		l.Quote = `"`
	}
	r := csv.NewReader(d, l, 1)
	defer r.Close()
	var rows [][]string
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		cells := make([]string, len(row.Cells))
		for i, c := range row.Cells {
			cells[i] = formula.Unguard(c.Text)
		}
		rows = append(rows, cells)
	}
}

// TestTextRoundTrip: whatever the cells, the dialect and the encoding, reading
// a report gives each cell of the file as the importer saw it, in its place.
func TestTextRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := sheet.Layout{
			Format:    sheet.CSV,
			Encoding:  rapid.SampledFrom([]string{"utf-8", "utf-16le", "utf-16be", "windows-1252", "shift_jis", "gb18030"}).Draw(t, "encoding"),
			Delimiter: rapid.SampledFrom([]string{",", ";", "\t", "|", " ", ", ", "||", "§", ""}).Draw(t, "delimiter"),
			Quote:     rapid.SampledFrom([]string{`"`, `'`, ""}).Draw(t, "quote"),
			Escape:    rapid.SampledFrom([]string{"", `\`, `"`}).Draw(t, "escape"),
			Newline:   rapid.SampledFrom([]string{"\n", "\r\n", "\r", ""}).Draw(t, "newline"),
		}
		if l.Escape != "" && l.Quote == "" {
			l.Escape = `\`
		}
		letters := []string{"a", "B", "1", " ", "'", `"`, `\`, ",", ";", "|", "\t", "=", "+", "-", "@", "\r", "\n", "\r\n", "é", "日", "😀", "\u0000"}
		switch l.Encoding {
		case "windows-1252":
			letters = letters[:len(letters)-3]
		case "shift_jis": // no é, no 😀, no §; a backslash is a yen sign
			letters = slices.DeleteFunc(letters, func(s string) bool { return s == "é" || s == "😀" || s == `\` })
			l.Escape = ""
			l.Delimiter = strings.ReplaceAll(l.Delimiter, "§", ";")
		}
		if l.Quote == "" && l.Escape != "" {
			// Without quotes a cell never had a line end.
			letters = slices.DeleteFunc(letters, func(s string) bool { return strings.ContainsAny(s, "\r\n") })
			// Nor can it end in half a delimiter of two equal characters.
			l.Delimiter = strings.ReplaceAll(l.Delimiter, "||", "|")
		}
		cell := rapid.Custom(func(t *rapid.T) string {
			return strings.Join(rapid.SliceOfN(rapid.SampledFrom(letters), 0, 8).Draw(t, "letters"), "")
		})
		width := rapid.IntRange(1, 4).Draw(t, "width")
		rows := rapid.SliceOfN(rapid.SliceOfN(cell, 0, width), 1, 5).Draw(t, "rows")
		o := report.Options{Width: width, BOM: rapid.Bool().Draw(t, "bom")}
		o.Text = func(record.Problem) string { return cell.Draw(t, "reason") }
		var lines []line
		var want [][]string
		for i, row := range rows {
			lines = append(lines, line{int64(i + 1), texts(row...), []record.Problem{problem(0, "f", "c")}})
			seen := make([]string, width)
			for i, s := range row {
				seen[i] = formula.Unguard(s)
			}
			want = append(want, seen)
		}
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
		got := readText(t, b.Bytes(), l)
		for i, row := range got {
			if len(row) != width+columns.Count {
				t.Fatalf("row %d has %d cells, not %d: %q", i, len(row), width+columns.Count, row)
			}
			got[i] = row[:width]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("read again (-want +got):\n%s\n%q", diff, b.String())
		}
	})
}
