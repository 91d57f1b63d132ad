package markup

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/net/html"

	"github.com/dropload/dropload/internal/sheet"
)

// maxToken bounds a tag or a run of text of a page in bytes.
const maxToken = 8 << 20

// page implements sheet.Workbook for the tables of an HTML page.
//
// Each table is a sheet. Tables that follow each other directly and are equally
// wide are one: a header that stays in place, and pages of a report, are written
// so. Tables that only lay out others hold no text of their own and are left out.
type page struct {
	doc    document
	sheets []group
}

// group is one or more tables that make one sheet.
type group struct {
	name  string
	parts []stretch
	rows  int64
	cells int64 // with text
	width int
}

// stretch is where a table is in the decoded text, from its tag on.
type stretch struct{ from, end int64 }

// tokenizer counts where its tokens are.
type tokenizer struct {
	*html.Tokenizer
	at int64 // of the token
	to int64 // behind it
}

func newTokenizer(r io.Reader) *tokenizer {
	z := &tokenizer{Tokenizer: html.NewTokenizer(r)}
	z.SetMaxBuf(maxToken)
	return z
}

// next returns the next token: html.ErrorToken at the end.
func (z *tokenizer) next() (html.TokenType, error) {
	t := z.Next()
	z.at = z.to
	z.to += int64(len(z.Raw()))
	if t == html.ErrorToken && !errors.Is(z.Err(), io.EOF) {
		if errors.Is(z.Err(), html.ErrBufferExceeded) {
			return t, tooLarge("a tag or a text is longer than 8 MB")
		}
		return t, z.Err()
	}
	return t, nil
}

// skipRaw passes over what stands in the element that just began and is no text
// of the page: a program, a style or the page's title.
func (z *tokenizer) skipRaw() error {
	_, err := z.next() // the tokenizer gives it as one token, or the end tag
	return err
}

// outline finds the tables of a page.
type outline struct {
	z      *tokenizer
	open   []*seen // the tables that the token is in, below the page itself
	groups []group
	tables int
}

// seen is what is known of a table, or of the page itself.
type seen struct {
	from, rows, cells int64
	width, column     int
	filled            bool // the cell has text
	caption           []byte
	inCaption         bool

	last int  // the group of the table before, inside this one; -1 for none
	gap  bool // something stands between it and the token
}

func openPage(d document) (sheet.Workbook, error) {
	r, err := d.from(0)
	if err != nil {
		return nil, err
	}
	o := &outline{z: newTokenizer(r), open: []*seen{{last: -1}}}
	if err := o.scan(); err != nil {
		return nil, err
	}
	if len(o.groups) == 0 {
		return nil, unsupported("it is a page without a table")
	}
	slices.SortStableFunc(o.groups, func(a, b group) int { return cmp.Compare(b.cells, a.cells) })
	return &page{d, o.groups}, nil
}

func (o *outline) scan() error {
	for {
		t, err := o.z.next()
		if err != nil {
			return err
		}
		switch t {
		case html.ErrorToken:
			o.z.at = o.z.to
			for len(o.open) > 1 {
				if err := o.closeTable(); err != nil {
					return err
				}
			}
			return nil
		case html.TextToken:
			o.text(o.z.Text())
		case html.StartTagToken, html.SelfClosingTagToken:
			err = o.start()
		case html.EndTagToken:
			name, _ := o.z.TagName()
			switch top := o.open[len(o.open)-1]; string(name) {
			case "table":
				if len(o.open) > 1 {
					err = o.closeTable()
				}
			case "caption":
				top.inCaption = false
			}
		}
		if err != nil {
			return err
		}
	}
}

func (o *outline) text(b []byte) {
	top := o.open[len(o.open)-1]
	if isBlank(string(b)) {
		return
	}
	top.gap = true
	switch {
	case top.inCaption && len(top.caption) < 200:
		top.caption = append(top.caption, b...)
	case top.column > 0 && !top.filled:
		top.filled = true
		top.cells++
	}
}

func (o *outline) start() error {
	name, attrs := o.z.TagName()
	top := o.open[len(o.open)-1]
	switch string(name) {
	case "table":
		if len(o.open) > maxDepth {
			return tooLarge("its tables are nested too deeply")
		}
		o.open = append(o.open, &seen{from: o.z.at, last: -1})
	case "caption":
		top.inCaption = true
	case "tr":
		top.rows++
		top.column, top.gap, top.inCaption = 0, true, false
	case "td", "th":
		if top.rows == 0 {
			top.rows++
		}
		s := readCell(o.z, attrs)
		top.column += s.columns
		top.width = max(top.width, top.column)
		top.filled, top.gap, top.inCaption = false, true, false
	case "script", "style", "title":
		return o.z.skipRaw()
	}
	return nil
}

// closeTable adds the innermost table to the group before it or to a new one.
func (o *outline) closeTable() error {
	t, outer := o.open[len(o.open)-1], o.open[len(o.open)-2]
	o.open = o.open[:len(o.open)-1]
	if t.cells == 0 {
		return nil
	}
	o.tables++
	part := stretch{t.from, o.z.at}
	if outer.last >= 0 && !outer.gap && t.width > 1 && o.groups[outer.last].width == t.width {
		g := &o.groups[outer.last]
		g.parts = append(g.parts, part)
		g.rows += t.rows
		g.cells += t.cells
		return nil
	}
	if len(o.groups) >= maxSheets {
		return tooLarge("it has more than 16384 tables")
	}
	name := string(t.caption[:min(len(t.caption), 100)])
	if isBlank(name) {
		name = fmt.Sprintf("Table %d", o.tables)
	}
	outer.last, outer.gap = len(o.groups), false
	o.groups = append(o.groups, group{name: name, parts: []stretch{part}, rows: t.rows, cells: t.cells, width: t.width})
	return nil
}

// Sheets describes the tables, the largest first.
func (p *page) Sheets() []sheet.SheetMeta {
	list := make([]sheet.SheetMeta, len(p.sheets))
	for i, g := range p.sheets {
		list[i] = sheet.SheetMeta{Name: g.name, Rows: g.rows}
	}
	return list
}

// Open reads a table.
func (p *page) Open(i int) (sheet.Reader, error) {
	if i < 0 || i >= len(p.sheets) {
		return nil, unsupported("it has no such table")
	}
	return &tableReader{doc: p.doc, parts: p.sheets[i].parts}, nil
}

// Close has nothing to free.
func (p *page) Close() error { return nil }
