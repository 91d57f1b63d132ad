package report

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/report/columns"
	"github.com/dropload/dropload/internal/report/formula"
	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/sniff/charset"
)

// textWriter writes delimited text in the dialect and encoding of the upload.
//
// A column more needs a delimiter and a reason may need quotes: a file without
// the one gets commas, one without the other double quotes where they are
// needed, unless it has an escape character, which then does the same.
type textWriter struct {
	*shape
	out     io.WriteCloser // takes UTF-8
	lack    *lack
	dialect dialect
	names   []string // of the added columns
	line    []byte
	cells   []record.Cell
}

// chunk is when the collected bytes are written.
const chunk = 64 << 10

// Table writes lines of texts in the dialect of l, in UTF-8 with a byte order
// mark, so that spreadsheet programs open it as it is.
func Table(w io.Writer, l sheet.Layout, lines ...[]string) error {
	t := newTextLine(w, &l)
	for _, line := range lines {
		if err := t.write(line); err != nil {
			return err
		}
	}
	return t.flush()
}

// textLine writes lines in UTF-8.
type textLine struct {
	w       io.Writer
	dialect dialect
	buf     []byte
}

func newTextLine(w io.Writer, l *sheet.Layout) *textLine {
	return &textLine{w: w, dialect: newDialect(l), buf: []byte(charset.BOM)}
}

func (t *textLine) write(cells []string) error {
	for i, text := range cells {
		if i > 0 {
			t.buf = append(t.buf, t.dialect.delimiter...)
		}
		t.buf = t.dialect.cell(t.buf, formula.Guard(strings.ToValidUTF8(text, "\ufffd")))
	}
	t.buf = append(t.buf, t.dialect.newline...)
	if len(t.buf) < chunk {
		return nil
	}
	return t.flush()
}

func (t *textLine) flush() error {
	_, err := t.w.Write(t.buf)
	t.buf = t.buf[:0]
	return err
}

