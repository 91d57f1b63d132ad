package mapping

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/report/columns"
)

// Bound is a template bound to the columns of one file. It is plain data, and
// is kept with the import.
type Bound struct {
	Feeds []Feed `json:"feeds"`
	// Only are the columns in each of which a row must have a value.
	Only []int `json:"only,omitempty"`
	// Unmapped are the columns that nothing reads.
	Unmapped []int `json:"unmapped,omitempty"`
	// Added are the columns of a report dropped back: they are skipped.
	Added []int `json:"added,omitempty"`
	// Secret are the columns that are never read on: a notice.
	Secret []int `json:"secret,omitempty"`
	// MatchOn is the field by which a row finds its record: the key, or the
	// unique field that the options name, or where neither has a column the
	// first unique field that has one; "" where nothing identifies a row.
	MatchOn string `json:"match_on"`
}

// Feed says which columns make the value of a field.
type Feed struct {
	// Columns are their positions; none for a constant.
	Columns []int `json:"columns,omitempty"`
	// Field is the position in the definition's Fields.
	Field int `json:"field"`
	// Kind and Part are set for a part of an address.
	Kind       string      `json:"kind,omitempty"`
	Part       string      `json:"part,omitempty"`
	Separator  string      `json:"separator,omitempty"`
	Transforms []Transform `json:"transforms,omitempty"`
	Constant   string      `json:"constant,omitempty"`
}

// DriftKind is a way in which a file's columns are not the template's.
type DriftKind string

// The kinds of drift.
const (
	Missing    DriftKind = "missing"    // a column of the template is not there
	Renamed    DriftKind = "renamed"    // it is probably there under another name
	New        DriftKind = "new"        // a column that the template does not know
	Reordered  DriftKind = "reordered"  // the columns are in another order
	NoRequired DriftKind = "required"   // a required field has no column; always stops
	Repeated   DriftKind = "repeated"   // a header that is needed is there more than once
	BadField   DriftKind = "bad_field"  // the template names a field that is not there; always stops
	BadOption  DriftKind = "bad_option" // an option names a column that is not there; always stops
)

// Drift is one thing that does not fit.
type Drift struct {
	Kind   DriftKind `json:"kind"`
	Column int       `json:"column"` // of the file, from 0; -1 is none
	Header string    `json:"header,omitempty"`
	Was    string    `json:"was,omitempty"`   // the template's header of a Renamed
	Field  string    `json:"field,omitempty"` // the field concerned
}

// Reaction is what a drift does to an import.
type Reaction string

// The reactions, the mildest first.
const (
	Accept Reaction = "accept"
	AskUs  Reaction = "ask"
	Stop   Reaction = "stop"
)

// DriftRule says how a feed takes drift. The zero value accepts new and
// reordered columns and asks about the rest.
type DriftRule struct {
	Missing   Reaction `json:"missing,omitempty"`
	Renamed   Reaction `json:"renamed,omitempty"`
	New       Reaction `json:"new,omitempty"`
	Reordered Reaction `json:"reordered,omitempty"`
}

// Judge is the strongest reaction to what was found.
func (r DriftRule) Judge(drift []Drift) Reaction {
	strongest := Accept
	for _, d := range drift {
		reaction := r.reaction(d.Kind)
		if rank(reaction) > rank(strongest) {
			strongest = reaction
		}
	}
	return strongest
}

func (r DriftRule) reaction(kind DriftKind) Reaction {
	said, otherwise := Reaction(""), AskUs
	switch kind {
	case Missing:
		said = r.Missing
	case Renamed:
		said = r.Renamed
	case New:
		said, otherwise = r.New, Accept
	case Reordered:
		said, otherwise = r.Reordered, Accept
	case NoRequired, BadField, BadOption:
		return Stop
	}
	if said != "" {
		return said
	}
	return otherwise
}

func rank(r Reaction) int { return slices.Index([]Reaction{Accept, AskUs, Stop}, r) }

// ReportColumns are the headers that a failure report adds, in their order.
func ReportColumns(lang string) []string { return columns.Names(lang) }

