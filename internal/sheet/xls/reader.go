package xls

import (
	"errors"
	"io"
	"math"

	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/sheet/numfmt"
)

// CellUnreadable is the code of the problem with a cell whose record is damaged:
// it is too short, points to a text that is not there, or lies outside the sheet.
const CellUnreadable = "cell_unreadable"

// maxColumns is the width of a sheet of this format.
const maxColumns = 256

// reader implements sheet.Reader.
type reader struct {
	g      *globals
	sc     *scanner
	hidden *rowSet
	rows   int64    // of the last row
	index  []uint64 // of the cells, where they are out of order

	row    record.Row
	shown  []byte // the texts of the row's numbers, to be one string
	spans  []span
	inside int // substreams that the scanner is in
	err    error
}

// span is where in shown the text of a cell is.
type span struct{ col, from, to int }

// Next returns the next row. After an error it returns the same one again.
func (r *reader) Next() (*record.Row, error) {
	if r.err != nil {
		return nil, r.err
	}
	if r.row.Number >= r.rows {
		r.err = io.EOF
		return nil, r.err
	}
	clear(r.row.Cells)
	r.row.Problems = r.row.Problems[:0]
	r.shown, r.spans = r.shown[:0], r.spans[:0]
	r.row.Cells = r.row.Cells[:0]
	r.row.Hidden = r.hidden.has(uint16(r.row.Number))
	r.row.Number++
	if r.index != nil {
		r.err = r.pick()
	} else {
		r.err = r.collect()
	}
	if r.err != nil {
		return nil, r.err
	}
	shown := string(r.shown)
	for _, s := range r.spans {
		r.row.Cells[s.col].Text = shown[s.from:s.to]
	}
	return &r.row, nil
}

// Close has nothing to free.
func (r *reader) Close() error { return nil }

// collect reads the cells of the row from where the scanner is.
func (r *reader) collect() error {
	for {
		back := r.sc.pos
		x, err := r.sc.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return cut(err)
		}
		switch {
		case isBOF(x.id):
			r.inside++
		case x.id == recEOF:
			r.inside--
		case r.inside == 1 && hasValue(x.id) && len(x.data) >= 4:
			if int64(u16(x.data)) >= r.row.Number {
				r.sc.pos = back
				return nil
			}
			if err := r.cells(x); err != nil {
				return err
			}
		}
		if r.inside <= 0 {
			r.sc.pos = r.sc.end
			return nil
		}
	}
}

// pick reads the cells of the row by the index.
func (r *reader) pick() error {
	const place = 1<<48 - 1
	for len(r.index) > 0 && int64(r.index[0]>>48) == r.row.Number-1 {
		r.sc.pos = int64(r.index[0] & place)
		r.index = r.index[1:]
		x, err := r.sc.next()
		if err != nil {
			return cut(err)
		}
		if err := r.cells(x); err != nil {
			return err
		}
	}
	return nil
}

// cells puts what a record holds into the row.
func (r *reader) cells(x rec) error {
	col := int(u16(x.data[2:]))
	if x.id == recMulRK {
		r.mulRK(x.data, col)
		return nil
	}
	body := 6 // behind row, column and the number of the XF record
	var f *numfmt.Format
	if old(x.id, r.g.version) {
		body = 7 // BIFF2 has the attributes themselves
	}
	if len(x.data) < body {
		r.complain(col)
		return nil
	}
	if body == 7 {
		f = r.g.numbered(x.data[5] & 0x3F)
	} else {
		f = r.g.format(u16(x.data[4:]))
	}
	if v, ok := numeric(x.id, x.data[body:]); ok {
		r.number(col, v, f)
		return nil
	}
	c, ok, err := r.value(x.id, x.data[body:])
	if ok {
		r.put(col, c)
	} else if err == nil {
		r.complain(col)
	}
	return err
}

// old tells whether a cell is in the form of BIFF2.
func old(id uint16, version int) bool {
	return id <= recBoolErr2 || id == recFormula && version == 2
}

// numeric reads the number that a cell holds, if it does.
func numeric(id uint16, b []byte) (float64, bool) {
	switch id {
	case recRK:
		if len(b) >= 4 {
			return rk(u32(b)), true
		}
	case recNumber, recNumber2:
		if len(b) >= 8 {
			return math.Float64frombits(u64(b)), true
		}
	case recInteger2:
		if len(b) >= 2 {
			return float64(u16(b)), true
		}
	case recFormula, recFormula3, recFormula4:
		if len(b) >= 8 && u16(b[6:]) != 0xFFFF {
			return math.Float64frombits(u64(b)), true
		}
	}
	return 0, false
}

// value reads what is no number; ok is false where the record is damaged.
func (r *reader) value(id uint16, b []byte) (c record.Cell, ok bool, err error) {
	switch id {
	case recLabelSST:
		if len(b) < 4 {
			return c, false, nil
		}
		text, ok := r.g.texts.get(u32(b))
		return record.Cell{Kind: record.Text, Text: text}, ok, nil
	case recBoolErr, recBoolErr2:
		if len(b) < 2 {
			return c, false, nil
		}
		return boolOrError(b[0], b[1] != 0), true, nil
	case recFormula, recFormula3, recFormula4:
		if len(b) < 8 {
			return c, false, nil
		}
		return r.formula(b)
	case recLabel, recRString, recLabel2:
		return r.text(id, b)
	}
	return c, false, nil
}

