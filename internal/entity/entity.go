// Package entity holds the kinds of records that people import: their fields,
// types, keys, references and policies.
//
// They are data: one definition file for each entity in definitions, checked
// against definition.schema.json, so that a tenant adds fields and entities of
// its own without code. A Definition is never changed after it was read, and
// may be used from several goroutines.
//
// The package refuses to store or to look up anything: a merge works on what it
// is given, and references come to it resolved.
package entity

import (
	"strings"

	"github.com/dropload/dropload/internal/record"
)

// Type is the type of a field's value. The canonical text of each is written
// beside it; see record.Value for lists.
type Type string

// The types.
const (
	Text      Type = "text"      // trimmed, NFC
	Integer   Type = "integer"   // plain digits, "-12"
	Decimal   Type = "decimal"   // plain decimal text without trailing zeros, "19.9"
	Money     Type = "money"     // as Decimal
	Date      Type = "date"      // YYYY-MM-DD
	DateTime  Type = "datetime"  // RFC 3339
	Boolean   Type = "boolean"   // true or false
	Choice    Type = "choice"    // one of Choices
	Phone     Type = "phone"     // E.164
	Email     Type = "email"     // as written, trimmed
	URL       Type = "url"       // with its scheme
	Country   Type = "country"   // ISO 3166-1 alpha-2, upper case
	Currency  Type = "currency"  // ISO 4217, upper case
	Language  Type = "language"  // BCP 47, "de", "pt-BR"
	Address   Type = "address"   // one JSON object; see AddressParts
	Ref       Type = "reference" // the key of the record named
	Code      Type = "code"      // as written, trimmed; compared without letter case
	Secret    Type = "secret"    // never read on, never stored
	Agreement Type = "agreement" // free text; a date that it starts with as YYYY-MM-DD
)

// Policy says what an import may do to a field.
type Policy string

// The policies.
const (
	Overwrite Policy = "overwrite" // set; replaced
	Append    Policy = "append"    // set; added to the list, no duplicates
	IfEmpty   Policy = "if_empty"  // set; set only if empty
	Once      Policy = "once"      // set; never touched, not even if empty
	Credit    Policy = "credit"    // a ledger line; not part of the record
)

// Colour is how a policy is shown: "red", "green" or "blue".
func (p Policy) Colour() string {
	switch p {
	case Once:
		return "red"
	case IfEmpty:
		return "green"
	}
	return "blue"
}

// Reference says what a field points at.
type Reference struct {
	// To names the entities, the one that is looked in first first. Only in
	// the first may an import create what it does not find.
	To []string `json:"to"`
	// By says how a record is named, in the order of trial: "key", "name" (see
	// Definition.NameOf) or the name of a unique field. Each entity takes those
	// that it has.
	By []string `json:"by"`
}

// ChoiceValue is one value of a choice.
type ChoiceValue struct {
	Value string `json:"value"`
	// Titles are what a person reads, by language.
	Titles map[string]string `json:"titles,omitempty"`
	// Synonyms are further ways to write it, by language.
	Synonyms map[string][]string `json:"synonyms,omitempty"`
}

// Field is one field of an entity.
type Field struct {
	Name   string `json:"name"`
	Type   Type   `json:"type"`
	List   bool   `json:"list,omitempty"`   // holds several values
	Policy Policy `json:"policy,omitempty"` // Once for the key, else Overwrite if not said

	Key        bool `json:"-"`                     // identifies a record; from Definition.Key
	Unique     bool `json:"unique,omitempty"`      // a value belongs to one record
	Required   bool `json:"required,omitempty"`    // a new record must have it
	EveryRow   bool `json:"every_row,omitempty"`   // every row must have it
	Wanted     bool `json:"wanted,omitempty"`      // a new record without it is a notice
	Generated  bool `json:"generated,omitempty"`   // made where a new record has none
	IgnoreCase bool `json:"ignore_case,omitempty"` // text compared without letter case

	MaxLength int           `json:"max_length,omitempty"` // characters; 0 is the type's own limit
	Ref       *Reference    `json:"reference,omitempty"`
	Choices   []ChoiceValue `json:"choices,omitempty"`

	// Titles are what a person reads, by language: en, de, es, fr, lt.
	Titles map[string]string `json:"titles,omitempty"`
	// Example is a value for the example row of a template to download.
	Example string `json:"example,omitempty"`
	// Knows are the concepts of package mapping's dictionaries that this field
	// holds, the closest first.
	Knows []string `json:"knows,omitempty"`
}

