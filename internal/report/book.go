package report

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/report/columns"
	"github.com/dropload/dropload/internal/report/workbook"
	"github.com/dropload/dropload/internal/sheet"
)

// bookWriter writes an xlsx workbook with one sheet, named as the upload's.
// Of a rejected row the cells with problems are marked and carry the reason as a
// note.
type bookWriter struct {
	*shape
	kind  Kind
	book  *workbook.Writer
	kept  []record.Cell
	cells []workbook.Cell
}

func newBook(w io.Writer, l *sheet.Layout, o *Options, s *shape) (*bookWriter, error) {
	// The added columns need room even where a stray cell stands in the last
	// column that there is.
	s.width = min(s.width, workbook.MaxColumns-columns.Count)
	b := &bookWriter{shape: s, kind: o.Kind}
	widths := make([]float64, s.width, s.width+columns.Count)
	for _, row := range o.Header {
		own, err := s.own(nil, row)
		if err != nil {
			return nil, err
		}
		for i, c := range own {
			widths[i] = max(widths[i], min(float64(utf8.RuneCountInString(c.Text))+4, 40))
		}
	}
	widths = append(widths, 12, 20, 24, 60)
	var err error
	b.book, err = workbook.New(w, workbook.Options{Name: l.SheetName, Widths: widths, Frozen: len(o.Header)})
	if err != nil {
		return nil, err
	}
	for i, row := range o.Header {
		var names added
		if i == len(o.Header)-1 {
			copy(names[:], columns.Names(o.Language))
		}
		if err := b.line(row, 0, names, nil, workbook.Header); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// Row implements Writer.
func (b *bookWriter) Row(row *record.Row, problems []record.Problem) error {
	more := b.added(row, problems)
	if err := full(b.line(row.Cells, row.Number, more, problems, workbook.Plain)); err != nil {
		return fmt.Errorf("row %d: %w", row.Number, err)
	}
	return nil
}

// full names the error of a full sheet as this package does.
func full(err error) error {
	if errors.Is(err, workbook.ErrFull) {
		return ErrFull
	}
	return err
}

func (b *bookWriter) line(cells []record.Cell, number int64, more added, problems []record.Problem, look workbook.Look) (err error) {
	if b.kept, err = b.own(b.kept[:0], cells); err != nil {
		return err
	}
	b.cells = b.cells[:0]
	for i := range b.width {
		c := workbook.Cell{Look: look}
		if i < len(b.kept) {
			c.Cell = b.kept[i]
		}
		b.cells = append(b.cells, c)
	}
	for i, text := range more {
		c := workbook.Cell{Cell: record.Cell{Kind: record.Text, Text: text}, Look: look}
		switch {
		case look == workbook.Header:
		case i == columns.Row:
			c.Kind, c.Number = record.Number, float64(number)
		case i == columns.Reason:
			c.Look = workbook.Wrapped
		}
		b.cells = append(b.cells, c)
	}
	if look == workbook.Header || b.kind == Ignored {
		return b.book.Row(b.cells)
	}
	for _, p := range problems {
		if at := b.column(p.Column); p.Column >= 0 && at >= 0 && at < b.width {
			b.cells[at].Look = workbook.Marked
			b.cells[at].Note = strings.TrimPrefix(b.cells[at].Note+"\n"+b.text(p), "\n")
		}
	}
	return b.book.Row(b.cells)
}

// Close implements Writer.
func (b *bookWriter) Close() error { return b.book.Close() }
