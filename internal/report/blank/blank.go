// Package blank makes the templates that people download and fill in, one for
// each entity and language, and the list of its fields.
//
// A template is a header with the standard names of the columns and one example
// row; it imports as it is, and what is filled in below the example too. A
// workbook also says by colour what an import may do to a field, explains each
// column in a note, offers the values of choices, and keeps phone numbers and
// codes as text. Nothing but mapping.StandardColumns decides which columns there
// are.
package blank

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/mapping"
	"github.com/dropload/dropload/internal/report"
	"github.com/dropload/dropload/internal/sheet"
)

// column is a column of a template.
type column struct {
	mapping.StandardColumn
	field *entity.Field
	part  bool // of an address
	note  string
	list  []string // values to choose from
}

// columnsOf are the columns of a template with their notes, the example row in
// the language of the template.
func columnsOf(c *entity.Catalog, def *entity.Definition, lang string) ([]column, error) {
	w, err := wordsOf(lang)
	if err != nil {
		return nil, err
	}
	var cols []column
	for _, standard := range mapping.StandardColumns(def, lang) {
		name, _, part := strings.Cut(standard.Field, ".")
		_, f := def.Field(name)
		if f == nil {
			return nil, fmt.Errorf("blank: the column %q has no field", standard.Field)
		}
		col := column{StandardColumn: standard, field: f, part: part, note: w.note(c, def, f, lang)}
		switch f.Type {
		case entity.Choice:
			col.list = choices(f, lang)
			for i, choice := range f.Choices {
				if choice.Value == col.Example {
					col.Example = col.list[i]
				}
			}
		case entity.Boolean:
			col.list = []string{w.Yes, w.No}
			if col.Example == "yes" || col.Example == "true" {
				col.Example = w.Yes
			}
		}
		cols = append(cols, col)
	}
	return cols, nil
}

// Text writes a template as delimited text: UTF-8 with a byte order mark, and
// the delimiter that spreadsheet programs of that language expect.
func Text(w io.Writer, c *entity.Catalog, def *entity.Definition, lang string) error {
	cols, err := columnsOf(c, def, lang)
	if err != nil {
		return err
	}
	delimiter := ";"
	if l, _, _ := strings.Cut(strings.ToLower(lang), "-"); l == "en" || l == "" {
		delimiter = ","
	}
	header, example := make([]string, len(cols)), make([]string, len(cols))
	for i, col := range cols {
		header[i], example[i] = col.Title, col.Example
	}
	return report.Table(w, sheet.Layout{Format: sheet.CSV, Delimiter: delimiter}, header, example)
}

// filled is the number of rows that are prepared for filling in: those after it
// have the columns' formats, but no list of values.
const filled = 10_000

// Workbook writes a template as an xlsx workbook.
func Workbook(w io.Writer, c *entity.Catalog, def *entity.Definition, lang string) (err error) {
	cols, err := columnsOf(c, def, lang)
	if err != nil {
		return err
	}
	f := excelize.NewFile()
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	b := &book{f: f, sheet: sheetName(def.Title(lang))}
	if err := f.SetSheetName(f.GetSheetName(0), b.sheet); err != nil {
		return err
	}
	for i, col := range cols {
		if err := b.column(i+1, &col); err != nil {
			return fmt.Errorf("blank: column %q: %w", col.Field, err)
		}
	}
	if err := f.SetPanes(b.sheet, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	return f.Write(w)
}

// book is a workbook that is being filled.
type book struct {
	f     *excelize.File
	sheet string
}

func (b *book) column(at int, col *column) error {
	name, err := excelize.ColumnNumberToName(at)
	if err != nil {
		return err
	}
	body, err := b.f.NewStyle(&excelize.Style{CustomNumFmt: format(col)})
	if err != nil {
		return err
	}
	if err := b.f.SetColStyle(b.sheet, name, body); err != nil {
		return err
	}
	width := max(len([]rune(col.Title)), len([]rune(col.Example)), 10) + 3
	if err := b.f.SetColWidth(b.sheet, name, name, float64(min(width, 40))); err != nil {
		return err
	}
	head, err := b.f.NewStyle(&excelize.Style{
		Font: &excelize.Font{Bold: true},
		Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{fill(col.field.Policy)}},
	})
	if err != nil {
		return err
	}
	if err := b.f.SetCellStr(b.sheet, name+"1", col.Title); err != nil {
		return err
	}
	if err := b.f.SetCellStyle(b.sheet, name+"1", name+"1", head); err != nil {
		return err
	}
	if col.note != "" {
		lines := strings.Count(col.note, "\n") + len([]rune(col.note))/36 + 2
		if err := b.f.AddComment(b.sheet, excelize.Comment{
			Cell: name + "1", Author: "Dropload", Width: 280, Height: uint(18 * lines),
			Paragraph: []excelize.RichTextRun{{Text: col.note}},
		}); err != nil {
			return err
		}
	}
	if err := b.offer(name, col.list); err != nil {
		return err
	}
	if col.Example == "" {
		return nil
	}
	if err := b.f.SetCellValue(b.sheet, name+"2", typed(col)); err != nil {
		return err
	}
	return b.f.SetCellStyle(b.sheet, name+"2", name+"2", body)
}

