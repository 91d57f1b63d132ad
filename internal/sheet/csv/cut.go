package csv

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/bits"
	"unicode/utf8"

	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/sniff/charset"
)

// Totals is what Cut saw of the whole text.
type Totals struct {
	Bytes   int64 `json:"bytes"`
	Records int64 `json:"records"`
	// LastRow is the number of the last record that is not blank; 0 is none.
	LastRow int64 `json:"last_row"`
	// Unclosed counts the quotes that open a cell and are not closed.
	Unclosed int64 `json:"unclosed,omitempty"`

	// The rest is told for the layout's encoding utf-8 only.

	// Multibyte counts the valid characters beyond ASCII, Invalid the bytes that
	// belong to no character.
	Multibyte int64 `json:"multibyte,omitempty"`
	Invalid   int64 `json:"invalid,omitempty"`
	// InvalidAt is the offset of the first invalid byte; -1 is none.
	InvalidAt int64 `json:"invalid_at"`
	// Sample holds stretches of up to 64 KiB round the first invalid bytes, for
	// finding the encoding again.
	Sample []byte `json:"-"`
}

// LastData is the number of the last record that may be a data row: footer
// counts the records after it.
func (t Totals) LastData(l sheet.Layout) int64 {
	return max(0, t.Records-int64(l.FooterRows))
}

const maxSample = 64 << 10

// Cut reads all of r, which is in the layout's encoding, UTF-8 or another that
// leaves ASCII as it is (charset.ASCIICompatible), and returns parts of at least minBytes that
// end at the ends of records; only the last may be shorter. Each can be read
// alone by NewReader with its FirstRow. A text without records has no part.
// tee, where it is not nil, gets every byte read.
//
// It returns the errors of r, tee and ctx and *fault.BadFile with the code
// "too-large". The memory is that of one record.
func Cut(ctx context.Context, r io.Reader, l sheet.Layout, minBytes int64, tee io.Writer) ([]sheet.Part, Totals, error) {
	t := Totals{InvalidAt: -1}
	if tee != nil {
		r = io.TeeReader(r, tee)
	}
	s := newScanner(r, l, 1)
	s.delim = encoded(l)
	check := checker{t: &t}
	if l.Encoding == charset.UTF8 {
		s.seen = check.see
	}
	var parts []sheet.Part
	part := sheet.Part{FirstRow: 1}
	for {
		if s.row&1023 == 0 && ctx.Err() != nil {
			return nil, t, ctx.Err()
		}
		err := s.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, t, err
		}
		t.Records++
		t.Unclosed += int64(len(s.unclosed))
		if !s.blank() {
			t.LastRow = s.row - 1
		}
		part.Rows++
		if end := s.offset + int64(s.pos); end-part.Offset >= minBytes {
			part.Length = end - part.Offset
			parts = append(parts, part)
			part = sheet.Part{Offset: end, FirstRow: s.row}
		}
	}
	t.Bytes = s.offset + int64(len(s.buf))
	if part.Rows > 0 {
		part.Length = t.Bytes - part.Offset
		parts = append(parts, part)
	}
	if l.Encoding == charset.UTF8 {
		check.end()
	}
	return parts, t, ctx.Err()
}

// encoded is the delimiter as it stands in a text of the layout's encoding.
func encoded(l sheet.Layout) []byte {
	var b bytes.Buffer
	w, err := charset.NewEncoder(l.Encoding, &b)
	if err != nil {
		return []byte(l.Delimiter)
	}
	_, err = io.WriteString(w, l.Delimiter)
	if err := errors.Join(err, w.Close()); err != nil {
		return []byte(l.Delimiter)
	}
	return b.Bytes()
}

// blank tells whether the record holds nothing but blanks, quotes and
// delimiters.
func (s *scanner) blank() bool {
	for _, b := range s.buf[s.start:s.end] {
		switch {
		case b == ' ', b == '\t', b == '\n', b == '\r', s.quote != 0 && b == s.quote, bytes.IndexByte(s.delim, b) >= 0:
		default:
			return false
		}
	}
	return true
}

// checker counts what is valid UTF-8 in the stretches it sees.
type checker struct {
	t    *Totals
	at   int64  // offset of the next stretch
	left []byte // the start of a character that the next stretch goes on with
}

func (c *checker) see(b []byte) {
	if len(c.left) > 0 {
		b = append(c.left, b...)
	}
	start := c.at - int64(len(c.left))
	c.at = start + int64(len(b))
	c.left = nil
	// A character that is cut at the end waits for its rest.
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if tail := b[len(b)-n:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				c.left = bytes.Clone(tail)
				b = b[:len(b)-n]
			}
			break
		}
	}
	if utf8.Valid(b) {
		c.t.Multibyte += int64(multibyte(b))
		return
	}
	c.count(b, start)
}

func (c *checker) end() {
	if len(c.left) > 0 {
		c.count(c.left, c.at-int64(len(c.left)))
	}
}

// count looks at each character of a stretch that is not all valid.
func (c *checker) count(b []byte, start int64) {
	sampled := 0
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			if c.t.Invalid == 0 {
				c.t.InvalidAt = start + int64(i)
			}
			c.t.Invalid++
			if room := maxSample - len(c.t.Sample); i >= sampled && room > 0 {
				from, to := max(sampled, i-200), min(len(b), i+1000)
				c.t.Sample = append(c.t.Sample, b[from:min(to, from+room)]...)
				sampled = to
			}
		default:
			c.t.Multibyte++
		}
		i += n
	}
}

// multibyte counts the characters beyond ASCII of valid UTF-8: the bytes whose
// two highest bits are set begin one.
func multibyte(b []byte) int {
	const (
		word  = 8
		highs = 0x8080808080808080
	)
	n := 0
	for ; len(b) >= word; b = b[word:] {
		x := binary.LittleEndian.Uint64(b)
		n += bits.OnesCount64(x & (x << 1) & highs)
	}
	for _, c := range b {
		if c >= 0xC0 {
			n++
		}
	}
	return n
}