// Title is the field's title in a language, in English or by its name where
// there is none.
func (f *Field) Title(lang string) string { return title(f.Titles, f.Name, lang) }

// Split is a column that fills two fields at once: a full name.
type Split struct {
	Name   string            `json:"name"`
	Into   []string          `json:"into"` // given name, family name
	Titles map[string]string `json:"titles,omitempty"`
	Knows  []string          `json:"knows,omitempty"`
}

// Definition describes one entity.
type Definition struct {
	Name     string            `json:"name"`
	Titles   map[string]string `json:"titles,omitempty"`   // plural
	Singular map[string]string `json:"singular,omitempty"` // one record
	// Key is the field that identifies a record.
	Key string `json:"key"`
	// IsList marks named values that records point at.
	IsList bool `json:"list,omitempty"`
	// NameField is the field that names a record for references; "" where
	// NameFrom names it, or where nothing does.
	NameField string `json:"name_field,omitempty"`
	// NameFrom are the fields that name it together, joined with a blank.
	NameFrom []string `json:"name_from,omitempty"`
	// RequireAny are sets of fields of which a new record must have one each.
	RequireAny [][]string `json:"require_any,omitempty"`
	Fields     []Field    `json:"fields"`
	Splits     []Split    `json:"splits,omitempty"`
	// Extends names the entity to which the file adds its fields; only in files
	// of a tenant.
	Extends string `json:"extends,omitempty"`

	index      map[string]int
	key        int
	requireAny [][]int
	required   []int
}

// Field finds a field by its name: its position in Fields, or -1 and nil.
func (d *Definition) Field(name string) (int, *Field) {
	if i, ok := d.index[name]; ok {
		return i, &d.Fields[i]
	}
	return -1, nil
}

// KeyIndex is the position of the key in Fields.
func (d *Definition) KeyIndex() int { return d.key }

// KeyField is the field that identifies a record.
func (d *Definition) KeyField() *Field { return &d.Fields[d.key] }

// Unique are the positions of the unique fields besides the key, in order.
func (d *Definition) Unique() []int {
	var unique []int
	for i := range d.Fields {
		if d.Fields[i].Unique && i != d.key {
			unique = append(unique, i)
		}
	}
	return unique
}

// Split finds a split by its name.
func (d *Definition) Split(name string) (Split, bool) {
	for _, s := range d.Splits {
		if s.Name == name {
			return s, true
		}
	}
	return Split{}, false
}

// NameOf is the name of a record as references use it, "" where it has none.
func (d *Definition) NameOf(fields record.Fields) string {
	if d.NameField != "" {
		return fields[d.NameField].Text
	}
	parts := make([]string, 0, len(d.NameFrom))
	for _, name := range d.NameFrom {
		if text := fields[name].Text; text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, " ")
}

// Creatable tells whether a record can be made of nothing but a name: what an
// import may do with a reference that it does not find.
func (d *Definition) Creatable() bool {
	if d.NameField == "" || !d.KeyField().Generated && d.Key != d.NameField {
		return false
	}
	for i := range d.Fields {
		f := &d.Fields[i]
		if f.Required && f.Name != d.NameField && i != d.key {
			return false
		}
	}
	return len(d.RequireAny) == 0
}

// Title is the entity's title in a language.
func (d *Definition) Title(lang string) string { return title(d.Titles, d.Name, lang) }

func title(titles map[string]string, name, lang string) string {
	lang, _, _ = strings.Cut(lang, "-")
	if t := titles[lang]; t != "" {
		return t
	}
	if t := titles["en"]; t != "" {
		return t
	}
	return name
}

// Languages are the languages of titles, messages and choices. The first
// stands in for any other.
func Languages() []string { return []string{"en", "de", "es", "fr", "lt"} }
