package csv

import (
	"encoding/binary"
	"io"
	"math/bits"
	"strconv"
	"strings"

	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/sheet"
)

// Reader reads the records of a text in UTF-8. It is a sheet.Reader.
type Reader struct {
	s *scanner
	// text is the scanner's buffer as a string, made once a fill: the cells are
	// parts of it.
	text string
	at   int64 // offset of text[0] in the whole
	row  record.Row

	columns int   // of the header; 0 where none is known
	data    int64 // the first row to which columns applies
	clean   []byte
	cuts    []int
}

// NewReader reads r, whose first record has the number first, as the layout
// says. A byte order mark before record 1 is left away. Of the layout only
// Delimiter, Quote, Escape and what tells the header are used.
func NewReader(r io.Reader, l sheet.Layout, first int64) *Reader {
	c := &Reader{s: newScanner(r, l, first), data: l.DataFrom()}
	if l.HeaderRows > 0 {
		c.columns = len(l.Columns)
	}
	return c
}

// NewHeadReader reads the start of a text that goes on after r: a record that the
// end of r leaves open is not given.
func NewHeadReader(r io.Reader, l sheet.Layout) *Reader {
	c := NewReader(r, l, 1)
	c.s.goesOn = true
	return c
}

// Close frees the buffer.
func (r *Reader) Close() error {
	r.s.buf, r.s.pos, r.s.eof, r.text = nil, 0, true, ""
	return nil
}

// Offset is where the current record starts, in bytes from where r started.
func (r *Reader) Offset() int64 { return r.s.offset + int64(r.s.start) }

// Raw is the current record as it stands in the text, its line end included.
// It is valid until the next call of Next.
func (r *Reader) Raw() []byte { return r.s.buf[r.s.start:r.s.pos] }

// Quoted tells whether cell i of the current record is enclosed in quotes, and
// every quote within is doubled or escaped.
func (r *Reader) Quoted(i int) bool {
	return !r.s.plain && i < len(r.s.cells) && r.s.cells[i].quoted && !r.s.cells[i].stray
}

// Next returns the next record, io.EOF after the last one. Besides the errors
// of its source it returns *fault.BadFile with the code "too-large".
func (r *Reader) Next() (*record.Row, error) {
	if err := r.s.next(); err != nil {
		return nil, err
	}
	if r.at != r.s.offset || len(r.text) != len(r.s.buf) {
		r.text, r.at = string(r.s.buf), r.s.offset
	}
	r.row = record.Row{Number: r.s.row - 1, Cells: r.row.Cells[:0]}
	var err error
	switch {
	case !r.s.plain:
		r.split()
	case r.s.end > r.s.start:
		err = r.splitPlain()
	}
	if err != nil {
		return nil, err
	}
	r.report()
	return &r.row, nil
}

// splitPlain cuts a record without quotes and escapes.
func (r *Reader) splitPlain() error {
	switch len(r.s.delim) {
	case 0:
		r.row.Cells = append(r.row.Cells, text(r.text[r.s.start:r.s.end]))
	case 1:
		r.splitAt(r.s.delim[0])
	default:
		line := r.text[r.s.start:r.s.end]
		for d := string(r.s.delim); ; {
			cell, rest, found := strings.Cut(line, d)
			r.row.Cells = append(r.row.Cells, text(cell))
			if !found {
				break
			}
			line = rest
		}
	}
	if len(r.row.Cells) > MaxCells {
		return tooLarge(r.row.Number, "more than 65,536 cells")
	}
	return nil
}

// splitAt cuts the record at each byte d. Cells are short, so eight bytes are
// compared at a time: a search for each cell would cost more to begin than to do.
func (r *Reader) splitAt(d byte) {
	const (
		ones  = 0x0101010101010101
		lows  = 0x7f7f7f7f7f7f7f7f
		word  = 8
		shift = 3
	)
	cells, buf, all := r.row.Cells, r.s.buf[:r.s.end], r.text[:r.s.end]
	from, i := r.s.start, r.s.start
	pattern := ones * uint64(d)
	for ; i+word <= len(buf); i += word {
		x := binary.LittleEndian.Uint64(buf[i:]) ^ pattern
		// The high bit of each byte of x that is zero, exactly.
		for hits := ^(((x & lows) + lows) | x | lows); hits != 0; hits &= hits - 1 {
			at := i + bits.TrailingZeros64(hits)>>shift
			cells = append(cells, text(all[from:at]))
			from = at + 1
		}
	}
	for ; i < len(buf); i++ {
		if buf[i] == d {
			cells = append(cells, text(all[from:i]))
			from = i + 1
		}
	}
	cells = append(cells, text(all[from:]))
	r.row.Cells = cells
}

// split makes cells of the scanner's spans. All that must be cleaned share one
// string.
func (r *Reader) split() {
	if r.s.start == r.s.end {
		return
	}
	r.clean, r.cuts = r.clean[:0], r.cuts[:0]
	for _, c := range r.s.cells {
		if c.dirty {
			r.clean = r.s.appendClean(r.clean, c)
			r.cuts = append(r.cuts, len(r.clean))
		}
	}
	clean, from, k := string(r.clean), 0, 0
	for _, c := range r.s.cells {
		if !c.dirty {
			r.row.Cells = append(r.row.Cells, text(r.text[c.from:c.to]))
			continue
		}
		r.row.Cells = append(r.row.Cells, text(clean[from:r.cuts[k]]))
		from, k = r.cuts[k], k+1
	}
}

// appendClean appends the cell's text without escapes and the second of doubled
// quotes.
func (s *scanner) appendClean(b []byte, c span) []byte {
	for i := c.from; i < c.to; i++ {
		switch ch := s.buf[i]; {
		case s.esc != 0 && ch == s.esc:
			n, _ := s.escaped(i)
			if n == 1 {
				b = append(b, ch)
				continue
			}
			b = append(b, s.buf[i+1:i+n]...)
			i += n - 1
		case c.quoted && ch == s.quote && i+1 < c.to && s.buf[i+1] == s.quote:
			b = append(b, ch)
			i++
		default:
			b = append(b, ch)
		}
	}
	return b
}

func text(s string) record.Cell {
	if s == "" {
		return record.Cell{}
	}
	return record.Cell{Kind: record.Text, Text: s}
}

// report notes what was wrong with the record.
func (r *Reader) report() {
	for _, i := range r.s.unclosed {
		r.row.Problems = append(r.row.Problems, record.Problem{Code: QuoteUnclosed, Column: i})
	}
	if r.columns == 0 || len(r.row.Cells) <= r.columns || r.row.Number < r.data {
		return
	}
	for i, c := range r.row.Cells[r.columns:] {
		if !c.IsBlank() {
			r.row.Problems = append(r.row.Problems, record.Problem{
				Code: CellsExtra, Column: r.columns + i, Args: []string{strconv.Itoa(r.columns)},
			})
			return
		}
	}
}
