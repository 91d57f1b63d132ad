// Package report writes what an import leaves for people: the rejected and the
// ignored rows in the format of the upload, the preview of a plan, and the
// summary.
//
// A report holds the rows as they were in the file, every cell in its place,
// and behind them the added columns of package columns. Dropped back, repaired
// or not, it reads as the file did. Delimited text keeps its dialect and its
// encoding; every kind of workbook and HTML table becomes an xlsx workbook,
// since BIFF and the XML of 2003 are only read; a text of more than 32,767
// characters, which only HTML and that XML have, is cut there and its cell
// marked. Wrappings such as gzip are taken off, titles above the header and
// notes below the data left out. Memory does not grow with the number of rows. A
// cell is never dropped, moved or made a formula in silence.
package report

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/report/columns"
	"github.com/dropload/dropload/internal/sheet"
)

// Kind tells which rows a report holds.
type Kind uint8

// The kinds.
const (
	Failures Kind = iota // rejected rows
	Ignored              // rows that were not to be imported
)

// Options say how a report is written.
type Options struct {
	Kind Kind
	// Language of the added columns' names, such as "de"; English otherwise.
	Language string
	// Header are the file's header rows as they were read; none where the file
	// has none. Names of the added columns go into the last one.
	Header [][]record.Cell
	// Width is the number of cells of the longest row that will be written, so
	// that the added columns come after it. The header's width is the least.
	Width int
	// BOM tells that the upload began with a byte order mark.
	BOM bool
	// Unicode writes delimited text in UTF-8 with a byte order mark whatever the
	// upload's encoding was: the way out after ErrEncoding.
	Unicode bool
	// Text says in the report's language what is wrong and how to fix it. Without
	// it the reason is the code.
	Text func(record.Problem) string
}

// The errors of Writer.Row beside those of the writer below.
var (
	// ErrEncoding: a cell cannot be written in the upload's encoding. It cannot
	// come from the upload itself, only from a cell that a person edited. Write
	// the report again with Options.Unicode.
	ErrEncoding = errors.New("report: the upload's encoding lacks a character of a cell")
	// ErrWidth: a row has more cells than Options.Width said.
	ErrWidth = errors.New("report: a row is longer than was said")
	// ErrFull: the sheet of a workbook has no room for one more row or column.
	ErrFull = errors.New("report: the sheet is full")
)

// Writer writes one report. It is not for several goroutines.
type Writer interface {
	// Row adds a row of the file with its problems, which may be none. It keeps
	// nothing of the row. Returns ErrEncoding, ErrWidth, ErrFull or the error of
	// the writer below; the report is then worthless.
	Row(row *record.Row, problems []record.Problem) error
	// Close writes what is left. It does not close the writer below.
	Close() error
}

// New begins a report on w in the format of the upload that l describes.
func New(w io.Writer, l sheet.Layout, o Options) (Writer, error) {
	s := newShape(&l, &o)
	var (
		out Writer
		err error
	)
	if l.Format == sheet.CSV {
		out, err = newText(w, &l, &o, s)
	} else {
		out, err = newBook(w, &l, &o, s)
	}
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return out, nil
}

// shape is where the columns of a report come from: the file's own in their
// order, without those that an earlier report had added, then the added ones.
type shape struct {
	width    int // of the file's own columns
	from, to int // the earlier report's columns in the file; empty where from == to
	names    []string
	text     func(record.Problem) string
}

func newShape(l *sheet.Layout, o *Options) *shape {
	names := headerNames(l, o)
	s := &shape{width: max(o.Width, len(names)), names: names, text: o.Text}
	for _, row := range o.Header {
		s.width = max(s.width, len(row))
	}
	if n := columns.Recognise(names); n > 0 {
		// Recognise counts the columns without a name behind the added ones; they
		// may hold what a person wrote, so they stay.
		s.from, s.to = len(names)-n, len(names)
		for strings.TrimSpace(names[s.to-1]) == "" {
			s.to--
		}
		s.width -= s.to - s.from
	}
	if s.text == nil {
		s.text = func(p record.Problem) string { return p.Code }
	}
	return s
}

// headerNames are the names of the file's columns; none where it has no header.
func headerNames(l *sheet.Layout, o *Options) []string {
	if len(o.Header) == 0 {
		return nil
	}
	if len(l.Columns) > 0 {
		return l.Columns
	}
	var names []string
	for _, row := range o.Header {
		for i, c := range row {
			if i == len(names) {
				names = append(names, "")
			}
			names[i] = strings.TrimSpace(names[i] + " " + c.Text)
		}
	}
	return names
}

// own returns the cells of the file's own columns, at most width of them,
// appended to buf.
func (s *shape) own(buf, cells []record.Cell) ([]record.Cell, error) {
	buf = append(buf, cells[:min(s.from, len(cells))]...)
	buf = append(buf, cells[min(s.to, len(cells)):]...)
	for len(buf) > s.width {
		if buf[len(buf)-1].Kind != record.Empty && buf[len(buf)-1].Text != "" {
			return nil, fmt.Errorf("%w: %d cells, not %d", ErrWidth, len(buf), s.width)
		}
		buf = buf[:len(buf)-1]
	}
	return buf, nil
}

// column is where a column of the file stands in the report, -1 where it does
// not.
func (s *shape) column(i int) int {
	switch {
	case i >= s.to:
		return i - (s.to - s.from)
	case i >= s.from:
		return -1
	}
	return i
}

// added are the texts of the added columns of one row, problem by problem in
// the order of the columns.
type added [columns.Count]string

func (s *shape) added(row *record.Row, problems []record.Problem) added {
	a := added{columns.Row: strconv.FormatInt(row.Number, 10)}
	switch len(problems) {
	case 0:
		return a
	case 1:
		p := problems[0]
		a[columns.Field], a[columns.Code], a[columns.Reason] = s.field(p), p.Code, s.text(p)
		return a
	}
	fields, codes, reasons := make([]string, len(problems)), make([]string, len(problems)), make([]string, len(problems))
	for i, p := range problems {
		fields[i], codes[i], reasons[i] = s.field(p), p.Code, s.text(p)
	}
	a[columns.Field], a[columns.Code], a[columns.Reason] = join(fields), join(codes), join(reasons)
	return a
}

// join keeps the places of what is empty, so that the n-th field, code and
// reason belong together.
func join(parts []string) string {
	if !slices.ContainsFunc(parts, func(p string) bool { return p != "" }) {
		return ""
	}
	return strings.Join(parts, "; ")
}

// field names what a problem is about: the entity's field, else the column.
func (s *shape) field(p record.Problem) string {
	if p.Field == "" && p.Column >= 0 && p.Column < len(s.names) {
		return s.names[p.Column]
	}
	return p.Field
}
