package xlsx

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/record"
)

// readAny reads a file as far as it goes and checks what a reader promises:
// rows in order without gaps, no error but a fault, no fault that looks like the
// end.
func readAny(t *testing.T, file []byte) {
	t.Helper()
	named := func(err error) {
		var bad *fault.BadFile
		if !errors.As(err, &bad) || errors.Is(err, io.EOF) {
			t.Fatalf("no proper fault: %v", err)
		}
	}
	w, err := Open(bytes.NewReader(file))
	if err != nil {
		named(err)
		return
	}
	defer w.Close()
	for i := range w.Sheets() {
		r, err := w.Open(i)
		if err != nil {
			named(err)
			continue
		}
		for n := int64(1); n < 3000; n++ {
			row, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				named(err)
				break
			}
			if row.Number != n {
				t.Fatalf("row %d comes as row %d", row.Number, n)
			}
			for _, c := range row.Cells {
				if (c.Kind == record.Empty) != (c == record.Cell{}) {
					t.Fatalf("an empty cell that is not: %+v", c)
				}
			}
			if k := len(row.Cells); k > 0 && row.Cells[k-1].Kind == record.Empty {
				t.Fatal("a row ends with an empty cell")
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// FuzzOpen reads any bytes.
func FuzzOpen(f *testing.F) {
	f.Add(plainBook(`<row r="1"><c r="A1" t="s"><v>0</v></c></row>`).zip(f))
	f.Add([]byte("PK\x03\x04"))
	f.Add([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"))
	f.Fuzz(func(t *testing.T, file []byte) { readAny(t, file) })
}

// FuzzParts reads any text in the places where the parts of a workbook are.
func FuzzParts(f *testing.F) {
	p := plainBook(`<row r="1" hidden="1"><c r="A1" t="s" s="1"><v>0</v></c><c r="C1" s="2"><v>12.5</v></c></row><row r="4"><c t="inlineStr"><is><t>x</t></is></c><c t="d"><v>2024-03-01</v></c></row>`)
	const book, arrows = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
	f.Add(p[sheet1], p["xl/sharedStrings.xml"], p["xl/styles.xml"], p[book], p[arrows])
	f.Fuzz(func(t *testing.T, data, sst, styles, list, rel string) {
		readAny(t, p.with(sheet1, data).with("xl/sharedStrings.xml", sst).with("xl/styles.xml", styles).with(book, list).with(arrows, rel).zip(t))
	})
}
