package markup

import (
	"bytes"
	"io"
	"strconv"

	"golang.org/x/net/html"

	"github.com/dropload/dropload/internal/record"
)

const (
	maxColSpan = 1000 // as HTML has it
	maxRowSpan = 65_534
)

// cellTag is what the tag of a cell or a row says.
type cellTag struct {
	columns, rows int
	hidden        bool
}

// readCell reads the attributes of the tag that z is at.
func readCell(z *tokenizer, attrs bool) cellTag {
	c := cellTag{columns: 1, rows: 1}
	for attrs {
		var key, value []byte
		key, value, attrs = z.TagAttr()
		switch string(key) {
		case "colspan":
			c.columns = spanOf(value, maxColSpan)
		case "rowspan":
			if c.rows = spanOf(value, maxRowSpan); string(bytes.TrimSpace(value)) == "0" {
				c.rows = maxRowSpan // down to the end
			}
		case "style":
			c.hidden = hides(value)
		}
	}
	return c
}

func spanOf(value []byte, most int) int {
	n, err := strconv.Atoi(string(bytes.TrimSpace(value)))
	if err != nil || n < 1 {
		return 1
	}
	return min(n, most)
}

// hides tells whether a style hides its element.
func hides(style []byte) bool {
	low := bytes.ReplaceAll(bytes.ToLower(style), []byte(" "), nil)
	return bytes.Contains(low, []byte("display:none"))
}

// tableReader implements sheet.Reader for the tables of one sheet.
type tableReader struct {
	doc   document
	parts []stretch
	err   error

	z     *tokenizer // nil between two tables
	depth int        // tables that the token is in

	b      builder
	column int     // of the next cell
	until  []int64 // by column: the row up to which a cell from above reaches down
	inRow  bool
	held   bool // the tag of the next row was read already

	inCell   bool
	at, from int // the cell's column and where its text starts
	breaks   int // line breaks before the next text
	space    bool

	hidden      string // the element inside the cell that is hidden, "" for none
	hiddenDepth int
	heldHidden  bool
}

// Next returns the next row. After an error it returns the same one again.
func (r *tableReader) Next() (*record.Row, error) {
	for r.err == nil {
		if r.z == nil {
			r.err = r.openPart()
			continue
		}
		row, err := r.read()
		if row != nil {
			return row, nil
		}
		r.err = err
	}
	return nil, r.err
}

// Close has nothing to free.
func (r *tableReader) Close() error { return nil }

func (r *tableReader) openPart() error {
	if len(r.parts) == 0 {
		return io.EOF
	}
	p := r.parts[0]
	r.parts = r.parts[1:]
	text, err := r.doc.from(p.from)
	if err != nil {
		return err
	}
	r.z = newTokenizer(io.LimitReader(text, p.end-p.from+int64(len("</table>"))))
	r.depth, r.inRow, r.held = 0, false, false
	r.until = r.until[:0]
	return nil
}

