// Package workbook writes one sheet as an xlsx workbook, row by row.
//
// The sheet goes through the archive to the writer below as it is written: no
// temporary file holds it, where excelize's stream writer needs disk for the
// whole sheet uncompressed. Memory grows only with the kinds of cell formats and
// with the notes, and both are bounded. A text is always a text, never a
// formula; what XML cannot hold is written in the _xHHHH_ form of ECMA-376
// part 1, 22.4.2.4. A sheet that is full refuses more; a text is cut only at the
// format's own limit of 32,767 characters, and its cell is marked then.
package workbook

import (
	"archive/zip"
	"bufio"
	"errors"
	"io"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/klauspost/compress/flate"

	"github.com/dropload/dropload/internal/record"
)

// Limits of the format (Excel specifications and limits), and our own.
const (
	MaxRows    = 1_048_576
	MaxColumns = 16_384
	MaxText    = 32_767 // UTF-16 units of one cell
	MaxNotes   = 1_000  // programs open workbooks with more of them slowly
	maxFormats = 4_000  // distinct styles; the format allows 64,000
)

// ErrFull says that there is no room for another row or column.
var ErrFull = errors.New("workbook: the sheet is full")

// Options describe the sheet.
type Options struct {
	// Name of the sheet; what the format forbids in it is left out.
	Name string
	// Widths of the columns in characters, from the first; 0 is the standard.
	Widths []float64
	// Frozen is the number of rows that stay in view.
	Frozen int
}

// Look is how a cell is shown, beside its number format.
type Look uint8

// The looks.
const (
	Plain  Look = iota
	Header      // bold on grey
	Marked      // on light red: what is wrong with the row is here
	Wrapped
)

// Cell is one cell to write.
type Cell struct {
	record.Cell
	Look Look
	// Note is shown when the pointer rests on the cell. Those after the first
	// MaxNotes are left out.
	Note string
}

// Writer writes the sheet. It is not for several goroutines.
type Writer struct {
	zip     *zip.Writer
	sheet   *bufio.Writer
	buf     []byte
	rows    int
	styles  styles
	formats formats
	notes   []note
}

type note struct {
	row, column int // from 0
	text        string
}

// New begins a workbook on w.
func New(w io.Writer, o Options) (*Writer, error) {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestSpeed+1)
	})
	b := &Writer{zip: z, styles: newStyles(), formats: newFormats()}
	// What is known before the rows comes first: programs that look at the first
	// bytes of a file only tell a workbook by it.
	if err := b.parts(head(o.Name)); err != nil {
		return nil, err
	}
	sheet, err := z.Create("xl/worksheets/sheet1.xml")
	if err != nil {
		return nil, err
	}
	b.sheet = bufio.NewWriterSize(sheet, 64<<10)
	_, err = b.sheet.WriteString(sheetHead(o))
	return b, err
}

// Row writes the next row. It returns ErrFull or the error of the writer below.
func (b *Writer) Row(cells []Cell) error {
	if b.rows == MaxRows || len(cells) > MaxColumns {
		return ErrFull
	}
	b.rows++
	b.buf = append(b.buf[:0], `<row r="`...)
	b.buf = strconv.AppendInt(b.buf, int64(b.rows), 10)
	b.buf = append(b.buf, `">`...)
	for i := range cells {
		b.cell(i, &cells[i])
	}
	b.buf = append(b.buf, "</row>"...)
	_, err := b.sheet.Write(b.buf)
	return err
}

