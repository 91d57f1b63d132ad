package xlsx

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/sheet/xlsx/opc"
	"github.com/dropload/dropload/internal/sheet/xlsx/xmltext"
)

// reader streams the rows of one sheet.
type reader struct {
	book    *workbook
	strings view
	src     io.ReadCloser
	scan    *xmltext.Scanner
	err     error // sticky

	row   record.Row // what Next returns
	blank record.Row // what Next returns in a gap
	held  bool       // row waits for the blank rows before it
	next  int64      // number of the row that Next is to return
	last  int64      // number of the last row element
	// numbered tells that the row said its number, or that its first cell did.
	numbered bool
	gaps     int64 // empty cells before others so far

	hidden []int // columns

	cells   []record.Cell // row.Cells with room behind; zero but where touched
	used    int           // the columns up to the last cell
	touched []int         // the columns of the cells that are set
	texts   []byte        // holds the formatted texts of the row
	shown   int           // length of the texts of the row, shared ones included
	value   []byte        // of the cell being read
	inner   []byte        // its inline text
}

func (w *workbook) newReader(p *opc.Part) (*reader, error) {
	src, err := p.Open()
	if err != nil {
		return nil, err
	}
	r := &reader{book: w, strings: view{of: w.strings}, src: src, next: 1}
	r.scan = xmltext.New(xmltext.Decode(src))
	if err := r.findData(); err != nil {
		_ = src.Close() // the first error is the one to tell
		return nil, err
	}
	return r, nil
}

// Close implements sheet.Reader.
func (r *reader) Close() error {
	if r.src == nil {
		return nil
	}
	err := r.src.Close()
	r.src, r.err = nil, errors.New("xlsx: the sheet is closed")
	return err
}

// findData goes to the start of the sheet's data.
func (r *reader) findData() error {
	for r.err == nil {
		tok, err := r.scan.Next()
		switch {
		case errors.Is(err, io.EOF):
			r.err = io.EOF // a sheet without data
		case err != nil:
			return broken(err)
		case tok == xmltext.Start && string(r.scan.Name) == "col":
			r.hideColumns()
		case tok == xmltext.Start && string(r.scan.Name) == "sheetData":
			if r.scan.Empty {
				r.err = io.EOF
			}
			return nil
		}
	}
	return nil
}

// hideColumns notes the columns that a col element hides.
func (r *reader) hideColumns() {
	from, to := digits([]byte(r.scan.Attr("min"))), digits([]byte(r.scan.Attr("max")))
	if !isTrue(r.scan.Attr("hidden")) || from < 1 {
		return
	}
	for c := from; c <= min(to, MaxColumns) && len(r.hidden) < MaxColumns; c++ {
		r.hidden = append(r.hidden, int(c-1))
	}
}

// HiddenColumns are the columns that the sheet hides, from 0. They are read all
// the same.
func (r *reader) HiddenColumns() []int { return r.hidden }

// Next implements sheet.Reader.
func (r *reader) Next() (*record.Row, error) {
	if !r.held {
		if r.err == nil {
			r.err = r.read()
		}
		if r.err != nil {
			return nil, r.err
		}
	}
	if r.next < r.row.Number {
		r.held = true
		r.blank = record.Row{Number: r.next}
		r.next++
		return &r.blank, nil
	}
	r.held = false
	r.next = r.row.Number + 1
	return &r.row, nil
}

// read reads the next row that holds anything; io.EOF after the last one.
func (r *reader) read() error {
	for {
		tok, err := r.scan.Next()
		switch {
		case err != nil:
			return broken(err)
		case tok == xmltext.End && string(r.scan.Name) == "sheetData":
			return r.drain()
		case tok != xmltext.Start:
			continue
		case string(r.scan.Name) != "row":
			if err := r.scan.Skip(); err != nil {
				return broken(err)
			}
			continue
		}
		some, err := r.readRow()
		if some || err != nil {
			return err
		}
	}
}

// drain reads what follows the data, so that the part's checksum is looked at.
func (r *reader) drain() error {
	if _, err := io.Copy(io.Discard, r.src); err != nil {
		return broken(err)
	}
	return io.EOF
}