// text reads the string of a record that has it in itself.
func (r *reader) text(id uint16, b []byte) (record.Cell, bool, error) {
	c := cursor{sc: r.sc, data: b}
	var n int
	if id == recLabel2 || id == recString2 {
		n = int(c.u8())
	} else {
		n = int(c.u16())
	}
	var s string
	if r.g.version >= 8 && id != recLabel2 && id != recString2 {
		s = string(c.unicode(nil, n))
	} else {
		raw := make([]byte, 0, min(n, len(b)))
		for ; n > 0 && !c.short; n-- {
			raw = append(raw, c.u8())
		}
		s = decodeBytes(r.g.enc, raw)
	}
	return record.Cell{Kind: record.Text, Text: s}, !c.short, c.err
}

// formula reads a formula's stored result that is no number. That of a text is
// in a STRING record, which comes after what belongs to the formula.
func (r *reader) formula(b []byte) (record.Cell, bool, error) {
	switch b[0] {
	case 0:
		return r.result()
	case 1:
		return boolOrError(b[2], false), true, nil
	case 2:
		return boolOrError(b[2], true), true, nil
	}
	return record.Cell{Kind: record.Text}, true, nil
}

// result reads the text of a formula: the STRING record before the next cell.
// Without one the text is empty, as some programs write it.
func (r *reader) result() (record.Cell, bool, error) {
	for {
		back := r.sc.pos
		x, err := r.sc.next()
		switch {
		case err != nil && !errors.Is(err, io.EOF):
			return record.Cell{}, false, cut(err)
		case err == nil && (x.id == recString || x.id == recString2):
			return r.text(x.id, x.data)
		case err != nil || hasValue(x.id) || isBOF(x.id) || x.id == recEOF || x.id == recRow:
			r.sc.pos = back
			return record.Cell{Kind: record.Text}, true, nil //nolint:nilerr // the end of the stream is the end of the text
		}
	}
}

// mulRK reads a run of numbers: for each the XF record and the value.
func (r *reader) mulRK(b []byte, col int) {
	if len(b) < 6 {
		r.complain(col)
		return
	}
	for b = b[4 : len(b)-2]; len(b) >= 6; b = b[6:] {
		r.number(col, rk(u32(b[2:])), r.g.format(u16(b)))
		col++
	}
}

// put sets a cell of the row.
func (r *reader) put(col int, c record.Cell) {
	if col >= maxColumns {
		r.complain(-1)
		return
	}
	for len(r.row.Cells) <= col {
		r.row.Cells = append(r.row.Cells, record.Cell{})
	}
	r.row.Cells[col] = c
}

// complain notes that a cell of the row is damaged; -1 is one outside the sheet.
func (r *reader) complain(col int) {
	if len(r.row.Problems) < maxColumns {
		r.row.Problems = append(r.row.Problems, record.Problem{Code: CellUnreadable, Column: col})
	}
}

// number puts a number under its format into the row; its text follows when
// the row is complete.
func (r *reader) number(col int, v float64, f *numfmt.Format) {
	kind, days := f.Moment(v, r.g.date1904)
	if col < maxColumns {
		from := len(r.shown)
		r.shown = f.AppendCell(r.shown, v, r.g.date1904)
		r.spans = append(r.spans, span{col, from, len(r.shown)})
	}
	r.put(col, record.Cell{Kind: kind, Number: days})
}

// rk unpacks a number of 30 bits: the upper bits of a float or an integer,
// either divided by 100 or not.
func rk(n uint32) float64 {
	v := math.Float64frombits(uint64(n&^3) << 32)
	if n&2 != 0 {
		v = float64(int32(n) >> 2)
	}
	if n&1 != 0 {
		v /= 100
	}
	return v
}

func boolOrError(b byte, isError bool) record.Cell {
	switch {
	case isError:
		return record.Cell{Kind: record.Error, Text: errorName(b)}
	case b != 0:
		return record.Cell{Kind: record.Bool, Text: "TRUE", Number: 1}
	}
	return record.Cell{Kind: record.Bool, Text: "FALSE"}
}

func errorName(b byte) string {
	switch b {
	case 0x00:
		return "#NULL!"
	case 0x07:
		return "#DIV/0!"
	case 0x0F:
		return "#VALUE!"
	case 0x17:
		return "#REF!"
	case 0x1D:
		return "#NAME?"
	case 0x24:
		return "#NUM!"
	}
	return "#N/A"
}

// format is the number format of an XF record.
func (g *globals) format(xf uint16) *numfmt.Format {
	if int(xf) < len(g.xfs) {
		return g.xfs[xf]
	}
	return g.xfs[0]
}

// numbered is a number format of BIFF2.
func (g *globals) numbered(n byte) *numfmt.Format {
	if int(n) < len(g.byNumber) {
		return g.byNumber[n]
	}
	return g.xfs[0]
}