// Bind says which columns of a file feed which fields, and what does not fit.
// Columns are the headers in the file's order. Headers are compared without
// letter case, accents and punctuation. Where the drift is Accept by the
// template's rule, the import may go on with what is bound.
func Bind(def *entity.Definition, t Template, headers []string) (Bound, []Drift) {
	b := binder{def: def, headers: headers, folded: make([]string, len(headers)), used: make([]bool, len(headers))}
	for i, h := range headers {
		b.folded[i] = foldHeader(h)
	}
	for i := len(headers) - columns.Recognise(headers); i < len(headers); i++ {
		b.used[i] = true
		b.bound.Added = append(b.bound.Added, i)
	}
	if t.Standard {
		b.standard()
	} else {
		b.saved(t.Columns)
	}
	b.rest(t)
	return b.bound, b.drift
}

type binder struct {
	def     *entity.Definition
	headers []string
	folded  []string
	used    []bool // the column is accounted for
	bound   Bound
	drift   []Drift
}

func (b *binder) say(d Drift) { b.drift = append(b.drift, d) }

// standard binds the standard column names.
func (b *binder) standard() {
	names := standardNames(b.def)
	fed := map[string]int{}
	for i, folded := range b.folded {
		if b.used[i] {
			continue
		}
		path, ok := names[folded]
		if !ok {
			continue
		}
		if _, twice := fed[path]; twice {
			b.say(Drift{Kind: Repeated, Column: i, Header: b.headers[i], Field: path})
			b.used[i] = true
			continue
		}
		fed[path] = i
		b.feed(Column{Field: path}, []int{i})
	}
}

// saved binds the columns of a saved template.
func (b *binder) saved(saved []Column) {
	last, reordered := -1, false
	var missing []Column
	for _, c := range saved {
		if c.Header == "" && c.Constant != "" {
			b.feed(c, nil)
			continue
		}
		at := b.find(c)
		if at < 0 {
			missing = append(missing, c)
			continue
		}
		reordered = reordered || at < last
		last = at
		if c.Field == "" {
			b.used[at] = true
			continue
		}
		cols := []int{at}
		for _, other := range c.Join {
			j := b.find(Column{Header: other, Index: -1})
			if j < 0 {
				b.say(Drift{Kind: Missing, Column: -1, Header: other, Field: c.Field})
				continue
			}
			cols = append(cols, j)
		}
		b.feed(c, cols)
	}
	if reordered {
		b.say(Drift{Kind: Reordered, Column: -1})
	}
	for _, c := range missing {
		b.lost(c)
	}
}

// find is the column that a template's column means; -1 is none. Of columns of
// the same name it is the one at the same place, else the first.
func (b *binder) find(c Column) int {
	folded := foldHeader(c.Header)
	if folded == "" {
		if c.Index >= 0 && c.Index < len(b.headers) && (c.Header == "" || b.headers[c.Index] == c.Header) {
			return c.Index
		}
		return slices.Index(b.headers, c.Header)
	}
	if c.Index >= 0 && c.Index < len(b.folded) && b.folded[c.Index] == folded {
		return c.Index
	}
	return slices.Index(b.folded, folded)
}

// lost tells about a column that is not there: renamed, where one of the
// file's other columns means the same field beyond doubt.
func (b *binder) lost(c Column) {
	if c.Field != "" {
		for _, p := range Propose(b.def, b.headers, nil, nil) {
			if p.Field == c.Field && p.Confidence >= Automatic && !b.used[p.Column] {
				b.say(Drift{Kind: Renamed, Column: p.Column, Header: b.headers[p.Column], Was: c.Header, Field: c.Field})
				b.feed(c, []int{p.Column})
				return
			}
		}
	}
	b.say(Drift{Kind: Missing, Column: -1, Header: c.Header, Field: c.Field})
}

// feed binds columns to a field.
func (b *binder) feed(c Column, cols []int) {
	for _, i := range cols {
		b.used[i] = true
	}
	feed := Feed{Columns: cols, Separator: c.Separator, Transforms: c.Transforms, Constant: c.Constant}
	if s, ok := b.def.Split(c.Field); ok {
		for n, name := range s.Into {
			part := feed
			part.Field, _ = b.def.Field(name)
			op := GivenName
			if n > 0 {
				op = FamilyName
			}
			part.Transforms = append(slices.Clone(c.Transforms), Transform{Op: op})
			b.bound.Feeds = append(b.bound.Feeds, part)
		}
		return
	}
	name, kind, part, err := path(b.def, c.Field)
	if err != nil {
		column := -1
		if len(cols) > 0 {
			column = cols[0]
		}
		b.say(Drift{Kind: BadField, Column: column, Header: c.Header, Field: c.Field})
		return
	}
	at, f := b.def.Field(name)
	if f.Type == entity.Secret {
		b.bound.Secret = append(b.bound.Secret, cols...)
		return
	}
	feed.Field, feed.Kind, feed.Part = at, kind, part
	b.bound.Feeds = append(b.bound.Feeds, feed)
}