// readRow reads the row element that was just started, and tells whether any of
// its cells holds anything.
func (r *reader) readRow() (bool, error) {
	number, hidden, given := r.last+1, false, false
	for name, val, rest := xmltext.NextAttr(r.scan.Attrs()); name != nil; name, val, rest = xmltext.NextAttr(rest) {
		switch string(name) {
		case "r":
			if n := digits(val); n >= number {
				number, given = n, true
			}
		case "hidden":
			hidden = isTrue(string(val))
		}
	}
	if number > MaxRows {
		return false, &fault.BadFile{Code: "corrupt", Message: "A row of the sheet has a number that no sheet has."}
	}
	r.numbered = given
	for _, c := range r.touched { // not all: a lone cell may be far to the right
		r.cells[c] = record.Cell{}
	}
	r.touched = r.touched[:0]
	r.used, r.shown = 0, 0
	r.texts = r.texts[:0]
	r.row = record.Row{Number: number, Hidden: hidden}
	defer func() { r.last = r.row.Number }()
	if r.scan.Empty {
		return false, nil
	}
	column := 0 // of the next cell without a reference
	for {
		tok, err := r.scan.Next()
		switch {
		case err != nil:
			return false, broken(err)
		case tok == xmltext.End:
			return r.finishRow()
		case tok != xmltext.Start:
			continue
		case len(r.scan.Name) != 1 || r.scan.Name[0] != 'c':
			if err := r.scan.Skip(); err != nil {
				return false, broken(err)
			}
			continue
		}
		if column, err = r.readCell(column); err != nil {
			return false, err
		}
	}
}

// finishRow cuts empty cells at the end off.
func (r *reader) finishRow() (bool, error) {
	n := r.used
	for n > 0 && r.cells[n-1].Kind == record.Empty {
		n--
	}
	r.row.Cells = r.cells[:n]
	return n > 0 || len(r.row.Problems) > 0, nil
}

// readCell reads the cell element that was just started and returns the column
// of a cell that follows it without a reference.
func (r *reader) readCell(column int) (int, error) {
	style, kind := -1, byte('n')
	for name, val, rest := xmltext.NextAttr(r.scan.Attrs()); name != nil; name, val, rest = xmltext.NextAttr(rest) {
		if len(name) != 1 || len(val) == 0 {
			continue
		}
		switch name[0] {
		case 'r':
			c, row := reference(val)
			if c >= 0 {
				column = c
			}
			if !r.numbered && row > r.row.Number && row <= MaxRows {
				r.row.Number = row
			}
			r.numbered = true
		case 's':
			style = int(digits(val))
		case 't':
			kind = cellKind(val)
		}
	}
	if column >= MaxColumns {
		return 0, &fault.BadFile{Code: "corrupt", Message: "A cell of the sheet is in a column that no sheet has."}
	}
	if r.scan.Empty {
		return column + 1, nil
	}
	inline, formula, err := r.readContent()
	if err != nil {
		return 0, err
	}
	if formula && kind == kindNumber && len(r.value) == 0 {
		r.complain("formula_not_calculated", column)
	}
	cell, ok, err := r.cell(kind, style, inline)
	if err != nil {
		return 0, err
	}
	if !ok {
		r.complain("cell_unreadable", column)
	}
	if cell.Kind == record.Empty {
		return column + 1, nil
	}
	if r.shown += len(cell.Text); r.shown > MaxRowText {
		return 0, &fault.BadFile{Code: "too-large", Message: "A row of the sheet holds more than 32 megabytes of text."}
	}
	return column + 1, r.put(column, cell)
}

// complain notes a problem with a cell of the row.
func (r *reader) complain(code string, column int) {
	r.row.Problems = append(r.row.Problems, record.Problem{Code: code, Column: column})
}

// put sets a cell of the row.
func (r *reader) put(column int, cell record.Cell) error {
	if column >= r.used {
		if r.gaps += int64(column - r.used); r.gaps > MaxGaps {
			return &fault.BadFile{Code: "too-large", Message: "The cells of the sheet are too far apart. Delete the empty columns between them."}
		}
		if column >= len(r.cells) {
			r.cells = append(r.cells, make([]record.Cell, column+1-len(r.cells))...)
		}
		r.used = column + 1
	}
	r.cells[column] = cell
	r.touched = append(r.touched, column)
	return nil
}

// readContent reads the value of a cell into r.value and its inline text into
// r.inner, and tells whether there is an inline text and a formula.
func (r *reader) readContent() (inline, formula bool, err error) {
	r.value, r.inner = r.value[:0], r.inner[:0]
	inValue := false
	for {
		tok, err := r.scan.Next()
		if err != nil {
			return false, false, broken(err)
		}
		switch tok {
		case xmltext.Text:
			if inValue {
				if r.value = r.scan.AppendText(r.value); len(r.value) > MaxText {
					return false, false, errLongText()
				}
			}
		case xmltext.End:
			if !inValue {
				return inline, formula, nil // of the cell
			}
			inValue = false
		case xmltext.Start:
			switch {
			case len(r.scan.Name) == 1 && r.scan.Name[0] == 'v':
				inValue = !r.scan.Empty
			case string(r.scan.Name) == "is":
				inline = true
				if r.inner, err = appendRich(r.inner, r.scan); err != nil {
					return false, false, err
				}
			default:
				formula = formula || len(r.scan.Name) == 1 && r.scan.Name[0] == 'f'
				if err := r.scan.Skip(); err != nil {
					return false, false, broken(err)
				}
			}
		}
	}
}