// read goes on to the end of a row; it returns no row at the end of the table.
func (r *tableReader) read() (*record.Row, error) {
	if r.held {
		r.held = false
		r.startRow(r.heldHidden)
	}
	for {
		t, err := r.z.next()
		if err != nil {
			return nil, err
		}
		var done bool
		switch t {
		case html.ErrorToken:
			r.depth, done = 0, true
		case html.TextToken:
			if r.inCell && r.depth == 1 && r.hidden == "" {
				err = r.text(r.z.Text())
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			done, err = r.tag(t == html.SelfClosingTagToken)
		case html.EndTagToken:
			done, err = r.endTag()
		}
		if err != nil {
			return nil, err
		}
		if !done {
			continue
		}
		if r.depth == 0 {
			r.z = nil
		}
		if r.inRow {
			return r.endRow()
		}
		if r.z == nil {
			return nil, nil
		}
	}
}

// tag handles a start tag; done tells that it ends the row before it.
func (r *tableReader) tag(empty bool) (done bool, err error) {
	name, attrs := r.z.TagName()
	switch string(name) {
	case "script", "style", "title":
		return false, r.z.skipRaw()
	case "table":
		r.depth++
		return false, nil
	}
	if r.depth != 1 {
		return false, nil
	}
	switch string(name) {
	case "tr":
		tag := readCell(r.z, attrs)
		if r.inRow {
			r.held, r.heldHidden = true, tag.hidden
			return true, nil
		}
		r.startRow(tag.hidden)
	case "thead", "tbody", "tfoot":
		return r.inRow, nil
	case "td", "th":
		tag := readCell(r.z, attrs)
		if !r.inRow {
			r.startRow(false)
		}
		return false, r.startCell(tag)
	case "br":
		r.breaks++
	default:
		r.inline(string(name), empty, attrs)
	}
	return false, nil
}

// inline handles a tag inside a cell.
func (r *tableReader) inline(name string, empty, attrs bool) {
	if isBlock(name) {
		r.breaks = max(r.breaks, 1)
	}
	switch {
	case !r.inCell || empty || isVoid(name):
	case r.hidden == name:
		r.hiddenDepth++
	case r.hidden == "" && readCell(r.z, attrs).hidden:
		r.hidden, r.hiddenDepth = name, 1
	}
}

func isBlock(name string) bool {
	switch name {
	case "p", "div", "li", "ul", "ol", "dl", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "pre", "address", "blockquote":
		return true
	}
	return false
}

// isVoid tells whether an element has no end tag.
func isVoid(name string) bool {
	switch name {
	case "img", "input", "hr", "col", "wbr", "meta", "link", "area", "base", "embed", "source", "track", "param":
		return true
	}
	return false
}

func (r *tableReader) endTag() (done bool, err error) {
	tag, _ := r.z.TagName()
	name := string(tag)
	if name == "table" && r.depth > 0 {
		r.depth--
		return r.depth == 0, nil
	}
	if r.depth != 1 {
		return false, nil
	}
	switch name {
	case "tr", "thead", "tbody", "tfoot":
		return r.inRow, nil
	case "td", "th":
		return false, r.endCell()
	case r.hidden:
		if r.hiddenDepth--; r.hiddenDepth == 0 {
			r.hidden = ""
		}
	}
	if isBlock(name) {
		r.breaks = max(r.breaks, 1)
	}
	return false, nil
}

func (r *tableReader) startRow(hidden bool) {
	r.b.start()
	r.b.row.Hidden = hidden
	r.inRow, r.column = true, 0
}

func (r *tableReader) endRow() (*record.Row, error) {
	if err := r.endCell(); err != nil {
		return nil, err
	}
	r.inRow = false
	return r.b.finish(r.column)
}

// startCell finds the cell's place beside what reaches down from above.
func (r *tableReader) startCell(tag cellTag) error {
	if err := r.endCell(); err != nil {
		return err
	}
	n := r.b.row.Number
	for r.column < len(r.until) && r.until[r.column] >= n {
		r.column++
	}
	if r.column+tag.columns > maxColumns {
		return tooLarge("a row has more than 16384 columns")
	}
	r.inCell, r.at, r.from = true, r.column, len(r.b.text)
	r.breaks, r.space, r.hidden = 0, false, ""
	if tag.rows > 1 {
		for len(r.until) < r.column+tag.columns {
			r.until = append(r.until, 0)
		}
		for i := range tag.columns {
			r.until[r.column+i] = n + int64(tag.rows) - 1
		}
	}
	r.column += tag.columns
	return nil
}

func (r *tableReader) endCell() error {
	if !r.inCell {
		return nil
	}
	r.inCell, r.hidden = false, ""
	if isBlank(string(r.b.text[r.from:])) {
		r.b.text = r.b.text[:r.from]
		return nil
	}
	return r.b.put(r.at, record.Text, 0, r.from)
}

// text adds to the cell as a page shows it: white space is one space, and none
// at either end or at a line break.
func (r *tableReader) text(b []byte) error {
	if len(r.b.text)+len(b)+r.breaks > maxRowText {
		return tooLarge("a row has more than 32 MB of text")
	}
	for len(b) > 0 {
		c := b[0]
		if c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' {
			r.space = true
			b = b[1:]
			continue
		}
		if len(r.b.text) > r.from {
			switch {
			case r.breaks > 0:
				r.b.text = append(r.b.text, bytes.Repeat([]byte("\n"), r.breaks)...)
			case r.space:
				r.b.text = append(r.b.text, ' ')
			}
		}
		r.breaks, r.space = 0, false
		n := bytes.IndexAny(b, " \t\n\r\f")
		if n < 0 {
			n = len(b)
		}
		r.b.text = append(r.b.text, b[:n]...)
		b = b[n:]
	}
	return nil
}