func newText(w io.Writer, l *sheet.Layout, o *Options, s *shape) (*textWriter, error) {
	encoding, bom := l.Encoding, o.BOM
	if encoding == "" {
		encoding = charset.UTF8
	}
	if o.Unicode {
		encoding, bom = charset.UTF8, true
	}
	out, err := charset.NewEncoder(encoding, w)
	if err != nil {
		// An encoding that is only read: nothing is lost in Unicode.
		encoding, bom = charset.UTF8, true
		if out, err = charset.NewEncoder(encoding, w); err != nil {
			return nil, err
		}
	}
	t := &textWriter{
		shape: s, out: out, lack: newLack(encoding), dialect: newDialect(l),
		names: columns.Names(o.Language), line: make([]byte, 0, chunk+4096),
	}
	if bom && charset.CanEncode(encoding, charset.BOM) {
		t.line = append(t.line, charset.BOM...)
	}
	for i, row := range o.Header {
		if t.cells, err = s.own(t.cells[:0], row); err != nil {
			return nil, err
		}
		var names added
		if i == len(o.Header)-1 {
			copy(names[:], t.names)
		}
		if err := t.record(t.cells, names); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Row implements Writer.
func (t *textWriter) Row(row *record.Row, problems []record.Problem) (err error) {
	if t.cells, err = t.own(t.cells[:0], row.Cells); err != nil {
		return fmt.Errorf("row %d: %w", row.Number, err)
	}
	if err := t.record(t.cells, t.added(row, problems)); err != nil {
		return fmt.Errorf("row %d: %w", row.Number, err)
	}
	return nil
}

// record adds one line: the cells, blanks up to the width, the added columns. A
// cell comes as the reader gave it, guard and all; what it means is guarded anew.
func (t *textWriter) record(cells []record.Cell, more added) error {
	for _, c := range cells {
		text, ok := t.lack.original(c.Text)
		if !ok {
			return ErrEncoding
		}
		t.line = t.dialect.cell(t.line, formula.Guard(formula.Unguard(text)))
		t.line = append(t.line, t.dialect.delimiter...)
	}
	for range t.width - len(cells) {
		t.line = append(t.line, t.dialect.delimiter...)
	}
	for i, text := range more {
		if i > 0 {
			t.line = append(t.line, t.dialect.delimiter...)
		}
		t.line = t.dialect.cell(t.line, formula.Guard(t.lack.own(text)))
	}
	t.line = append(t.line, t.dialect.newline...)
	if len(t.line) < chunk {
		return nil
	}
	return t.flush()
}

func (t *textWriter) flush() error {
	_, err := t.out.Write(t.line)
	t.line = t.line[:0]
	return err
}

// Close implements Writer.
func (t *textWriter) Close() error {
	if err := t.flush(); err != nil {
		return err
	}
	return t.out.Close()
}

// dialect writes cells so that a reader of the same dialect gets them back.
type dialect struct {
	delimiter, quote, escape, newline string
	// special holds the bytes that a bare cell cannot have: the first ones of the
	// delimiter, of the quote and of the escape, and line ends.
	special [256]bool
	// lent says that the upload had no quote: a quote within a cell then means
	// nothing and stays bare, as it was.
	lent bool
}

func newDialect(l *sheet.Layout) dialect {
	d := dialect{delimiter: l.Delimiter, quote: l.Quote, escape: l.Escape, newline: l.Newline}
	if d.delimiter == "" {
		d.delimiter = ","
	}
	if d.escape == d.quote { // doubled, as without an escape
		d.escape = ""
	}
	if d.quote == "" && d.escape == "" {
		d.quote, d.lent = `"`, true
	}
	if d.newline == "" {
		d.newline = "\r\n"
	}
	for _, s := range []string{d.delimiter, d.escape, "\r", "\n"} {
		if s != "" {
			d.special[s[0]] = true
		}
	}
	if d.quote != "" && !d.lent {
		d.special[d.quote[0]] = true
	}
	return d
}

// cell appends one cell, in quotes or with escapes only where it needs them.
func (d *dialect) cell(line []byte, s string) []byte {
	if !d.needs(s) {
		return append(line, s...)
	}
	if d.quote == "" {
		return d.escaped(line, s)
	}
	line = append(line, d.quote...)
	for i := range len(s) {
		switch {
		case s[i] == d.quote[0] && d.escape == "":
			line = append(line, d.quote...)
		case d.escape != "" && (s[i] == d.escape[0] || s[i] == d.quote[0]):
			line = append(line, d.escape...)
		}
		line = append(line, s[i])
	}
	return append(line, d.quote...)
}

// escaped appends a cell of a dialect with escapes and without quotes. It has no
// way to write a line end, and its files have none in their cells: one in a
// reason becomes a blank.
func (d *dialect) escaped(line []byte, s string) []byte {
	for i := 0; i < len(s); {
		switch {
		case s[i] == '\r' || s[i] == '\n':
			line = append(line, ' ')
			i++
		case strings.HasPrefix(s[i:], d.delimiter):
			line = append(append(line, d.escape...), d.delimiter...)
			i += len(d.delimiter)
		case s[i] == d.escape[0]:
			line = append(append(line, d.escape...), d.escape...)
			i++
		default:
			line = append(line, s[i])
			i++
		}
	}
	return line
}

// needs tells whether a cell cannot stand bare. Blanks at its ends could: they
// are quoted for programs that trim. A quote after blanks would open a cell.
func (d *dialect) needs(s string) bool {
	for i := range len(s) {
		if d.special[s[i]] {
			return true
		}
	}
	if d.quote == "" || s == "" {
		return false
	}
	return s[0] == ' ' || s[len(s)-1] == ' ' || d.lent && strings.HasPrefix(strings.TrimLeft(s, " \t"), d.quote)
}

// lack knows which characters an encoding lacks, and what to write instead.
//
// Of a cell of the upload only U+FFFD may be replaced, by a question mark: it
// stands for bytes that said nothing in that encoding. Of what the report adds,
// letters lose their accents first (the reader still knows the word), marks
// become plain ones, and what is left a question mark; the file's own encoding
// is worth more, since the cells stay as they were and the file opens as before.
type lack struct {
	encoding string
	all      bool // it lacks none
	known    map[rune]bool
}

// mostKnown bounds the memory of lack.known: all that fits one plane.
const mostKnown = 1 << 16

func newLack(encoding string) *lack {
	return &lack{
		encoding: encoding,
		all:      charset.CanEncode(encoding, "\u0117\u0416\u4e2d\ufffd\U0001f600"),
		known:    map[rune]bool{},
	}
}

// has tells whether the encoding has the character.
func (k *lack) has(r rune) bool {
	has, known := k.known[r]
	if !known {
		has = charset.CanEncode(k.encoding, string(r))
		if len(k.known) < mostKnown {
			k.known[r] = has
		}
	}
	return has
}

// original is a cell of the upload; false where it cannot be written.
func (k *lack) original(s string) (string, bool) {
	if k.all || k.holds(s) {
		return strings.ToValidUTF8(s, "\ufffd"), true
	}
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\ufffd", "?")
	return s, k.holds(s)
}

// own is a text that the report adds.
func (k *lack) own(s string) string {
	if k.all || k.holds(s) {
		return strings.ToValidUTF8(s, "\ufffd")
	}
	var b strings.Builder
	for _, r := range norm.NFC.String(s) {
		b.WriteString(k.instead(r))
	}
	return b.String()
}

func (k *lack) instead(r rune) string {
	if k.has(r) {
		return string(r)
	}
	switch r {
	case '\u201c', '\u201d', '\u201e', '\u00ab', '\u00bb':
		return `"`
	case '\u2018', '\u2019', '\u201a':
		return "'"
	case '\u2013', '\u2014', '\u2212':
		return "-"
	case '\u2026':
		return "..."
	case '\u00a0', '\u202f':
		return " "
	}
	plain := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) || !k.has(r) {
			return -1
		}
		return r
	}, norm.NFKD.String(string(r)))
	if plain == "" {
		return "?"
	}
	return plain
}

// holds tells whether the encoding has every character of s.
func (k *lack) holds(s string) bool {
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			// Every encoding that is written has these, but some not as themselves.
			if s[i] == '\\' || s[i] == '~' || s[i] < ' ' {
				if !k.has(rune(s[i])) {
					return false
				}
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 || !k.has(r) {
			return false
		}
		i += size
	}
	return true
}
