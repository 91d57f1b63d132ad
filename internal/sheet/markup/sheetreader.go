package markup

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/sheet/numfmt"
	"github.com/dropload/dropload/internal/sheet/xlsx/xmltext"
)

// sheetReader implements sheet.Reader for a worksheet of SpreadsheetML.
type sheetReader struct {
	book *xmlBook
	s    *xmltext.Scanner
	rows int64 // number of the last row
	b    builder
	err  error

	table   string // the styles of the table and of its columns
	columns []string

	// what the next Row element says, once read
	found  bool
	number int64
	style  string
	hidden bool
	after  int64 // the number of the row behind it and those it stands for, too

	hiddenTo int64 // the rows up to here are hidden by a Row that stands for them
}

// find goes to the rows of worksheet i.
func (r *sheetReader) find(i int) error {
	for {
		t, err := r.s.Next()
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		if t != xmltext.Start {
			continue
		}
		switch string(r.s.Name) {
		case "Workbook":
		case "Worksheet":
			if i > 0 {
				i--
				err = r.s.Skip()
				break
			}
			return r.findTable()
		default:
			err = r.s.Skip()
		}
		if err != nil {
			return err
		}
	}
}

func (r *sheetReader) findTable() error {
	for empty := r.s.Empty; !empty; {
		t, err := r.s.Next()
		if err != nil {
			return err
		}
		if t == xmltext.End {
			break
		}
		if t != xmltext.Start {
			continue
		}
		if string(r.s.Name) == "Table" {
			r.table, r.after = attr(r.s, "StyleID"), 1
			if r.s.Empty {
				r.rows = 0
			}
			return nil
		}
		if err := r.s.Skip(); err != nil {
			return err
		}
	}
	r.rows = 0
	return nil
}

// Next returns the next row. After an error it returns the same one again.
func (r *sheetReader) Next() (*record.Row, error) {
	if r.err == nil && r.b.row.Number >= r.rows {
		r.err = io.EOF
	}
	if r.err != nil {
		return nil, r.err
	}
	row, err := r.next()
	r.err = broken(err)
	return row, r.err
}

// Close has nothing to free.
func (r *sheetReader) Close() error { return nil }

func (r *sheetReader) next() (*record.Row, error) {
	if !r.found {
		if err := r.findRow(); err != nil {
			return nil, err
		}
	}
	r.b.start()
	if r.b.row.Number < r.number {
		r.b.row.Hidden = r.b.row.Number <= r.hiddenTo
		return r.b.finish(0)
	}
	r.b.row.Hidden = r.hidden
	r.found = false
	if err := r.readCells(); err != nil {
		return nil, err
	}
	return r.b.finish(0)
}

// findRow goes to the next Row element.
func (r *sheetReader) findRow() error {
	for {
		t, err := r.s.Next()
		switch {
		case errors.Is(err, io.EOF):
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		case t == xmltext.End:
			return corrupt("a sheet has fewer rows than before")
		case t != xmltext.Start:
			continue
		}
		switch string(r.s.Name) {
		case "Row":
			return r.rowTag()
		case "Column":
			r.column()
		}
		if err := r.s.Skip(); err != nil {
			return err
		}
	}
}

// rowTag reads the tag of a row, whose place the survey has checked.
func (r *sheetReader) rowTag() error {
	if r.hidden {
		r.hiddenTo = r.after - 1
	}
	r.number = indexOf(r.s, r.after)
	if r.number <= r.b.row.Number {
		return corrupt("its rows are not where they were")
	}
	r.found = true
	r.after = r.number + 1 + spanAttr(r.s)
	r.style = attr(r.s, "StyleID")
	r.hidden = attr(r.s, "Hidden") == "1"
	return nil
}

// column keeps the style of the columns that a Column element stands for.
func (r *sheetReader) column() {
	first := indexOf(r.s, int64(len(r.columns))+1)
	last := first + spanAttr(r.s)
	if first < 1 || last > maxColumns {
		return
	}
	for int64(len(r.columns)) < last {
		r.columns = append(r.columns, "")
	}
	id := attr(r.s, "StyleID")
	for i := first - 1; i < last; i++ {
		r.columns[i] = id
	}
}

