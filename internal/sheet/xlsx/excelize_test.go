package xlsx

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
)

// TestExcelize reads what another writer wrote.
func TestExcelize(t *testing.T) {
	t.Parallel()
	f := excelize.NewFile()
	defer f.Close()
	style := func(s *excelize.Style) int {
		id, err := f.NewStyle(s)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	custom := func(code string) int { return style(&excelize.Style{CustomNumFmt: &code}) }
	when := time.Date(2024, 3, 1, 10, 22, 0, 0, time.UTC)
	for i, c := range []struct {
		value any
		style int
	}{
		{"Müller & Söhne <GmbH>", 0},
		{" two\nlines ", 0},
		{370612345678, 0},
		{0.1, 0},
		{1234567.891, style(&excelize.Style{NumFmt: 4})},
		{0.195, style(&excelize.Style{NumFmt: 10})},
		{7, custom("0000")},
		{when, custom("d mmm yyyy hh:mm")},
		{45352, style(&excelize.Style{NumFmt: 15})},
		{1.5, custom("[h]:mm")},
		{-3.5, custom(`#,##0.00 "EUR";[Red](#,##0.00)`)},
		{true, 0},
	} {
		cell := fmt.Sprintf("%c2", 'A'+i)
		if err := errors.Join(f.SetCellValue("Sheet1", cell, c.value)); err != nil {
			t.Fatal(err)
		}
		if c.style != 0 {
			if err := f.SetCellStyle("Sheet1", cell, cell, c.style); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := f.NewSheet("Two"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(
		f.SetCellValue("Two", "A1", "merged"), f.SetCellValue("Two", "C1", "right of it"), f.MergeCell("Two", "A1", "B2"),
		f.SetCellValue("Two", "A4", "hidden"), f.SetRowVisible("Two", 4, false),
		f.SetCellRichText("Two", "A5", []excelize.RichTextRun{{Text: "rich "}, {Text: "text", Font: &excelize.Font{Bold: true}}}),
	); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]string{
		{"", "t:Müller & Söhne <GmbH>|t: two\nlines |n:370612345678|n:0.1|n:1,234,567.89|n:19.50%|n:0007|m:1 Mar 2024 10:22|d:1-Mar-24|n:36:00|n:(3.50)|b:TRUE"},
		{"t:merged||t:right of it", "", "", "t:hidden*", "t:rich text"},
	} {
		got, err := lines(t, b.Bytes(), i)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("sheet %d: %s", i, d)
		}
	}
}

// contacts is a workbook of n contacts of 12 columns, as Excel would write it:
// eight columns of shared strings, of which two never repeat.
func contacts(t testing.TB, n int) []byte {
	t.Helper()
	index := map[string]int{}
	var sst strings.Builder
	sst.WriteString("<sst " + nsMain + ">")
	shared := func(s string) int {
		i, ok := index[s]
		if !ok {
			i = len(index)
			index[s] = i
			fmt.Fprintf(&sst, "<si><t>%s</t></si>", s)
		}
		return i
	}
	p := plainBook("")
	var sheet bytes.Buffer
	fmt.Fprintf(&sheet, `<worksheet %s><dimension ref="A1:L%d"/><sheetData>`, nsMain, n)
	for r := 1; r <= n; r++ {
		k := r * 7919
		fmt.Fprintf(&sheet, `<row r="%d" spans="1:12"><c r="A%d"><v>%d</v></c>`, r, r, 100000+r)
		for i, s := range []string{fmt.Sprintf("First%d", k%3000), fmt.Sprintf("Last%d", k%20011), fmt.Sprintf("person.%d@example.com", r), fmt.Sprintf("+3706%07d", r),
			fmt.Sprintf("Company %d Ltd &amp; Co", k%5003), fmt.Sprintf("City%d", k%499), "LT", fmt.Sprintf("note %d", k%97)} {
			fmt.Fprintf(&sheet, `<c r="%c%d" t="s"><v>%d</v></c>`, 'B'+i, r, shared(s))
		}
		fmt.Fprintf(&sheet, `<c r="J%d" s="1"><v>%d</v></c><c r="K%d" s="3"><v>%d.%02d</v></c><c r="L%d" t="b"><v>%d</v></c></row>`, r, 20000+k%25000, r, k%100000, k%100, r, k&1)
	}
	sheet.WriteString("</sheetData></worksheet>")
	sst.WriteString("</sst>")
	p = p.replace("xl/workbook.xml", `xmlns:r="x"`, `xmlns:r="`+strings.TrimSuffix(relDoc, "/")+`"`)
	return p.with(sheet1, sheet.String()).with("xl/sharedStrings.xml", sst.String()).zip(t)
}

// BenchmarkRows reads 100,000 contacts of 12 columns: here with kinds, formats
// and positions, beside the raw strings of excelize's streaming rows. The ratio
// is printed, and the largest heap seen.
func BenchmarkRows(b *testing.B) {
	const n = 100_000
	file := contacts(b, n)
	perSecond := map[string]float64{}
	measure := func(name string, read func(peak func()) int) {
		b.Run(name, func(b *testing.B) {
			runtime.GC()
			var base, most uint64
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			base = m.HeapAlloc
			for b.Loop() {
				rows := read(func() {
					runtime.ReadMemStats(&m)
					most = max(most, m.HeapAlloc)
				})
				if rows != n {
					b.Fatalf("%d rows", rows)
				}
			}
			perSecond[name] = float64(n) * float64(b.N) / b.Elapsed().Seconds()
			b.ReportMetric(perSecond[name], "rows/s")
			b.ReportMetric(perSecond["dropload"]/perSecond[name], "times-slower")
			b.ReportMetric(float64(most-min(base, most))/(1<<20), "heap-MB")
		})
	}
	measure("dropload", func(peak func()) int {
		w, err := Open(bytes.NewReader(file))
		if err != nil {
			b.Fatal(err)
		}
		defer w.Close()
		r, err := w.Open(0)
		if err != nil {
			b.Fatal(err)
		}
		defer r.Close()
		for rows := 0; ; rows++ {
			if rows%10_000 == 0 {
				peak()
			}
			if _, err := r.Next(); errors.Is(err, io.EOF) {
				return rows
			} else if err != nil {
				b.Fatal(err)
			}
		}
	})
	measure("excelize", func(peak func()) int {
		f, err := excelize.OpenReader(bytes.NewReader(file), excelize.Options{RawCellValue: true, UnzipXMLSizeLimit: 1 << 20})
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		r, err := f.Rows("S & T")
		if err != nil {
			b.Fatal(err)
		}
		defer r.Close()
		rows := 0
		for ; r.Next(); rows++ {
			if rows%10_000 == 0 {
				peak()
			}
			if _, err := r.Columns(); err != nil {
				b.Fatal(err)
			}
		}
		return rows
	})
}
