package report

import (
	"io"
	"strconv"
	"strings"

	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/report/workbook"
	"github.com/dropload/dropload/internal/sheet"
)

// Change is one field of one record in a plan.
type Change struct {
	Key     string         // of the record
	Outcome record.Outcome // of the row
	Row     int64          // the row that changes it
	Field   string
	Before  record.Value // empty for a new record
	After   record.Value
}

// PlanWriter writes the preview of an import, a line for each changed field.
// It is not for several goroutines.
type PlanWriter struct {
	text *textLine
	book *workbook.Writer
	line []string
}

// NewPlan begins a plan on w: sheet.XLSX as a workbook, anything else as commas
// in UTF-8 with a byte order mark, which spreadsheet programs open as it is.
func NewPlan(w io.Writer, format sheet.Format, lang string) (*PlanWriter, error) {
	p := &PlanWriter{}
	names := planNames(lang)
	if format != sheet.XLSX {
		p.text = newTextLine(w, &sheet.Layout{})
		return p, p.text.write(names)
	}
	var err error
	p.book, err = workbook.New(w, workbook.Options{Widths: []float64{24, 12, 10, 20, 40, 40}, Frozen: 1})
	if err != nil {
		return nil, err
	}
	header := make([]workbook.Cell, len(names))
	for i, name := range names {
		header[i] = workbook.Cell{Cell: record.Cell{Kind: record.Text, Text: name}, Look: workbook.Header}
	}
	return p, p.book.Row(header)
}

// planNames are the headers: record, outcome, row, field, before, after.
func planNames(lang string) []string {
	lang, _, _ = strings.Cut(strings.ToLower(lang), "-")
	switch lang {
	case "de":
		return []string{"Datensatz", "Ergebnis", "Zeile", "Feld", "Vorher", "Nachher"}
	case "es":
		return []string{"Registro", "Resultado", "Fila", "Campo", "Antes", "Después"}
	case "fr":
		return []string{"Enregistrement", "Résultat", "Ligne", "Champ", "Avant", "Après"}
	case "lt":
		return []string{"Įrašas", "Rezultatas", "Eilutė", "Laukas", "Buvo", "Bus"}
	}
	return []string{"Record", "Outcome", "Row", "Field", "Before", "After"}
}

// Write adds a change. It returns ErrFull where a workbook has no room for it.
func (p *PlanWriter) Write(c *Change) error {
	row := strconv.FormatInt(c.Row, 10)
	p.line = append(p.line[:0], c.Key, c.Outcome.String(), row, c.Field, plain(c.Before), plain(c.After))
	if p.text != nil {
		return p.text.write(p.line)
	}
	cells := make([]workbook.Cell, len(p.line))
	for i, text := range p.line {
		cells[i].Cell = record.Cell{Kind: record.Text, Text: text}
	}
	cells[2].Cell = record.Cell{Kind: record.Number, Text: row, Number: float64(c.Row)}
	return full(p.book.Row(cells))
}

// plain is a value as people read it.
func plain(v record.Value) string {
	if len(v.List) > 0 {
		return strings.Join(v.List, "; ")
	}
	return v.Text
}

// Close writes what is left. It does not close the writer below.
func (p *PlanWriter) Close() error {
	if p.book != nil {
		return p.book.Close()
	}
	return p.text.flush()
}
