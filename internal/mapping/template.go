package mapping

import (
	"time"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/sniff"
)

// Template is a saved mapping with its options. It is plain data: a stored
// version is never changed, so that a past import keeps what it says.
type Template struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Version int    `json:"version"`
	Entity  string `json:"entity"`
	// Standard takes the standard column names (Titles and names of the fields,
	// in every language) in any order; Columns is then empty.
	Standard bool     `json:"standard,omitempty"`
	Columns  []Column `json:"columns,omitempty"`
	Options  Options  `json:"options"`
	// Fingerprint is that of the header it was made for; see Fingerprint.
	Fingerprint string `json:"fingerprint,omitempty"`
}

// Column says what becomes of one column of a file. A column may be there
// several times, for several fields.
type Column struct {
	// Header is the name of the column.
	Header string `json:"header,omitempty"`
	// Index counts the columns from 0; it is used where the file has no header,
	// and tells columns of the same name apart.
	Index int `json:"index"`
	// Field is the entity's field, "" where the column is not imported. A part
	// of an address is "addresses.city", "addresses.shipping.city"; a split is
	// named as a field ("full_name").
	Field string `json:"field,omitempty"`
	// Transforms are carried out on the text in this order.
	Transforms []Transform `json:"transforms,omitempty"`
	// Join are the headers of further columns whose text is put behind this
	// one's, blanks left out, with Separator between; "" is one blank.
	Join      []string `json:"join,omitempty"`
	Separator string   `json:"separator,omitempty"`
	// Constant is the value of every row; there is then no column.
	Constant string `json:"constant,omitempty"`
}

// Op is the kind of a transform.
type Op string

// The transforms.
const (
	Trim       Op = "trim"        // white space at the ends and doubled inside
	Upper      Op = "upper"       // ABC
	Lower      Op = "lower"       // abc
	Capitalise Op = "capitalise"  // Abc Def
	Replace    Op = "replace"     // every Old with New
	Part       Op = "part"        // From and Length in characters, or the Nth part split by Separator
	GivenName  Op = "given_name"  // the given names of a full name
	FamilyName Op = "family_name" // the family name of a full name
)

// Transform is one step from a cell's text to a value's.
type Transform struct {
	Op  Op     `json:"op"`
	Old string `json:"old,omitempty"` // Replace; "" replaces the whole of a blank text
	New string `json:"new,omitempty"`
	// From counts the characters from 1, from the end if negative; Length 0 is
	// all that follow.
	From   int `json:"from,omitempty"`
	Length int `json:"length,omitempty"`
	// Separator splits the text; Nth counts the parts from 1, from the end if
	// negative.
	Separator string `json:"separator,omitempty"`
	Nth       int    `json:"nth,omitempty"`
}

// Mode says which rows may write.
type Mode string

// The modes.
const (
	CreateAndUpdate Mode = "create_and_update"
	CreateOnly      Mode = "create_only" // a row whose record exists is unchanged
	UpdateOnly      Mode = "update_only" // a row without a record is rejected
)

// Unmatched says what becomes of a reference whose record is not found.
type Unmatched string

// What may become of it.
const (
	ByAttendance  Unmatched = "" // Ask where a person attends, else RejectRow
	Ask           Unmatched = "ask"
	CreateMissing Unmatched = "create" // one record a distinct name
	RejectRow     Unmatched = "reject"
	IgnoreRow     Unmatched = "ignore"
)

// Repeats says what becomes of rows that repeat a key.
type Repeats string

// What may become of them.
const (
	InOrder       Repeats = "in_order" // each is applied on the one before
	LastOnly      Repeats = "last"     // the others are ignored
	RejectRepeats Repeats = "reject"   // all but the first are rejected
)

// Severity says what a repeated unique value or missing required data does.
type Severity string

// What it may do.
const (
	RejectsRow  Severity = "reject"
	FailsImport Severity = "fail" // with nothing written
)

// Start says when a planned import is applied.
type Start string

// The starts.
const (
	Now      Start = "now"
	At       Start = "at" // at Options.StartAt
	OnMyWord Start = "on_word"
)

// Options are all the options of an import. The zero value of each is its
// default, but for what Defaults fills in.
type Options struct {
	// Layout fixes what is known of the file; the rest is found.
	Layout sniff.Override `json:"layout,omitzero"`
	// OnlyWhere are the columns (headers) of which a row must have a value in
	// each; the other rows are ignored.
	OnlyWhere []string `json:"only_where,omitempty"`

	Country     string   `json:"country,omitempty"`      // ISO 3166-1 alpha-2, for national phone numbers
	DateFormats []string `json:"date_formats,omitempty"` // "DD.MM.YYYY"; see package value
	DecimalMark string   `json:"decimal_mark,omitempty"` // "." or ","; "" takes what is not ambiguous
	Separator   string   `json:"separator,omitempty"`    // of lists; "" is ";", "|" or a line end
	ClearMark   string   `json:"clear_mark,omitempty"`   // "<clear>"
	TimeZone    string   `json:"time_zone,omitempty"`    // IANA name of times without a zone; "" is UTC
	Currencies  []string `json:"currencies,omitempty"`   // further codes that are a currency here

	Mode            Mode                     `json:"mode,omitempty"`
	MatchOn         string                   `json:"match_on,omitempty"` // a unique field; "" is the key, or see Bound.MatchOn
	Policies        map[string]entity.Policy `json:"policies,omitempty"` // tightened, by field
	ReplaceLists    []string                 `json:"replace_lists,omitempty"`
	GenerateMissing bool                     `json:"generate_missing,omitempty"` // values of lists

	Unmatched       Unmatched `json:"unmatched,omitempty"`
	Repeats         Repeats   `json:"repeats,omitempty"`
	RepeatedUnique  Severity  `json:"repeated_unique,omitempty"`
	MissingRequired Severity  `json:"missing_required,omitempty"`
	// ToleratedShare of rejected rows, 0 to 1; above it nothing is applied. Nil
	// is 1.
	ToleratedShare *float64 `json:"tolerated_share,omitempty"`

	DryRun   bool      `json:"dry_run,omitempty"`
	Start    Start     `json:"start,omitempty"`
	StartAt  time.Time `json:"start_at,omitzero"`
	Order    int       `json:"order,omitempty"`    // within its feed; smaller goes first
	Language string    `json:"language,omitempty"` // of the report: en, de, es, fr, lt
	Notify   []string  `json:"notify,omitempty"`   // e-mail addresses

	SendPointsMessage bool `json:"send_points_message,omitempty"`
	InviteToSetPass   bool `json:"invite_to_set_a_password,omitempty"`

	// Drift says what a file does whose columns are not the template's.
	Drift DriftRule `json:"drift,omitzero"`
}

// Defaults fills in what an option is where nothing is said.
func (o Options) Defaults() Options {
	fill := func(s *string, value string) {
		if *s == "" {
			*s = value
		}
	}
	fill((*string)(&o.Mode), string(CreateAndUpdate))
	fill((*string)(&o.Repeats), string(InOrder))
	fill((*string)(&o.RepeatedUnique), string(RejectsRow))
	fill((*string)(&o.MissingRequired), string(RejectsRow))
	fill((*string)(&o.Start), string(Now))
	fill(&o.ClearMark, "<clear>")
	fill(&o.Language, "en")
	if o.ToleratedShare == nil {
		all := 1.0
		o.ToleratedShare = &all
	}
	return o
}
