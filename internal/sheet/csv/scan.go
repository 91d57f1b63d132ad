package csv

import (
	"bytes"
	"io"

	"github.com/dropload/dropload/internal/sheet"
)

const (
	firstBuffer = 128 << 10
	mark        = "\uFEFF"
)

// span is a cell of the current record in the buffer, without its quotes.
type span struct {
	from, to int
	quoted   bool
	// stray tells that a quote within is neither doubled nor escaped.
	stray bool
	// dirty tells that doubled quotes or escapes are to be taken out.
	dirty bool
}

// scanner finds the records of a text. It looks no further than it must, and
// what it decides about a record depends on no byte before it, so it finds the
// same records from any record's start.
type scanner struct {
	src   io.Reader
	delim []byte
	quote byte // 0 is none
	esc   byte // 0 is none
	// goesOn tells that the text does not end where src does.
	goesOn bool
	// careful finds every record cell by cell, for tests.
	careful bool
	// seen, where set, gets each stretch of bytes as it is read.
	seen func([]byte)

	buf    []byte
	pos    int // start of what is not yet given as a record
	eof    bool
	offset int64 // of buf[0] in the text
	row    int64 // number of the record at pos

	// The next line feed, carriage return, quote and escape at or after the
	// place last asked for; len(buf) where there is none.
	lf, cr, qu, es int

	// The record found last: buf[start:end] without its line end.
	start, end int
	// plain tells that it has neither quote nor escape: cells are not filled.
	plain    bool
	cells    []span
	unclosed []int // the cells whose quote is not closed
}

func newScanner(r io.Reader, l sheet.Layout, first int64) *scanner {
	s := &scanner{src: r, delim: []byte(l.Delimiter), row: first}
	if len(l.Quote) == 1 {
		s.quote = l.Quote[0]
	}
	if len(l.Escape) == 1 && l.Escape != l.Quote {
		s.esc = l.Escape[0]
	}
	s.forget()
	return s
}

// forget drops what is known of the buffer's special bytes.
func (s *scanner) forget() { s.lf, s.cr, s.qu, s.es = -1, -1, -1, -1 }

// find returns the first place of c at or after from, len(buf) where there is
// none. known keeps the answer: c is looked for once however often it is asked.
func (s *scanner) find(c byte, known *int, from int) int {
	if *known < from {
		i := bytes.IndexByte(s.buf[from:], c)
		if i < 0 {
			i = len(s.buf) - from
		}
		*known = from + i
	}
	return *known
}

func (s *scanner) lineEnd(from int) int {
	return min(s.find('\n', &s.lf, from), s.find('\r', &s.cr, from))
}

func (s *scanner) nextQuote(from int) int {
	if s.quote == 0 {
		return len(s.buf)
	}
	return s.find(s.quote, &s.qu, from)
}

func (s *scanner) nextEscape(from int) int {
	if s.esc == 0 {
		return len(s.buf)
	}
	return s.find(s.esc, &s.es, from)
}

// next finds the next record, io.EOF after the last one. It fills cells if the
// record is not plain.
func (s *scanner) next() error {
	for {
		ok, err := s.try()
		if err != nil {
			return err
		}
		if ok {
			s.row++
			return nil
		}
		if s.eof {
			return io.EOF
		}
		if err := s.fill(); err != nil {
			return err
		}
	}
}

// try finds the record at pos with what is buffered; false asks for more.
func (s *scanner) try() (bool, error) {
	if s.pos == len(s.buf) {
		return false, nil
	}
	s.start, s.cells, s.unclosed = s.pos, s.cells[:0], s.unclosed[:0]
	end := s.lineEnd(s.pos)
	s.plain = s.nextQuote(s.pos) >= end && s.nextEscape(s.pos) >= end && end-s.pos <= MaxCell
	if s.plain {
		return s.close(end), nil
	}
	if !s.careful && s.wellFormed(end) {
		return s.close(end), nil
	}
	s.cells = s.cells[:0]
	return s.split()
}

// wellFormed finds the cells of a record as most programs write it: it ends at
// the next line end, and each quote encloses a whole cell. It tells whether the
// record is one; split takes all others, and finds the same in these.
func (s *scanner) wellFormed(end int) bool {
	if len(s.delim) != 1 || end == len(s.buf) && !s.eof || end-s.pos > MaxCell || s.nextEscape(s.pos) < end {
		return false
	}
	delim, quote, p := s.delim[0], s.nextQuote(s.pos), s.pos
	for len(s.cells) < MaxCells {
		c, after := span{from: p}, end
		if quote == p && p < end {
			n := bytes.IndexByte(s.buf[p+1:end], s.quote)
			if n < 0 {
				return false
			}
			c = span{from: p + 1, to: p + 1 + n, quoted: true}
			after = c.to + 1
			if after < end && s.buf[after] != delim {
				return false
			}
			quote = end
			if n := bytes.IndexByte(s.buf[after:end], s.quote); n >= 0 {
				quote = after + n
			}
		} else {
			if n := bytes.IndexByte(s.buf[p:end], delim); n >= 0 {
				after = p + n
			}
			if quote < after {
				return false
			}
			c.to = after
		}
		s.cells = append(s.cells, c)
		if after == end {
			return true
		}
		p = after + 1
	}
	return false
}

// close ends the record at end, which is a line end or the end of the buffer.
func (s *scanner) close(end int) bool {
	after := end + 1
	switch {
	case end == len(s.buf):
		if !s.eof {
			return false
		}
		after = end
	case s.buf[end] == '\r':
		if after == len(s.buf) && !s.eof {
			return false
		}
		if after < len(s.buf) && s.buf[after] == '\n' {
			after++
		}
	}
	s.end, s.pos = end, after
	return true
}

// split finds the record at pos cell by cell.
func (s *scanner) split() (bool, error) {
	p := s.pos
	for {
		c, after, state := s.cell(p)
		if state == wantMore {
			return false, nil
		}
		if c.to-c.from > MaxCell {
			return false, tooLarge(s.row, "a cell of more than 16 MiB")
		}
		if len(s.cells) == MaxCells {
			return false, tooLarge(s.row, "more than 65,536 cells")
		}
		if state == notClosed {
			s.unclosed = append(s.unclosed, len(s.cells))
		}
		s.cells = append(s.cells, c)
		if after == len(s.buf) || s.buf[after] == '\n' || s.buf[after] == '\r' {
			return s.close(after), nil
		}
		p = after + len(s.delim)
	}
}

// state is how a cell ended.
type state uint8

const (
	closed state = iota
	notClosed
	wantMore
)

// cell finds the cell at p and the delimiter, line end or end of text after it.
func (s *scanner) cell(p int) (c span, after int, st state) {
	open := p
	for open < len(s.buf) && s.isSpace(open) {
		open++
	}
	if open == len(s.buf) && !s.eof {
		return c, 0, wantMore
	}
	if s.quote != 0 && open < len(s.buf) && s.buf[open] == s.quote {
		c, after, st = s.quoted(open, open > p)
		if st != notClosed {
			return c, after, st
		}
		s.qu, s.es = -1, -1 // they have run ahead
		if open > p {
			st = closed // a quote within the text of an unquoted cell
		}
	}
	c, after, more := s.unquoted(p)
	if more {
		return c, 0, wantMore
	}
	return c, after, st
}

// isSpace tells whether a blank that is no delimiter stands at p.
func (s *scanner) isSpace(p int) bool {
	b := s.buf[p]
	return (b == ' ' || b == '\t') && (len(s.delim) == 0 || b != s.delim[0])
}

// unquoted finds the end of a cell without quotes.
func (s *scanner) unquoted(p int) (c span, after int, more bool) {
	c.from = p
	for i := p; ; {
		end := s.lineEnd(i)
		switch len(s.delim) {
		case 0:
		case 1:
			if d := bytes.IndexByte(s.buf[i:end], s.delim[0]); d >= 0 {
				end = i + d
			}
		default:
			if d := bytes.Index(s.buf[i:end], s.delim); d >= 0 {
				end = i + d
			}
		}
		e := s.nextEscape(i)
		if e >= end {
			c.to = end
			return c, end, end == len(s.buf) && !s.eof
		}
		n, known := s.escaped(e)
		if !known {
			return c, 0, true
		}
		c.dirty = c.dirty || n > 1
		i = e + n
	}
}

