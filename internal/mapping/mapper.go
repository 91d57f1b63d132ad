package mapping

import (
	"slices"
	"strings"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/entity/value"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/report/formula"
)

// Prepared is what a row says of a record. Its texts may share the row's
// memory: they are valid as long as the row is.
type Prepared struct {
	Row int64
	// Fields are the values given, in the order of the definition, each field at
	// most once, blank ones left out. Of a reference only the clear mark is here.
	Fields []entity.FieldValue
	// Refs are the references as written, still to be resolved.
	Refs []RefText
	// Problems are everything wrong with the row's values. Those that the
	// reader found (record.Row.Problems) are not repeated.
	Problems []record.Problem
	// Ignored tells that the options leave the row out; nothing else is set.
	Ignored bool
}

// RefText is a reference as a row writes it.
type RefText struct {
	Index int    `json:"f"` // position in Definition.Fields
	Text  string `json:"t"`
}

// Value finds the value of a field by its position.
func (p *Prepared) Value(index int) (record.Value, bool) {
	for i := range p.Fields {
		if p.Fields[i].Index == index {
			return p.Fields[i].Value, true
		}
	}
	return record.Value{}, false
}

// Mapper turns the rows of one file into values. It is not safe for concurrent
// use; make one for each goroutine.
type Mapper struct {
	def      *entity.Definition
	convert  *value.Converter
	only     []int
	steps    []step
	everyRow []int
}

// step makes one field from the feeds that lead to it.
type step struct {
	field   int
	address bool
	ref     bool
	list    bool
	feeds   []Feed
}

// NewMapper makes a mapper for one file. It refuses options that mean nothing.
func NewMapper(def *entity.Definition, bound Bound, o Options) (*Mapper, error) {
	convert, err := value.New(def, value.Options{
		Country: o.Country, Language: o.Language, DateFormats: o.DateFormats, DecimalMark: o.DecimalMark,
		Separator: o.Separator, ClearMark: o.ClearMark, TimeZone: o.TimeZone, Currencies: o.Currencies,
	})
	if err != nil {
		return nil, err
	}
	m := &Mapper{def: def, convert: convert, only: bound.Only}
	for _, feed := range bound.Feeds {
		if err := checkTransforms(feed.Transforms); err != nil {
			return nil, err
		}
		if n := len(m.steps); n > 0 && m.steps[n-1].field == feed.Field {
			m.steps[n-1].feeds = append(m.steps[n-1].feeds, feed)
			continue
		}
		f := &def.Fields[feed.Field]
		m.steps = append(m.steps, step{
			field: feed.Field, address: f.Type == entity.Address, ref: f.Type == entity.Ref, list: f.List, feeds: []Feed{feed},
		})
	}
	for i := range def.Fields {
		if def.Fields[i].EveryRow {
			m.everyRow = append(m.everyRow, i)
		}
	}
	return m, nil
}

// Map fills out with what the row says; out's memory is used again. Where
// several columns feed a field, the first that is not blank does; of a list all
// do.
func (m *Mapper) Map(row *record.Row, out *Prepared) {
	*out = Prepared{Row: row.Number, Fields: out.Fields[:0], Refs: out.Refs[:0], Problems: out.Problems[:0]}
	for _, column := range m.only {
		if column >= len(row.Cells) || row.Cells[column].IsBlank() {
			out.Ignored = true
			return
		}
	}
	for i := range m.steps {
		s := &m.steps[i]
		switch {
		case s.address:
			m.address(row, s, out)
		case s.list:
			m.list(row, s, out)
		default:
			m.single(row, s, out)
		}
	}
	for _, field := range m.everyRow {
		if v, ok := out.Value(field); (!ok || v.Clear) && !out.hasProblem(m.def.Fields[field].Name) {
			name := m.def.Fields[field].Name
			out.Problems = append(out.Problems, record.Problem{Code: "required_missing", Column: m.column(field), Field: name, Args: []string{name}})
		}
	}
}

func (p *Prepared) hasProblem(field string) bool {
	return slices.ContainsFunc(p.Problems, func(q record.Problem) bool { return q.Field == field })
}

// column is the first column that feeds a field, -1 where none does.
func (m *Mapper) column(field int) int {
	for _, s := range m.steps {
		if s.field == field && len(s.feeds[0].Columns) > 0 {
			return s.feeds[0].Columns[0]
		}
	}
	return -1
}

func (m *Mapper) single(row *record.Row, s *step, out *Prepared) {
	for i := range s.feeds {
		feed := &s.feeds[i]
		v, w := m.convert.Convert(s.field, feed.cell(row))
		if w.Code != "" {
			m.say(out, feed, s.field, w)
			return
		}
		if v.IsEmpty() {
			continue
		}
		if s.ref && !v.Clear {
			out.Refs = append(out.Refs, RefText{Index: s.field, Text: v.Text})
		} else {
			out.Fields = append(out.Fields, entity.FieldValue{Index: s.field, Value: v})
		}
		return
	}
}