func (r *sheetReader) readCells() error {
	next := int64(1)
	return elements(r.s, func(name string) error {
		if name != "Cell" {
			return r.s.Skip()
		}
		col, style, wide := next, "", int64(0)
		for n, v, rest := xmltext.NextAttr(r.s.Attrs()); n != nil; n, v, rest = xmltext.NextAttr(rest) {
			switch string(n[bytes.LastIndexByte(n, ':')+1:]) {
			case "Index":
				if i, err := strconv.ParseInt(string(v), 10, 64); err == nil {
					col = i
				}
			case "MergeAcross":
				if i, err := strconv.ParseInt(string(v), 10, 64); err == nil && i > 0 {
					wide = min(i, maxColumns)
				}
			case "StyleID":
				style = string(xmltext.AppendText(nil, v))
			}
		}
		if col < next {
			return corrupt("the cells of a row are out of order")
		}
		if col > maxColumns {
			return tooLarge("a row has more than 16384 columns")
		}
		next = col + 1 + wide
		return elements(r.s, func(name string) error {
			if name != "Data" {
				return r.s.Skip()
			}
			return r.data(int(col-1), style)
		})
	})
}

// data reads the value of a cell.
func (r *sheetReader) data(col int, style string) error {
	kind := attr(r.s, "Type")
	from := len(r.b.text)
	var err error
	if r.b.text, err = content(r.s, r.b.text); err != nil {
		return err
	}
	written := r.b.text[from:]
	switch kind {
	case "Number":
		if v, err := strconv.ParseFloat(strings.TrimSpace(string(written)), 64); err == nil {
			return r.number64(col, v, r.formatOf(col, style), from)
		}
	case "DateTime":
		if v, ok := serial(string(written)); ok {
			f := r.formatOf(col, style)
			if f.Kind(v) == record.Number {
				f = r.dateFormat(v)
			}
			return r.number64(col, v, f, from)
		}
	case "Boolean":
		v := strings.TrimSpace(string(written))
		r.b.text = r.b.text[:from]
		if v == "1" || strings.EqualFold(v, "true") {
			r.b.text = append(r.b.text, "TRUE"...)
			return r.b.put(col, record.Bool, 1, from)
		}
		r.b.text = append(r.b.text, "FALSE"...)
		return r.b.put(col, record.Bool, 0, from)
	case "Error":
		return r.b.put(col, record.Error, 0, from)
	}
	return r.b.put(col, record.Text, 0, from)
}

func (r *sheetReader) number64(col int, v float64, f *numfmt.Format, from int) error {
	kind, days := f.Moment(v, false)
	r.b.text = f.AppendCell(r.b.text[:from], v, false)
	return r.b.put(col, kind, days, from)
}

// formatOf is the format of a cell: by its own style, its row's, its column's or
// the table's.
func (r *sheetReader) formatOf(col int, style string) *numfmt.Format {
	if style == "" {
		style = r.style
	}
	if style == "" && col < len(r.columns) {
		style = r.columns[col]
	}
	if style == "" {
		style = r.table
	}
	return r.book.format(style)
}

// dateFormat shows a date whose style does not say that it is one.
func (r *sheetReader) dateFormat(v float64) *numfmt.Format {
	if v == float64(int64(v)) {
		return numfmt.Parse("yyyy-mm-dd")
	}
	return numfmt.Parse("yyyy-mm-dd hh:mm:ss")
}

// serial is the number that Excel keeps for a moment such as
// 2004-05-31T10:30:00.000. Its day 60 is a 29th of February that never was; a
// time of day is on 1899-12-31, which is its day 0.
func serial(s string) (float64, bool) {
	s = strings.TrimSuffix(strings.TrimSpace(s), "Z")
	t, err := time.Parse("2006-01-02T15:04:05", s)
	if err != nil {
		if t, err = time.Parse("2006-01-02", s); err != nil {
			return 0, false
		}
	}
	const dayZero = -25_568 // 1899-12-31 in days of Unix
	seconds := t.Unix() - dayZero*86_400
	days := float64(seconds/86_400) + (float64(seconds%86_400)+float64(t.Nanosecond())/1e9)/86_400
	if days >= 60 {
		days++
	}
	return days, seconds >= 0
}