// offer adds a list to choose from. Other words are taken too: an import knows
// more of them than the list.
func (b *book) offer(name string, list []string) error {
	if len(list) == 0 {
		return nil
	}
	v := excelize.NewDataValidation(true)
	v.Sqref = name + "2:" + name + strconv.Itoa(filled)
	if err := v.SetDropList(list); err != nil {
		return err
	}
	v.ShowErrorMessage = false
	return b.f.AddDataValidation(b.sheet, v)
}

// fill is the colour of a policy.
func fill(p entity.Policy) string {
	switch p.Colour() {
	case "red":
		return "FFC7CE"
	case "green":
		return "C6EFCE"
	}
	return "BDD7EE"
}

// longText is the length from which a text is not kept as one: spreadsheet
// programs show ##### for more than 255 characters in a column of text.
const longText = 1000

// format is the number format of a column.
func format(col *column) *string {
	code := "@"
	switch t := col.field.Type; {
	case col.part, col.field.List:
	case t == entity.Integer, t == entity.Decimal, t == entity.Money, t == entity.Boolean, t == entity.Choice,
		t == entity.Text && col.field.MaxLength > longText, t == entity.Agreement:
		code = "General"
	case t == entity.Date:
		code = "yyyy-mm-dd"
	case t == entity.DateTime:
		code = "yyyy-mm-dd hh:mm"
	}
	return &code
}

// typed is the example as a cell of the column's type.
func typed(col *column) any {
	if col.part || col.field.List {
		return col.Example
	}
	switch col.field.Type {
	case entity.Integer, entity.Decimal, entity.Money:
		if n, err := strconv.ParseFloat(col.Example, 64); err == nil {
			return n
		}
	case entity.Date:
		if day, err := time.Parse(time.DateOnly, col.Example); err == nil {
			return day
		}
	case entity.DateTime:
		if at, err := time.Parse(time.RFC3339, col.Example); err == nil {
			return at
		}
	}
	return col.Example
}

// sheetName is a title as the name of a sheet.
func sheetName(title string) string {
	title = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`[]:*?/\'`, r) {
			return -1
		}
		return r
	}, title)
	runes := []rune(title)
	if len(runes) == 0 {
		return "Sheet1"
	}
	return string(runes[:min(len(runes), 31)])
}

// Field is one line of the list of an entity's fields.
type Field struct {
	Name     string   `json:"name"`
	Column   string   `json:"column"` // standard header
	Type     string   `json:"type"`
	List     bool     `json:"list,omitempty"`
	Key      bool     `json:"key,omitempty"`
	Required bool     `json:"required,omitempty"` // of a new record
	EveryRow bool     `json:"every_row,omitempty"`
	Unique   bool     `json:"unique,omitempty"`
	Policy   string   `json:"policy"`
	Colour   string   `json:"colour"`
	Choices  []string `json:"choices,omitempty"` // as people read them
	Refers   []string `json:"refers_to,omitempty"`
	Example  string   `json:"example,omitempty"`
	Note     string   `json:"note"`
}

// Fields lists the columns of an entity: names, types, policies and notes.
func Fields(c *entity.Catalog, def *entity.Definition, lang string) ([]Field, error) {
	cols, err := columnsOf(c, def, lang)
	if err != nil {
		return nil, err
	}
	fields := make([]Field, len(cols))
	for i, col := range cols {
		f := col.field
		fields[i] = Field{
			Name: col.Field, Column: col.Title, Type: string(f.Type), List: f.List, Key: f.Key,
			Required: f.Required || f.Key && !f.Generated, EveryRow: f.EveryRow, Unique: f.Unique,
			Policy: string(f.Policy), Colour: f.Policy.Colour(), Example: col.Example, Note: col.note,
		}
		if f.Type == entity.Choice {
			fields[i].Choices = col.list
		}
		if f.Ref != nil {
			fields[i].Refers = f.Ref.To
		}
	}
	return fields, nil
}

// Page writes the fields of all entities as a page of Markdown.
func Page(w io.Writer, c *entity.Catalog, lang string) error {
	words, err := wordsOf(lang)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n", words.Heading, words.Intro)
	for _, def := range c.Entities() {
		fields, err := Fields(c, def, lang)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "\n## %s (`%s`)\n\n", def.Title(lang), def.Name)
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n|---|---|---|---|---|\n", words.Field, words.Title, words.Type, words.Policy, words.Note)
		for _, f := range fields {
			note := strings.NewReplacer("|", `\|`, "\n", " ").Replace(f.Note)
			fmt.Fprintf(&b, "| `%s` | %s | %s | `%s` (%s) | %s |\n", f.Name, f.Column, f.Type, f.Policy, f.Colour, note)
		}
	}
	_, err = io.WriteString(w, b.String())
	return err
}