// escaped is the length of what the escape at e stands for with itself: 1 where
// it stands for nothing.
func (s *scanner) escaped(e int) (n int, known bool) {
	rest := s.buf[e+1:]
	switch {
	case len(rest) < max(1, len(s.delim)) && !s.eof:
		return 0, false
	case len(rest) > 0 && (rest[0] == s.esc || s.quote != 0 && rest[0] == s.quote):
		return 2, true
	case len(s.delim) > 0 && bytes.HasPrefix(rest, s.delim):
		return 1 + len(s.delim), true
	}
	return 1, true
}

// quoted finds the end of the cell whose quote opens at p. strict says that
// spaces came before: then any stray quote says that the cell is not quoted.
func (s *scanner) quoted(p int, strict bool) (c span, after int, st state) {
	c.from, c.quoted = p+1, true
	for i := p + 1; ; {
		q, e := s.nextQuote(i), s.nextEscape(i)
		if e < q {
			n, known := s.escaped(e)
			if !known {
				return c, 0, wantMore
			}
			c.dirty = c.dirty || n > 1
			i = e + n
			continue
		}
		if q == len(s.buf) {
			if !s.eof {
				return c, 0, wantMore
			}
			return c, 0, notClosed
		}
		if q+1 < len(s.buf) && s.buf[q+1] == s.quote {
			c.dirty = true
			i = q + 2
			continue
		}
		after, ends, known := s.endsAfter(q + 1)
		switch {
		case !known:
			return c, 0, wantMore
		case ends:
			c.to = q
			return c, after, closed
		case strict || s.opensAt(q, p+1):
			return c, 0, notClosed
		}
		c.stray = true
		i = q + 1
	}
}

// endsAfter tells whether a delimiter, a line end or the end of the text is at
// p, or after the blanks there.
func (s *scanner) endsAfter(p int) (after int, ends, known bool) {
	for p < len(s.buf) && s.isSpace(p) {
		p++
	}
	rest := s.buf[p:]
	if len(rest) < max(1, len(s.delim)) && !s.eof {
		return 0, false, false
	}
	ends = len(rest) == 0 || rest[0] == '\n' || rest[0] == '\r' || len(s.delim) > 0 && bytes.HasPrefix(rest, s.delim)
	return p, ends, true
}

// opensAt tells whether the quote at q can only be one that opens a cell: it is
// known not to close one, and a delimiter or a line end is before it.
func (s *scanner) opensAt(q, least int) bool {
	if q-1 >= least && (s.buf[q-1] == '\n' || s.buf[q-1] == '\r') {
		return true
	}
	return len(s.delim) > 0 && q-len(s.delim) >= least && bytes.HasSuffix(s.buf[:q], s.delim)
}

// fill reads more behind what is not yet given. It fills the buffer to the brim
// and doubles it where one record takes all of it.
func (s *scanner) fill() error {
	if s.pos > 0 || s.buf == nil {
		s.offset += int64(s.pos)
		rest := s.buf[s.pos:]
		if s.buf == nil {
			s.buf = make([]byte, 0, firstBuffer)
		}
		s.buf = s.buf[:copy(s.buf[:cap(s.buf)], rest)]
		s.pos = 0
	}
	if len(s.buf) == cap(s.buf) {
		if len(s.buf) >= MaxRecord {
			return tooLarge(s.row, "more than 32 MiB")
		}
		grown := make([]byte, len(s.buf), min(2*cap(s.buf), MaxRecord))
		copy(grown, s.buf)
		s.buf = grown
	}
	s.forget()
	old := len(s.buf)
	n, err := io.ReadFull(s.src, s.buf[old:cap(s.buf)])
	s.buf = s.buf[:old+n]
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		s.eof, err = !s.goesOn, nil
		if s.goesOn && n == 0 {
			return io.EOF
		}
	}
	if s.seen != nil {
		s.seen(s.buf[old:])
	}
	if s.offset == 0 && s.row == 1 && old == 0 && bytes.HasPrefix(s.buf, []byte(mark)) {
		s.pos = len(mark)
	}
	return err
}
