package sniff

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/sheet/open"
)

// cellMakers are columns as tables of people, firms and goods have them.
func cellMakers() map[string]func(t *rapid.T, i int) string {
	words := []string{"Anna", "Müller", "Green tea", "Oslo", "Bo & Sons", "O'Neill", "5 pieces", "long-term", "Łódź", "red"}
	word := func(t *rapid.T) string { return rapid.SampledFrom(words).Draw(t, "word") }
	return map[string]func(t *rapid.T, i int) string{
		"Customer No": func(_ *rapid.T, i int) string { return fmt.Sprintf("K-%04d", i+17) },
		"First name":  func(t *rapid.T, _ int) string { return word(t) },
		"Remarks": func(t *rapid.T, _ int) string {
			return strings.Join([]string{word(t), word(t), word(t)}, rapid.SampledFrom([]string{" ", ", ", "; ", " | ", "\n", ` "x" `}).Draw(t, "join"))
		},
		"Amount": func(t *rapid.T, _ int) string { return fmt.Sprintf("%d,%02d", rapid.IntRange(0, 9999).Draw(t, "n"), 5) },
		"Price":  func(t *rapid.T, _ int) string { return fmt.Sprintf("%d.%02d", rapid.IntRange(0, 999).Draw(t, "n"), 50) },
		"Start date": func(t *rapid.T, _ int) string {
			return fmt.Sprintf("%02d.%02d.2024", rapid.IntRange(1, 28).Draw(t, "d"), 3)
		},
		"Opened at": func(t *rapid.T, _ int) string {
			return fmt.Sprintf("2024-03-01 %02d:30:00", rapid.IntRange(0, 23).Draw(t, "h"))
		},
		"E-mail":    func(_ *rapid.T, i int) string { return fmt.Sprintf("user%d@example.com", i) },
		"Website":   func(_ *rapid.T, i int) string { return fmt.Sprintf("https://example.com/p?id=%d", i) },
		"Is active": func(t *rapid.T, _ int) string { return rapid.SampledFrom([]string{"true", "false", ""}).Draw(t, "b") },
		"Phone (new)": func(t *rapid.T, _ int) string {
			return fmt.Sprintf("+49 30 %06d", rapid.IntRange(0, 999999).Draw(t, "n"))
		},
	}
}

func quoteCell(s, delim, quote string, always bool) string {
	if always || strings.ContainsAny(s, delim+quote+"\r\n") {
		return quote + strings.ReplaceAll(s, quote, quote+quote) + quote
	}
	return s
}

// A table written in a usual dialect is found and read as it was, whatever
// stands above it.
func TestTableIsFoundAgain(t *testing.T) {
	t.Parallel()
	makers := cellMakers()
	names := []string{"Customer No", "First name", "Remarks", "Amount", "Price", "Start date", "Opened at", "E-mail", "Website", "Is active", "Phone (new)"}
	tops := map[string]func(delim string, n int) []string{
		"nothing": func(string, int) []string { return nil },
		"title":   func(string, int) []string { return []string{"List of customers", ""} },
		"padded":  func(d string, n int) []string { return []string{"List of customers" + strings.Repeat(d, n-1)} },
		"keys": func(d string, _ int) []string {
			return []string{"Created" + d + "2024-03-01 10:22", "By" + d + "a.berg", ""}
		},
		"comment": func(string, int) []string { return []string{"# created by export 4.2, do not edit"} },
		"sep":     func(d string, _ int) []string { return []string{"sep=" + d} },
	}
	rapid.Check(t, func(rt *rapid.T) {
		delim := rapid.SampledFrom([]string{",", ";", "\t", "|"}).Draw(rt, "delimiter")
		quote := rapid.SampledFrom([]string{`"`, `"`, "'"}).Draw(rt, "quote")
		always := quote == "'" || rapid.Bool().Draw(rt, "always quoted")
		newline := rapid.SampledFrom([]string{"\n", "\r\n", "\r"}).Draw(rt, "newline")
		columns := rapid.Permutation(names).Draw(rt, "columns")[:rapid.IntRange(5, len(names)).Draw(rt, "width")]
		want := [][]string{columns}
		for i := range rapid.IntRange(8, 30).Draw(rt, "rows") {
			var row []string
			for _, c := range columns {
				row = append(row, makers[c](rt, i))
			}
			want = append(want, row)
		}
		top := tops[rapid.SampledFrom([]string{"nothing", "title", "padded", "keys", "comment", "sep"}).Draw(rt, "top")](delim, len(columns))
		lines := top
		for _, row := range want {
			var cells []string
			for _, c := range row {
				cells = append(cells, quoteCell(c, delim, quote, always))
			}
			lines = append(lines, strings.Join(cells, delim))
		}
		text := strings.Join(lines, newline) + newline

		r, err := Inspect(strings.NewReader(text), "", Override{})
		if err != nil {
			rt.Fatal(err)
		}
		l := r.Layout
		if l.Delimiter != delim || l.Quote != quote || l.Newline != newline || l.Preamble != len(top) || l.HeaderRows != 1 || l.FooterRows != 0 {
			rt.Fatalf("%+v of\n%s", l, text)
		}
		if diff := cmp.Diff(want, tableOf(rt, text, l)); diff != "" {
			rt.Fatal(diff)
		}
	})
}

func tableOf(t *rapid.T, text string, l sheet.Layout) [][]string {
	r, err := open.Open(strings.NewReader(text), l)
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for {
		row, err := r.Next()
		if err != nil {
			return rows
		}
		if row.Number <= int64(l.Preamble) {
			continue
		}
		var cells []string
		for _, c := range row.Cells {
			cells = append(cells, c.Text)
		}
		rows = append(rows, cells)
	}
}
