package xlsx

import (
	"bytes"
	"io"

	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/sheet/xlsx/opc"
	"github.com/dropload/dropload/internal/sheet/xlsx/xmltext"
)

// surveyed is how many bytes of all sheets together are looked through for their
// number of rows. What a sheet says of itself, its dimension, is often wrong.
const surveyed = 16 << 20

// survey describes the sheets.
func (w *workbook) survey() []sheet.SheetMeta {
	left := int64(surveyed)
	out := make([]sheet.SheetMeta, len(w.sheets))
	for i, s := range w.sheets {
		out[i] = sheet.SheetMeta{Name: s.name, Hidden: s.hidden, Rows: -1}
		if left > 0 && s.file != nil {
			out[i].Rows = lastRow(s.file, &left)
		}
	}
	return out
}

// lastRow is the number of the last row with a value; -1 where that takes more
// bytes than are left, or where the sheet is broken.
func lastRow(p *opc.Part, left *int64) int64 {
	rc, err := p.Open()
	if err != nil {
		return -1
	}
	defer rc.Close()
	in := &io.LimitedReader{R: rc, N: *left}
	defer func() { *left = in.N }()
	s := xmltext.New(xmltext.Decode(in))
	var row, filled int64
	for {
		tok, err := s.Next()
		if err != nil {
			return -1
		}
		switch {
		case tok == xmltext.End && bytes.Equal(s.Name, []byte("sheetData")):
			return filled
		case tok != xmltext.Start:
		case string(s.Name) == "sheetData" && s.Empty:
			return 0
		case string(s.Name) == "row":
			if n := digits([]byte(s.Attr("r"))); n > 0 {
				row = n
			} else {
				row++
			}
		case string(s.Name) == "v" && !s.Empty, string(s.Name) == "is" && !s.Empty:
			filled = row
		}
	}
}