// rest works out what follows from the feeds.
func (b *binder) rest(t Template) {
	for _, header := range t.Options.OnlyWhere {
		i := b.find(Column{Header: header, Index: -1})
		if i < 0 {
			b.say(Drift{Kind: BadOption, Column: -1, Header: header})
			continue
		}
		b.bound.Only = append(b.bound.Only, i)
		b.used[i] = true
	}
	for i := range b.headers {
		if !b.used[i] {
			b.bound.Unmapped = append(b.bound.Unmapped, i)
			b.say(Drift{Kind: New, Column: i, Header: b.headers[i]})
		}
	}
	slices.SortStableFunc(b.bound.Feeds, func(x, y Feed) int { return x.Field - y.Field })
	b.bound.MatchOn = b.matchOn(t.Options.MatchOn)
	b.required(t)
}

func (b *binder) fed(name string) bool {
	i, _ := b.def.Field(name)
	return slices.ContainsFunc(b.bound.Feeds, func(f Feed) bool { return f.Field == i })
}

func (b *binder) matchOn(said string) string {
	if said != "" {
		if _, f := b.def.Field(said); f == nil || !f.Unique || !b.fed(said) {
			b.say(Drift{Kind: BadOption, Column: -1, Field: said})
			return ""
		}
		return said
	}
	if b.fed(b.def.Key) {
		return b.def.Key
	}
	for _, i := range b.def.Unique() {
		if f := &b.def.Fields[i]; !f.List && f.Policy != entity.Credit && b.fed(f.Name) {
			return f.Name
		}
	}
	return ""
}

// required tells which required fields no row can have. Where rows can find
// stored records, a file may leave out what only a new record needs, unless the
// template counts on it.
func (b *binder) required(t Template) {
	updates := b.bound.MatchOn != "" && t.Options.Mode != CreateOnly
	expected := func(name string) bool {
		return !updates || slices.ContainsFunc(t.Columns, func(c Column) bool { return c.Field == name })
	}
	for i := range b.def.Fields {
		f := &b.def.Fields[i]
		needed := f.EveryRow || (f.Required || f.Key && !f.Generated) && expected(f.Name)
		if needed && !b.fed(f.Name) {
			b.say(Drift{Kind: NoRequired, Column: -1, Field: f.Name})
		}
	}
	if t.Options.Mode == UpdateOnly && b.bound.MatchOn == "" {
		b.say(Drift{Kind: NoRequired, Column: -1, Field: b.def.Key})
	}
	for _, group := range b.def.RequireAny {
		if slices.ContainsFunc(group, expected) && !slices.ContainsFunc(group, b.fed) {
			b.say(Drift{Kind: NoRequired, Column: -1, Field: strings.Join(group, "|")})
		}
	}
}

// path takes the name of a field apart: "addresses.shipping.city".
func path(def *entity.Definition, name string) (field, kind, part string, err error) {
	field, rest, dotted := strings.Cut(name, ".")
	_, f := def.Field(field)
	if f == nil || dotted && f.Type != entity.Address {
		return "", "", "", fmt.Errorf("mapping: %s has no field %q", def.Name, name)
	}
	if f.Type != entity.Address {
		return field, "", "", nil
	}
	kind, part = entity.AddressKinds()[0], "text"
	if dotted {
		part = rest
		if k, p, ok := strings.Cut(rest, "."); ok {
			kind, part = k, p
		}
	}
	if !slices.Contains(entity.AddressKinds(), kind) || !slices.Contains(entity.AddressParts(), part) {
		return "", "", "", fmt.Errorf("mapping: %s has no field %q", def.Name, name)
	}
	return field, kind, part, nil
}

// Fields are the names that a column may be mapped to: the fields, the splits
// and the parts of addresses.
func Fields(def *entity.Definition) []string {
	var names []string
	for i := range def.Fields {
		f := &def.Fields[i]
		names = append(names, f.Name)
		if f.Type != entity.Address {
			continue
		}
		for _, part := range entity.AddressParts() {
			names = append(names, f.Name+"."+part)
		}
		for _, kind := range entity.AddressKinds() {
			for _, part := range entity.AddressParts() {
				names = append(names, f.Name+"."+kind+"."+part)
			}
		}
	}
	for _, s := range def.Splits {
		names = append(names, s.Name)
	}
	return names
}