// Cell types, by the attribute t.
const (
	kindNumber  = 'n'
	kindShared  = 's'
	kindString  = 'x' // str: a formula's text
	kindInline  = 'i'
	kindBool    = 'b'
	kindError   = 'e'
	kindISODate = 'd'
)

func cellKind(t []byte) byte {
	switch string(t) {
	case "s":
		return kindShared
	case "n":
		return kindNumber
	case "b":
		return kindBool
	case "e":
		return kindError
	case "d":
		return kindISODate
	case "inlineStr":
		return kindInline
	}
	return kindString
}

// cell makes the cell of what was read; false where it cannot be made out.
func (r *reader) cell(kind byte, style int, inline bool) (record.Cell, bool, error) {
	if inline && (kind == kindInline || len(r.value) == 0) {
		return r.textCell(r.inner), true, nil
	}
	if len(r.value) == 0 {
		return record.Cell{}, true, nil
	}
	switch kind {
	case kindShared:
		return r.sharedCell()
	case kindBool:
		if isTrue(string(r.value)) {
			return record.Cell{Kind: record.Bool, Number: 1, Text: "TRUE"}, true, nil
		}
		return record.Cell{Kind: record.Bool, Text: "FALSE"}, true, nil
	case kindError:
		return record.Cell{Kind: record.Error, Text: r.keep(r.value)}, true, nil
	case kindISODate:
		return r.dateCell(style), true, nil
	case kindNumber:
		if v, ok := parseNumber(r.value); ok {
			return r.numberCell(v, style), true, nil
		}
	}
	r.value = unescape(r.value, 0)
	return r.textCell(r.value), true, nil
}

func (r *reader) textCell(b []byte) record.Cell {
	if len(b) == 0 {
		return record.Cell{}
	}
	if !utf8.Valid(b) {
		b = bytes.ToValidUTF8(b, []byte("\ufffd"))
	}
	return record.Cell{Kind: record.Text, Text: r.keep(b)}
}

// keep copies b to the texts of the row. What was kept before stays valid where
// the texts move.
func (r *reader) keep(b []byte) string {
	from := len(r.texts)
	r.texts = append(r.texts, b...)
	return text(r.texts[from:])
}

func (r *reader) sharedCell() (record.Cell, bool, error) {
	v, ok := parseNumber(r.value)
	if !ok || v < 0 || v != float64(int(v)) {
		return record.Cell{}, false, nil
	}
	s, err := r.strings.get(int(v))
	switch {
	case errors.Is(err, errNoString):
		return record.Cell{}, false, nil
	case err != nil:
		return record.Cell{}, false, err
	case s == "":
		return record.Cell{}, true, nil
	}
	return record.Cell{Kind: record.Text, Text: s}, true, nil
}

func (r *reader) numberCell(v float64, index int) record.Cell {
	st := r.book.style(index)
	from := len(r.texts)
	if st == nil || st.plain {
		if isShown(r.value) {
			r.texts = append(r.texts, r.value...)
		} else {
			r.texts = general.AppendCell(r.texts, v, false)
		}
		return record.Cell{Kind: record.Number, Number: v, Text: text(r.texts[from:])}
	}
	kind, number := st.format.Moment(v, r.book.date1904)
	r.texts = st.format.AppendCell(r.texts, v, r.book.date1904)
	return record.Cell{Kind: kind, Number: number, Text: text(r.texts[from:])}
}

// dateCell reads a date that is written out.
func (r *reader) dateCell(index int) record.Cell {
	kind, days, ok := parseMoment(string(r.value))
	if !ok {
		return r.textCell(r.value)
	}
	if st := r.book.style(index); st != nil && st.format.Kind(days) != record.Number {
		from := len(r.texts)
		r.texts = st.format.AppendText(r.texts, days, false)
		return record.Cell{Kind: kind, Number: days, Text: text(r.texts[from:])}
	}
	return record.Cell{Kind: kind, Number: days, Text: strings.Replace(r.keep(r.value), "T", " ", 1)}
}

// digits reads a whole number; 0 where it is none, or too large for a sheet.
func digits(b []byte) int64 {
	var n int64
	for _, c := range b {
		if c < '0' || c > '9' || n > 1<<40 {
			return 0
		}
		n = n*10 + int64(c-'0')
	}
	return n
}

// reference reads a reference such as AB12: its column from 0, -1 where there is
// none, and its row.
func reference(ref []byte) (column int, row int64) {
	n := 0
	for i, c := range ref {
		switch {
		case c >= 'A' && c <= 'Z':
			n = n*26 + int(c-'A') + 1
		case c >= 'a' && c <= 'z':
			n = n*26 + int(c-'a') + 1
		case c == '$':
		default:
			return n - 1, digits(ref[i:])
		}
		if n > MaxColumns {
			return MaxColumns, 0
		}
	}
	return n - 1, 0
}