// cell appends one cell to the buffer; an empty plain one is left out.
func (b *Writer) cell(column int, c *Cell) {
	if c.Kind == record.Text && len(c.Text) > MaxText && c.Look == Plain && len(cut(c.Text)) < len(c.Text) {
		c.Look = Marked
	}
	if c.Note != "" && len(b.notes) < MaxNotes {
		b.notes = append(b.notes, note{b.rows - 1, column, c.Note})
	}
	kind := c.Kind
	switch {
	case kind == record.Text && c.Text == "":
		kind = record.Empty
	case kind == record.Error && !isError(c.Text),
		kind != record.Empty && kind != record.Text && kind != record.Error && !finite(c.Number):
		kind = record.Text
	}
	if kind == record.Empty && c.Look == Plain {
		return
	}
	format := ""
	switch kind {
	case record.Number, record.Date, record.Time, record.DateTime:
		format = b.formats.of(&c.Cell, stored(&c.Cell), column)
	case record.Text:
		if c.Look == Plain || c.Look == Marked {
			format = textFormat // stays a text when it is edited: 007, 1-2
		}
	}
	b.buf = append(b.buf, `<c r="`...)
	b.buf = appendRef(b.buf, column, b.rows)
	b.buf = append(b.buf, '"')
	if style := b.styles.id(format, c.Look); style > 0 {
		b.buf = append(b.buf, ` s="`...)
		b.buf = strconv.AppendInt(b.buf, int64(style), 10)
		b.buf = append(b.buf, '"')
	}
	switch kind {
	case record.Empty:
		b.buf = append(b.buf, "/>"...)
		return
	case record.Text:
		b.buf = append(b.buf, ` t="inlineStr"><is><t xml:space="preserve">`...)
		b.buf = appendText(b.buf, cut(c.Text))
		b.buf = append(b.buf, "</t></is></c>"...)
		return
	case record.Bool:
		b.buf = append(b.buf, ` t="b"><v>`...)
		if c.Number != 0 {
			b.buf = append(b.buf, '1')
		} else {
			b.buf = append(b.buf, '0')
		}
	case record.Error:
		b.buf = append(b.buf, ` t="e"><v>`...)
		b.buf = appendText(b.buf, c.Text)
	default:
		b.buf = append(b.buf, "><v>"...)
		b.buf = appendNumber(b.buf, stored(&c.Cell))
	}
	b.buf = append(b.buf, "</v></c>"...)
}

// Close writes the rest of the workbook. It does not close the writer below.
func (b *Writer) Close() error {
	if _, err := b.sheet.WriteString(sheetTail(len(b.notes) > 0)); err != nil {
		return err
	}
	if err := b.sheet.Flush(); err != nil {
		return err
	}
	if err := b.parts(tail(&b.styles, b.notes)); err != nil {
		return err
	}
	return b.zip.Close()
}

// part is one file of the archive.
type part struct{ name, body string }

func (b *Writer) parts(parts []part) error {
	for _, p := range parts {
		w, err := b.zip.Create(p.name)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, p.body); err != nil {
			return err
		}
	}
	return nil
}

// appendRef appends a cell's name, such as AB12; the column counts from 0, the
// row from 1.
func appendRef(b []byte, column, row int) []byte {
	var letters [3]byte
	i := len(letters)
	for column++; column > 0; column = (column - 1) / 26 {
		i--
		letters[i] = byte('A' + (column-1)%26)
	}
	return strconv.AppendInt(append(b, letters[i:]...), int64(row), 10)
}

// appendText appends a text as XML that every reader gives back unchanged.
func appendText(b []byte, s string) []byte {
	plain := 0 // where what is not yet written begins
	for i := 0; i < len(s); {
		c := s[i]
		size, with := 1, ""
		switch {
		case c == '&':
			with = "&amp;"
		case c == '<':
			with = "&lt;"
		case c == '>':
			with = "&gt;"
		case c == '"':
			with = "&quot;"
		case c == '_':
			if isEscape(s[i:]) {
				with = "_x005F_"
			}
		case c == '\t', c == '\n':
		case c < ' ':
			// A carriage return too: XML readers would make it a line feed.
			with = escape(rune(c))
		case c >= utf8.RuneSelf:
			var r rune
			r, size = utf8.DecodeRuneInString(s[i:])
			switch {
			case r == utf8.RuneError && size == 1:
				with = "\ufffd"
			case r == 0xFFFE || r == 0xFFFF:
				with = escape(r)
			}
		}
		if with != "" {
			b = append(append(b, s[plain:i]...), with...)
			plain = i + size
		}
		i += size
	}
	return append(b, s[plain:]...)
}

// escape is the form in which the format writes what XML cannot hold.
func escape(r rune) string {
	const hex = "0123456789ABCDEF"
	return "_x" + string([]byte{hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15]}) + "_"
}

// isEscape tells whether a reader would take the start of s for that form.
func isEscape(s string) bool {
	if len(s) < 7 || s[1] != 'x' || s[6] != '_' {
		return false
	}
	for _, c := range []byte(s[2:6]) {
		if (c < '0' || c > '9') && (c < 'A' || c > 'F') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// cut keeps a text within the format's limit.
func cut(s string) string {
	if len(s) <= MaxText {
		return s
	}
	units := 0
	for i, r := range s {
		units += max(utf16.RuneLen(r), 1)
		if units > MaxText {
			return s[:i]
		}
	}
	return s
}

// isError tells whether a text is an error value that programs know.
func isError(s string) bool {
	switch s {
	case "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA":
		return true
	}
	return false
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }
