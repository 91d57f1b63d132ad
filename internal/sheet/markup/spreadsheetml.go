package markup

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/sheet/numfmt"
	"github.com/dropload/dropload/internal/sheet/xlsx/xmltext"
)

// maxStyles bounds the styles of a workbook; Excel allows 4,000.
const maxStyles = 1 << 16

// xmlBook implements sheet.Workbook for SpreadsheetML 2003. Source of the format:
// Microsoft's "XML Spreadsheet Reference" for Excel 2002 and 2003.
type xmlBook struct {
	doc     document
	formats map[string]*numfmt.Format // by style
	general *numfmt.Format
	meta    []sheet.SheetMeta
}

// style is one style as it is written; what it leaves out its parent has.
type style struct{ parent, format string }

func openXML(d document) (sheet.Workbook, error) {
	r, err := d.from(0)
	if err != nil {
		return nil, err
	}
	w := &xmlBook{doc: d, formats: map[string]*numfmt.Format{}, general: numfmt.Parse("General")}
	styles := map[string]style{}
	s := xmltext.New(r)
	err = elements(s, func(name string) error { // Workbook
		if name != "Workbook" {
			return s.Skip()
		}
		return elements(s, func(name string) error {
			switch name {
			case "Styles":
				return readStyles(s, styles)
			case "Worksheet":
				return w.survey(s)
			}
			return s.Skip()
		})
	})
	if err = broken(err); err != nil {
		return nil, err
	}
	if len(w.meta) == 0 {
		return nil, unsupported("it is a workbook without a worksheet")
	}
	w.resolve(styles)
	return w, nil
}

// elements calls visit for each child of the element that s just read the start
// of, and of the document at its beginning. visit has to read or skip the child
// to its end.
func elements(s *xmltext.Scanner, visit func(name string) error) error {
	top := s.Name == nil
	if !top && s.Empty {
		return nil
	}
	for {
		t, err := s.Next()
		switch {
		case top && errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, io.EOF):
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		case t == xmltext.End && !top:
			return nil
		case t == xmltext.Start:
			if err := visit(string(s.Name)); err != nil {
				return err
			}
		}
	}
}

// broken turns what the scanner finds wrong with the markup into a fault.
func broken(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return corrupt("it is cut off")
	case errors.Is(err, xmltext.ErrSyntax):
		return corrupt("its markup is wrong")
	}
	return err
}

func readStyles(s *xmltext.Scanner, styles map[string]style) error {
	return elements(s, func(name string) error {
		if name != "Style" {
			return s.Skip()
		}
		id := attr(s, "ID")
		st := style{parent: attr(s, "Parent")}
		err := elements(s, func(name string) error {
			if name == "NumberFormat" {
				if st.format = attr(s, "Format"); st.format == "" {
					st.format = "General"
				}
			}
			return s.Skip()
		})
		if len(styles) >= maxStyles {
			return tooLarge("it has more than 65536 styles")
		}
		styles[id] = st
		return err
	})
}

// attr is the value of an attribute with any prefix or none.
func attr(s *xmltext.Scanner, name string) string {
	if v := s.PrefixedAttr(name); v != "" {
		return v
	}
	return s.Attr(name)
}

// resolve finds the format of each style: its own, its parent's, or that of the
// style "Default".
func (w *xmlBook) resolve(styles map[string]style) {
	const generations = 8
	parsed := map[string]*numfmt.Format{}
	for id := range styles {
		code := ""
		for at, n := id, 0; n < generations && code == ""; n++ {
			st, ok := styles[at]
			if !ok {
				break
			}
			if code, at = st.format, st.parent; at == "" {
				at = "Default"
			}
		}
		f, ok := parsed[code]
		if !ok {
			f = numfmt.Parse(formatCode(code))
			parsed[code] = f
		}
		w.formats[id] = f
	}
	if f, ok := w.formats["Default"]; ok {
		w.general = f
	}
}

// format is that of a style, or of the default one.
func (w *xmlBook) format(id string) *numfmt.Format {
	if f, ok := w.formats[id]; ok {
		return f
	}
	return w.general
}

// formatCode spells out the formats that have a name.
func formatCode(s string) string {
	switch s {
	case "", "General Number":
		return "General"
	case "General Date":
		return "m/d/yyyy h:mm"
	case "Long Date":
		return "dddd, mmmm dd, yyyy"
	case "Medium Date":
		return "d-mmm-yy"
	case "Short Date":
		return "m/d/yyyy"
	case "Long Time":
		return "h:mm:ss AM/PM"
	case "Medium Time":
		return "h:mm AM/PM"
	case "Short Time":
		return "h:mm"
	case "Currency":
		return `$#,##0.00_);\($#,##0.00\)`
	case "Euro Currency":
		return `[$€-2] #,##0.00_);\([$€-2] #,##0.00\)`
	case "Fixed":
		return "0.00"
	case "Standard":
		return "#,##0.00"
	case "Percent":
		return "0.00%"
	case "Scientific":
		return "0.00E+00"
	case "Yes/No":
		return `"Yes";"Yes";"No"`
	case "True/False":
		return `"True";"True";"False"`
	case "On/Off":
		return `"On";"On";"Off"`
	}
	return s
}

// survey reads what a worksheet is: its name, its rows, whether it is hidden.
func (w *xmlBook) survey(s *xmltext.Scanner) error {
	if len(w.meta) >= maxSheets {
		return tooLarge("it has more than 16384 sheets")
	}
	m := sheet.SheetMeta{Name: attr(s, "Name")}
	err := elements(s, func(name string) error {
		switch name {
		case "Table":
			row := int64(0) // the last one read, and those it stands for
			return elements(s, func(name string) error {
				if name != "Row" {
					return s.Skip()
				}
				number := indexOf(s, row+1)
				if number <= row {
					return corrupt("its rows are out of order")
				}
				if number > maxRows {
					return tooLarge("a sheet has more than 1048576 rows")
				}
				row = number + spanAttr(s)
				filled := false
				err := elements(s, func(name string) error {
					if filled {
						return s.Skip()
					}
					return elements(s, func(name string) error {
						filled = filled || name == "Data"
						return s.Skip()
					})
				})
				if filled {
					m.Rows = number
				}
				return err
			})
		case "WorksheetOptions":
			return elements(s, func(name string) error {
				if name != "Visible" {
					return s.Skip()
				}
				text, err := content(s, nil)
				m.Hidden = strings.HasSuffix(string(text), "Hidden")
				return err
			})
		}
		return s.Skip()
	})
	w.meta = append(w.meta, m)
	return err
}

// indexOf is the ss:Index of an element; next where it has none.
func indexOf(s *xmltext.Scanner, next int64) int64 {
	if n, err := strconv.ParseInt(attr(s, "Index"), 10, 64); err == nil {
		return n
	}
	return next
}

// spanAttr is how many more rows or columns an element stands for.
func spanAttr(s *xmltext.Scanner) int64 {
	n, err := strconv.ParseInt(attr(s, "Span"), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return min(n, maxRows)
}

// content appends all text inside the element, formatted text included.
func content(s *xmltext.Scanner, dst []byte) ([]byte, error) {
	if s.Empty {
		return dst, nil
	}
	for depth := 1; ; {
		t, err := s.Next()
		switch {
		case errors.Is(err, io.EOF):
			return dst, io.ErrUnexpectedEOF
		case err != nil:
			return dst, err
		case t == xmltext.Start && !s.Empty:
			depth++
		case t == xmltext.End:
			if depth--; depth == 0 {
				return dst, nil
			}
		case t == xmltext.Text:
			if dst = s.AppendText(dst); len(dst) > maxRowText {
				return dst, tooLarge("a row has more than 32 MB of text")
			}
		}
	}
}

// Sheets describes the worksheets.
func (w *xmlBook) Sheets() []sheet.SheetMeta { return append([]sheet.SheetMeta{}, w.meta...) }

// Open reads a worksheet.
func (w *xmlBook) Open(i int) (sheet.Reader, error) {
	if i < 0 || i >= len(w.meta) {
		return nil, unsupported("it has no such sheet")
	}
	text, err := w.doc.from(0)
	if err != nil {
		return nil, err
	}
	r := &sheetReader{book: w, s: xmltext.New(text), rows: w.meta[i].Rows}
	return r, broken(r.find(i))
}

// Close has nothing to free.
func (w *xmlBook) Close() error { return nil }