func (m *Mapper) list(row *record.Row, s *step, out *Prepared) {
	f := &m.def.Fields[s.field]
	var all record.Value
	for i := range s.feeds {
		feed := &s.feeds[i]
		v, w := m.convert.Convert(s.field, feed.cell(row))
		if w.Code != "" {
			m.say(out, feed, s.field, w)
			continue
		}
		if v.Clear {
			all.Clear = true
		}
		for _, item := range v.List {
			folded := entity.Fold(f, item)
			if !slices.ContainsFunc(all.List, func(s string) bool { return entity.Fold(f, s) == folded }) {
				all.List = append(all.List, item)
			}
		}
	}
	m.keepList(all, s, out)
}

// keepList adds a list; a clear mark beside values is a contradiction.
func (m *Mapper) keepList(all record.Value, s *step, out *Prepared) {
	switch {
	case all.Clear && len(all.List) > 0:
		m.say(out, &s.feeds[0], s.field, value.Wrong{Code: "clear_and_value"})
	case s.ref:
		for _, text := range all.List {
			out.Refs = append(out.Refs, RefText{Index: s.field, Text: text})
		}
		if all.Clear {
			out.Fields = append(out.Fields, entity.FieldValue{Index: s.field, Value: all})
		}
	case !all.IsEmpty():
		out.Fields = append(out.Fields, entity.FieldValue{Index: s.field, Value: all})
	}
}

// address joins the parts of each kind to one address.
func (m *Mapper) address(row *record.Row, s *step, out *Prepared) {
	var all record.Value
	for _, kind := range entity.AddressKinds() {
		a := entity.PostalAddress{Kind: kind}
		for i := range s.feeds {
			feed := &s.feeds[i]
			if feed.Kind != kind {
				continue
			}
			cell := feed.cell(row)
			if m.convert.IsClear(cell) {
				all.Clear = true
				continue
			}
			if feed.Part == "text" {
				v, w := m.convert.Convert(s.field, cell)
				if w.Code != "" {
					m.say(out, feed, s.field, w)
				}
				all.List = append(all.List, v.List...)
				continue
			}
			text, w := m.convert.Part(feed.Part, cell)
			if w.Code != "" {
				m.say(out, feed, s.field, w)
				continue
			}
			if text != "" {
				a.Set(feed.Part, text)
			}
		}
		if !a.IsEmpty() {
			all.List = append(all.List, a.String())
		}
	}
	m.keepList(all, s, out)
}

func (m *Mapper) say(out *Prepared, feed *Feed, field int, w value.Wrong) {
	column := -1
	if len(feed.Columns) > 0 {
		column = feed.Columns[0]
	}
	name := m.def.Fields[field].Name
	if feed.Part != "" && feed.Part != "text" {
		name += "." + feed.Part
	}
	out.Problems = append(out.Problems, record.Problem{Code: w.Code, Column: column, Field: name, Args: w.Args})
}

// cell is the cell that a feed makes of a row.
func (f *Feed) cell(row *record.Row) record.Cell {
	var c record.Cell
	switch len(f.Columns) {
	case 0:
		return record.Cell{Kind: record.Text, Text: f.Constant}
	case 1:
		if at := f.Columns[0]; at < len(row.Cells) {
			c = row.Cells[at]
		}
	default:
		c = f.join(row)
	}
	if c.Kind == record.Text && len(c.Text) > 1 && c.Text[0] == '\'' {
		c.Text = formula.Unguard(c.Text)
	}
	if len(f.Transforms) == 0 || c.Kind == record.Error {
		return c
	}
	text := c.Text
	for i := range f.Transforms {
		text = f.Transforms[i].apply(text)
	}
	if text == c.Text && c.Kind != record.Empty {
		return c
	}
	return record.Cell{Kind: record.Text, Text: text}
}

// join puts the texts of several columns together. An error in one of them is
// the error of the whole.
func (f *Feed) join(row *record.Row) record.Cell {
	separator := f.Separator
	if separator == "" {
		separator = " "
	}
	var texts []string
	for _, at := range f.Columns {
		if at >= len(row.Cells) || row.Cells[at].IsBlank() {
			continue
		}
		if row.Cells[at].Kind == record.Error {
			return row.Cells[at]
		}
		texts = append(texts, strings.TrimSpace(row.Cells[at].Text))
	}
	if len(texts) == 0 {
		return record.Cell{}
	}
	return record.Cell{Kind: record.Text, Text: strings.Join(texts, separator)}
}
