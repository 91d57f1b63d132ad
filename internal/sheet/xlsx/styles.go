package xlsx

import (
	"strconv"

	"github.com/dropload/dropload/internal/sheet/numfmt"
	"github.com/dropload/dropload/internal/sheet/xlsx/opc"
	"github.com/dropload/dropload/internal/sheet/xlsx/xmltext"
)

func itoa(n int) string { return strconv.Itoa(n) }

// style is what a cell's style says about showing numbers.
type style struct {
	format *numfmt.Format
	plain  bool // General
}

const (
	// maxStyles is Excel's limit of cell formats, times two.
	maxStyles = 1 << 17
	// maxCodes is the length of all number formats together; what comes after
	// is General. Excel allows about 250 formats of 255 characters.
	maxCodes = 1 << 20
)

// readStyles reads the number formats of the cell styles. Formats are parsed
// once each.
func (w *workbook) readStyles(p *opc.Part) error {
	codes := map[int]string{}
	formats := map[int]style{}
	length := 0    // of the codes
	cells := false // within cellXfs
	err := scan(p, func(s *xmltext.Scanner) error {
		switch string(s.Name) {
		case "numFmt":
			if id, err := strconv.Atoi(s.Attr("numFmtId")); err == nil && length < maxCodes {
				codes[id] = s.Attr("formatCode")
				length += len(codes[id]) + 8
			}
		case "cellXfs":
			cells = true
		case "cellStyleXfs", "dxfs", "cellStyles":
			cells = false
		case "xf":
			if !cells || len(w.styles) >= maxStyles {
				return nil
			}
			id, _ := strconv.Atoi(s.Attr("numFmtId")) // none is General
			if _, known := formats[id]; !known {
				code, own := codes[id]
				if !own {
					code = numfmt.Builtin(id)
				}
				formats[id] = style{format: numfmt.Parse(code), plain: code == "General"}
			}
			w.styles = append(w.styles, formats[id])
		}
		return nil
	})
	return err
}

// style returns the style with this index; General where there is none.
func (w *workbook) style(i int) *style {
	if i >= 0 && i < len(w.styles) {
		return &w.styles[i]
	}
	return nil
}

// general is the format of a cell that says nothing.
//
//nolint:gochecknoglobals // never changed
var general = numfmt.Parse("General")
